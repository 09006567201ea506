package rloop.cpython.object;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.ffi.Memory;
import rloop.ffi.Scratch;

/** Calls of Python code that is ours or the standard library's; see the package {@code loop}. */
public final class Invocation {
  /** More than any call has; calls nest a few levels deep at most. */
  private static final int STACK_SIZE = 4096;

  /** Arguments of the calls that a thread is in. */
  private static final ThreadLocal<Invocation> STACK = ThreadLocal.withInitial(Invocation::new);

  private final Scratch memory = new Scratch(STACK_SIZE * (long) Long.BYTES);
  private int used;

  private Invocation() {}

  /**
   * {@code object.name()}.
   *
   * @throws PyException what the method raises
   */
  @Owned
  public static long method(long object, long name) {
    return STACK.get().call(name, object, 0, 0, 1);
  }

  /**
   * {@code object.name(argument)}.
   *
   * @throws PyException what the method raises
   */
  @Owned
  public static long method(long object, long name, long argument) {
    return STACK.get().call(name, object, argument, 0, 2);
  }

  /**
   * {@code object.name(first, second)}.
   *
   * @throws PyException what the method raises
   */
  @Owned
  public static long method(long object, long name, long first, long second) {
    return STACK.get().call(name, object, first, second, 3);
  }

  @Owned
  private long call(long name, long object, long first, long second, int count) {
    long arguments = push(count);
    try {
      Memory.putLong(arguments, object);
      if (count > 1) {
        Memory.putLong(arguments + Long.BYTES, first);
      }
      if (count > 2) {
        Memory.putLong(arguments + 2 * Long.BYTES, second);
      }
      return PyException.check(PyObjects.PyObject_VectorcallMethod(name, arguments, count));
    } finally {
      used -= count;
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
    int given = (int) (count + (names == 0 ? 0 : Tuples.size(names)));
    Invocation stack = STACK.get();
    long all = stack.push(1 + given);
    try {
      Memory.putLong(all, self);
      Memory.copy(arguments, all + Long.BYTES, (long) given * Long.BYTES);
      return PyException.check(PyObjects.PyObject_Vectorcall(function, all, 1 + count, names));
    } finally {
      stack.used -= 1 + given;
    }
  }

  private long push(int count) {
    if (used + count > STACK_SIZE) {
      throw PyException.runtimeError("too many arguments");
    }
    long arguments = memory.address() + used * (long) Long.BYTES;
    used += count;
    return arguments;
  }
}
