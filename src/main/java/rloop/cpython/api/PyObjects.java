package rloop.cpython.api;

import rloop.ffi.CString;
import rloop.ffi.CriticalCall;
import rloop.ffi.Downcall;
import rloop.ffi.Memory;
import rloop.ffi.Symbols;

/** {@code object.h}, {@code abstract.h} and {@code iterobject.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyObjects {
  /** {@code Py_None}, immortal from 3.12 on. */
  public static final long Py_None = Symbols.address("_Py_NoneStruct");

  /** {@code Py_True}. */
  public static final long Py_True = Symbols.address("_Py_TrueStruct");

  /** {@code Py_False}. */
  public static final long Py_False = Symbols.address("_Py_FalseStruct");

  /** The type {@code object}. */
  public static final long PyBaseObject_Type = Symbols.address("PyBaseObject_Type");

  /** The type {@code dict}. */
  public static final long PyDict_Type = Symbols.address("PyDict_Type");

  /** {@code PyObject_SelfIter} as a function pointer, for {@code tp_iter}. */
  public static final long PyObject_SelfIter = Symbols.address("PyObject_SelfIter");

  private static final CriticalCall INC_REF = CriticalCall.of("Py_IncRef");
  private static final Downcall DEC_REF = Downcall.of("Py_DecRef");
  private static final Downcall GET_ATTR_STRING = Downcall.of("PyObject_GetAttrString");
  private static final Downcall GET_ATTR = Downcall.of("PyObject_GetAttr");
  private static final Downcall GET_ITEM = Downcall.of("PyObject_GetItem");
  private static final Downcall SET_ATTR_STRING = Downcall.of("PyObject_SetAttrString");
  private static final Downcall VECTORCALL = Downcall.of("PyObject_Vectorcall");
  private static final Downcall VECTORCALL_METHOD = Downcall.of("PyObject_VectorcallMethod");
  private static final Downcall FREE = Downcall.of("PyObject_Free");

  private PyObjects() {}

  public static void Py_IncRef(long object) {
    INC_REF.call(object);
  }

  /** May run Python code: finalisers, weak reference callbacks. */
  public static void Py_DecRef(@Owned long object) {
    DEC_REF.call(object);
  }

  @Owned
  public static long PyObject_GetAttrString(long object, String name) {
    try (CString copy = new CString(name)) {
      return GET_ATTR_STRING.call(object, copy.address());
    }
  }

  @Owned
  public static long PyObject_GetAttr(long object, long name) {
    return GET_ATTR.call(object, name);
  }

  @Owned
  public static long PyObject_GetItem(long object, long key) {
    return GET_ITEM.call(object, key);
  }

  /** 0, or -1 with an exception set. For set-up: the name is never freed. */
  public static int PyObject_SetAttrString(long object, String name, long value) {
    return (int) SET_ATTR_STRING.call(object, Memory.cString(name), value);
  }

  /**
   * Calls a method.
   *
   * @param arguments address of an array, with {@code self} first
   */
  @Owned
  public static long PyObject_VectorcallMethod(long name, long arguments, long count) {
    return VECTORCALL_METHOD.call(name, arguments, count, 0);
  }

  /**
   * Calls a function.
   *
   * @param arguments address of an array: positional arguments, then the values of the names
   * @param names a tuple, or 0
   */
  @Owned
  public static long PyObject_Vectorcall(long callable, long arguments, long count, long names) {
    return VECTORCALL.call(callable, arguments, count, names);
  }

  /** Frees the memory of an object that is not tracked by the cycle collector. */
  public static void PyObject_Free(long object) {
    FREE.call(object);
  }
}
