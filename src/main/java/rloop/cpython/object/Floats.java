package rloop.cpython.object;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.api.PyTypes;
import rloop.ffi.Memory;

/** Python's floats. */
public final class Floats {
  private Floats() {}

  /**
   * A new float. Without {@code PyFloat_FromDouble}, whose shape, the one with a {@code double},
   * would cost milliseconds.
   */
  @Owned
  public static long of(double value) {
    long number = PyException.check(PyTypes.PyType_GenericAlloc(PyScalars.PyFloat_Type));
    Memory.putDouble(number + Layout.FLOAT_VALUE, value);
    return number;
  }
}
