package rloop.cpython.type;

import rloop.cpython.abi.Assumptions;
import rloop.ffi.Memory;

/** {@code struct PyMethodDef} of {@code methodobject.h}. */
final class MethodDef {
  private static final int ML_NAME = 0;
  private static final int ML_METH = 8;
  private static final int ML_FLAGS = 16;
  private static final int ML_DOC = 24;
  private static final int SIZE = 32;

  private MethodDef() {}

  static void tell(Assumptions assumptions) {
    assumptions.add("offsetof(PyMethodDef, ml_name)", ML_NAME);
    assumptions.add("offsetof(PyMethodDef, ml_meth)", ML_METH);
    assumptions.add("offsetof(PyMethodDef, ml_flags)", ML_FLAGS);
    assumptions.add("offsetof(PyMethodDef, ml_doc)", ML_DOC);
    assumptions.add("sizeof(PyMethodDef)", SIZE);
  }

  /** A definition, never freed, of a function under a Python name. */
  static long create(String name, long function, int flags, String signature) {
    long definition = Memory.allocate(SIZE);
    Memory.putLong(definition + ML_NAME, Memory.cString(name));
    Memory.putLong(definition + ML_METH, function);
    Memory.putInt(definition + ML_FLAGS, flags);
    Memory.putLong(definition + ML_DOC, Memory.cString(name + signature + "\n--\n\n"));
    return definition;
  }
}
