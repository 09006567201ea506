package rloop.module;

import rloop.cpython.abi.Assumptions;
import rloop.cpython.abi.Layout;
import rloop.cpython.object.CriticalSection;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.type.Methods;
import rloop.cpython.type.TypeSpec;

/** Gathers what the packages below assume of CPython's headers, for the test that checks it. */
final class Layouts {
  private Layouts() {}

  /** A line for each assumption: an expression of C, a tabulator, its value. */
  static String assumed() {
    StringBuilder lines = new StringBuilder();
    Assumptions assumptions =
        (expression, value) -> lines.append(expression).append('\t').append(value).append('\n');
    Layout.tell(assumptions);
    PyBuffer.tell(assumptions);
    CriticalSection.tell(assumptions);
    Methods.tell(assumptions);
    TypeSpec.tell(assumptions);
    return lines.toString();
  }
}
