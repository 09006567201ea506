package rloop.cpython.object;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;

/** What Python modules have. */
public final class Modules {
  private Modules() {}

  /**
   * Imports a module, which may let other threads run, and takes something from it.
   *
   * @param module its full name
   * @throws PyException what the import raises, or an {@code AttributeError}
   */
  @Owned
  public static long attribute(String module, String name) {
    long imported = PyException.check(PyRuntime.PyImport_ImportModuleLevel(module));
    long attribute = PyObjects.PyObject_GetAttrString(imported, name);
    Ref.drop(imported);
    return PyException.check(attribute);
  }
}
