package rloop.ownership;

import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.VariableElement;

/** Parameters that take a reference without a mark, each for a reason. */
final class Adoption {
  private Adoption() {}

  static boolean isOne(ExecutableElement method, VariableElement parameter) {
    String owner = method.getEnclosingElement().toString();
    // Stores it in a structure, of Python's most of all, which owns it from then on.
    return Values.is(method, "rloop.ffi.Memory", "putLong")
        // Passes it through: a value is what was checked.
        || Values.is(method, "rloop.cpython.object.PyException", "check")
        // Stores what may be anything.
        || Values.is(method, "rloop.io.Fifo", "add")
        // Knows nothing of Python, and gives it back through EndpointEvents.released.
        || (owner.startsWith("rloop.io.") && parameter.getSimpleName().contentEquals("owner"));
  }
}
