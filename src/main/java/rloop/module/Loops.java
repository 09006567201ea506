package rloop.module;

import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Trampoline;
import rloop.cpython.type.TypeSpec;
import rloop.ffi.Memory;
import rloop.loop.EventLoop;

/**
 * The loops of this process, found by a number that Python objects carry.
 *
 * <p>{@code rloop._core.LoopState}, in the slot {@code _state} of a Python loop, carries the number
 * and is at the same time the iterator of the loop's batches. The loop is forgotten when it dies.
 */
final class Loops {
  private static final int INITIAL_ROOM = 16;

  private static @Nullable EventLoop[] table = new EventLoop[INITIAL_ROOM];

  private static final int NUMBER;
  private static final long STATE_TYPE;

  static {
    TypeSpec spec = new TypeSpec("rloop._core.LoopState", PyObjects.PyBaseObject_Type);
    NUMBER = spec.hiddenLong();
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    STATE_TYPE =
        spec.notInstantiable()
            .iterator(Trampoline.to(lookup, "next", Trampoline.NULL))
            .deallocatedBy(Trampoline.to(lookup, "deallocate", Trampoline.NULL))
            .create();
  }

  /** The offset of the slot {@code _state} of {@code rloop.RLoop}. */
  private static int stateSlot;

  private Loops() {}

  /** Reads where the Python class keeps the state object. */
  static void setLoopClass(long loopClass) {
    stateSlot = Layout.slotOffset(loopClass, "_state");
  }

  /** A state object for a loop. */
  @Owned
  static long add(EventLoop loop) {
    int number = 0;
    while (number < table.length && table[number] != null) {
      number++;
    }
    if (number == table.length) {
      table = Arrays.copyOf(table, number * 2);
    }
    long state = PyException.check(PyTypes.PyType_GenericAlloc(STATE_TYPE));
    Memory.putLong(state + NUMBER, number);
    table[number] = loop;
    return state;
  }

  /**
   * The loop of a Python loop.
   *
   * @throws PyException a {@code RuntimeError} if {@code __init__} has not run
   */
  static EventLoop of(long pythonLoop) {
    long state = Memory.getLong(pythonLoop + stateSlot);
    if (state == 0) {
      throw PyException.runtimeError("the event loop was not initialised");
    }
    return ofState(state);
  }

  /** As {@link #of}; raises asyncio's error if the loop is closed. */
  static EventLoop open(long pythonLoop) {
    EventLoop loop = of(pythonLoop);
    if (loop.isClosed()) {
      throw PyException.runtimeError("Event loop is closed");
    }
    return loop;
  }

  private static EventLoop ofState(long state) {
    EventLoop loop = table[(int) Memory.getLong(state + NUMBER)];
    if (loop == null) {
      throw new IllegalStateException("a loop's state without a loop");
    }
    return loop;
  }

  // ---- slots of LoopState, reached through the trampolines -------------------------------------

  @SuppressWarnings("unused")
  private static long next(long self, long b, long c, long d) {
    return ofState(self).next();
  }

  @SuppressWarnings("unused")
  private static long deallocate(long self, long b, long c, long d) {
    int number = (int) Memory.getLong(self + NUMBER);
    EventLoop loop = table[number];
    table[number] = null;
    PyObjects.PyObject_Free(self);
    Ref.drop(STATE_TYPE);
    if (loop != null) {
      loop.close();
    }
    return 0;
  }
}
