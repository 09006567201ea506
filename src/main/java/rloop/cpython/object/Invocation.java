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

  /**
   * {@code function(self, *arguments, **names)}, where the values of the names stand behind the
   * arguments.
   *
   * @throws PyException what the function raises
   */
  @Owned
  public static long function(long function, long self, long arguments, long count, long names) {
    long values = names == 0 ? 0 : Tuples.size(names);
    try (Arena arena = Arena.ofConfined()) {
      long all = arena.allocate((1 + count + values) * Long.BYTES, Long.BYTES).address();
      Memory.putLong(all, self);
      Memory.copy(arguments, all + Long.BYTES, (count + values) * Long.BYTES);
      return PyException.check(PyObjects.PyObject_Vectorcall(function, all, 1 + count, names));
    }
  }
}
