package rloop.cpython.api;

import java.lang.foreign.Arena;
import rloop.ffi.CString;
import rloop.ffi.Downcall;
import rloop.ffi.Memory;
import rloop.ffi.Symbols;

/** {@code pyerrors.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyErrors {
  private static final Downcall SET_STRING = Downcall.of("PyErr_SetString");
  private static final Downcall SET_OBJECT = Downcall.of("PyErr_SetObject");
  private static final Downcall OCCURRED = Downcall.of("PyErr_Occurred");
  private static final Downcall NO_MEMORY = Downcall.of("PyErr_NoMemory");
  private static final Downcall CLEAR = Downcall.of("PyErr_Clear");

  private PyErrors() {}

  /** The exception class of a C name such as {@code PyExc_TypeError}. */
  public static long exception(String symbol) {
    return Memory.getLong(Symbols.address(symbol));
  }

  /** Sets the exception. */
  public static void PyErr_SetString(long type, String message) {
    try (CString copy = new CString(message)) {
      SET_STRING.call(type, copy.address());
    }
  }

  public static void PyErr_SetObject(long type, long value) {
    SET_OBJECT.call(type, value);
  }

  /** The type of the exception that is set, borrowed, or 0. */
  public static long PyErr_Occurred() {
    return OCCURRED.call();
  }

  /** Sets a {@code MemoryError}, for which it needs no memory. */
  public static void PyErr_NoMemory() {
    NO_MEMORY.call();
  }

  public static void PyErr_Clear() {
    CLEAR.call();
  }

  /**
   * The exception that is set, which it then no longer is: {@code PyErr_GetRaisedException}, or
   * what there was before 3.12.
   */
  @Owned
  public static long takeRaised() {
    if (Version.isAtLeast(12)) {
      return Downcall.of("PyErr_GetRaisedException").call();
    }
    try (Arena arena = Arena.ofConfined()) {
      long type = arena.allocate(3 * (long) Long.BYTES, Long.BYTES).address();
      long value = type + Long.BYTES;
      long traceback = value + Long.BYTES;
      Downcall.of("PyErr_Fetch").call(type, value, traceback);
      Downcall.of("PyErr_NormalizeException").call(type, value, traceback);
      @Owned long raisedType = Memory.getLong(type);
      @Owned long raisedTraceback = Memory.getLong(traceback);
      @Owned long raised = Memory.getLong(value);
      PyObjects.Py_DecRef(raisedType);
      if (raisedTraceback != 0) {
        PyObjects.Py_DecRef(raisedTraceback);
      }
      return raised;
    }
  }
}
