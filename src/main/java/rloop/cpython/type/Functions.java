package rloop.cpython.type;

import java.lang.invoke.MethodHandles;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/** Adds Java methods to a Python module, as functions. */
public final class Functions {
  private final long module;
  private final MethodHandles.Lookup lookup;

  /** Functions of a module, from the Java class that the lookup belongs to. */
  public Functions(long module, MethodHandles.Lookup lookup) {
    this.module = module;
    this.lookup = lookup;
  }

  /** Adds a function; flags are those of {@link Methods}. */
  public Functions add(String name, String javaName, int flags, String signature) {
    long definition = MethodDef.create(name, Trampoline.to(lookup, javaName), flags, signature);
    long function = PyException.check(PyTypes.PyCFunction_New(definition, module));
    int status = PyObjects.PyObject_SetAttrString(module, name, function);
    Ref.drop(function);
    PyException.checkStatus(status);
    return this;
  }
}
