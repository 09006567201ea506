package rloop.cpython.object;

import java.lang.foreign.Arena;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.ffi.Memory;

/** Calls of Python code that is ours; user code never runs above a Java frame. */
public final class Invocation {
  private static final int METHOD_ARGUMENTS = 3;

  private Invocation() {}

  /**
   * {@code object.name(first, second)}.
   *
   * @throws PyException what the method raises
   */
  @Owned
  public static long method(long object, long name, long first, long second) {
    try (Arena arena = Arena.ofConfined()) {
      long arguments = arena.allocate(METHOD_ARGUMENTS * (long) Long.BYTES, Long.BYTES).address();
      Memory.putLong(arguments, object);
      Memory.putLong(arguments + Long.BYTES, first);
      Memory.putLong(arguments + 2 * Long.BYTES, second);
      return PyException.check(
          PyObjects.PyObject_VectorcallMethod(name, arguments, METHOD_ARGUMENTS));
    }
  }
}
