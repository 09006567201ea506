package rloop.module;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.type.JavaReference;
import rloop.cpython.type.Trampoline;
import rloop.cpython.type.TypeSpec;
import rloop.ffi.Memory;
import rloop.loop.EventLoop;

/**
 * Finds the Java part of a Python loop: by the object in its slot {@code _state}, which is at the
 * same time the iterator over the loop's batches.
 */
final class Loops {
  /** The type {@code rloop._core.LoopState}. */
  static final @Owned long STATE_TYPE =
      new TypeSpec("rloop._core.LoopState", JavaReference.TYPE)
          .notInstantiable()
          .iterator(Trampoline.to(MethodHandles.lookup(), "next", Trampoline.NULL))
          .create();

  /** The offset of the slot {@code _state} of {@code rloop.RLoop}. */
  private static int stateSlot;

  private Loops() {}

  /** Reads where the Python class keeps the state object. */
  static void setLoopClass(long loopClass) {
    stateSlot = Layout.slotOffset(loopClass, "_state");
  }

  /** A state object for a loop. */
  @Owned
  static long createState(EventLoop loop) {
    return JavaReference.create(STATE_TYPE, loop);
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
    return (EventLoop) require(JavaReference.get(state));
  }

  /** As {@link #of}; raises asyncio's error if the loop is closed. */
  static EventLoop open(long pythonLoop) {
    EventLoop loop = of(pythonLoop);
    if (loop.isClosed()) {
      throw PyException.runtimeError("Event loop is closed");
    }
    return loop;
  }

  private static Object require(@Nullable Object referent) {
    if (referent == null) {
      throw new IllegalStateException("a reference object outlived what it stands for");
    }
    return referent;
  }

  /** {@code tp_iternext}, reached through the trampoline. */
  @SuppressWarnings("unused")
  private static long next(long state, long b, long c, long d) {
    return ((EventLoop) require(JavaReference.get(state))).next();
  }
}
