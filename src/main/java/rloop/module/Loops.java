package rloop.module;

import java.lang.invoke.MethodHandles;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.cpython.type.JavaReference;
import rloop.cpython.type.Trampoline;
import rloop.cpython.type.TypeSpec;
import rloop.ffi.Memory;
import rloop.loop.EventLoop;
import rloop.transport.SocketOperations;

/**
 * Finds the Java part of a Python loop: by the object in its slot {@code _state}, which is at the
 * same time the iterator over the loop's calls.
 */
final class Loops {
  /** The type {@code rloop._core.LoopState}. */
  static final @Owned long STATE_TYPE =
      new TypeSpec("rloop._core.LoopState", JavaReference.TYPE)
          .notInstantiable()
          .iterator(Trampoline.to(MethodHandles.lookup(), "next", "lockOfNext"))
          .create();

  /** The offset of the slot {@code _state} of {@code rloop.RLoop}: the first worker's. */
  private static int stateSlot;

  /** That of {@code _states}: the tuple of all workers', of a loop that has several. */
  private static int statesSlot;

  private Loops() {}

  /** Reads where the Python class keeps the state object. */
  static void setLoopClass(long loopClass) {
    stateSlot = Layout.slotOffset(loopClass, "_state");
    statesSlot = Layout.slotOffset(loopClass, "_states");
  }

  /** The Java part of a loop: the loop itself, and what stands above it. */
  private record Parts(EventLoop loop, SocketOperations sockets) implements JavaReference.Mortal {
    /** Closes what the Python loop has not: its closing may have been interrupted. */
    @Override
    public void referenceDied() {
      if (!loop.isClosed()) {
        loop.abandon();
        sockets.close();
      }
      loop.free();
      sockets.free();
    }
  }

  /** Makes the state object of a loop, or of one of its workers. */
  @Owned
  static long createState(EventLoop loop) {
    long state = JavaReference.create(STATE_TYPE, new Parts(loop, new SocketOperations(loop)));
    loop.setLock(state);
    return state;
  }

  /** Gives a Python loop its state object. */
  static void setState(long pythonLoop, EventLoop loop) {
    long state = createState(loop);
    @Owned long old = Memory.getLong(pythonLoop + stateSlot);
    Memory.putLong(pythonLoop + stateSlot, state);
    Ref.dropIfAny(old);
  }

  /**
   * The part of a Python loop that this thread runs, or else the first one.
   *
   * @throws PyException a {@code RuntimeError} if {@code __init__} has not run
   */
  static EventLoop of(long pythonLoop) {
    return parts(pythonLoop).loop;
  }

  /** The operations on sockets of a Python loop. */
  static SocketOperations sockets(long pythonLoop) {
    return parts(pythonLoop).sockets;
  }

  private static Parts parts(long pythonLoop) {
    return referent(state(pythonLoop));
  }

  /**
   * The state object of a Python loop, borrowed: that of the worker that this thread is, or else
   * the first one's. It is also a lock, on free-threaded builds.
   */
  static long state(long pythonLoop) {
    if (hasSeveral(pythonLoop)) {
      long seated = Seat.state(pythonLoop);
      if (seated != 0) {
        return seated;
      }
    }
    return initialised(Memory.getLong(pythonLoop + stateSlot));
  }

  /** The state object of a worker of a Python loop, borrowed. */
  static long state(long pythonLoop, int worker) {
    return worker == 0
        ? initialised(Memory.getLong(pythonLoop + stateSlot))
        : Tuples.get(initialised(Memory.getLong(pythonLoop + statesSlot)), worker);
  }

  private static long initialised(long found) {
    if (found == 0) {
      throw PyException.runtimeError("the event loop was not initialised");
    }
    return found;
  }

  /** Whether a Python loop has several workers. */
  static boolean hasSeveral(long pythonLoop) {
    return Memory.getLong(pythonLoop + statesSlot) != 0;
  }

  /** What a state object stands for. */
  static EventLoop ofState(long state) {
    return referent(state).loop;
  }

  private static Parts referent(long state) {
    if (JavaReference.get(state) instanceof Parts parts) {
      return parts;
    }
    throw new IllegalStateException("a state object outlived its loop");
  }

  /** As {@link #of}; raises asyncio's error if the loop is closed. */
  static EventLoop open(long pythonLoop) {
    EventLoop loop = of(pythonLoop);
    loop.checkOpen();
    return loop;
  }

  @SuppressWarnings("unused")
  private static long lockOfNext(long state, long b) {
    return state;
  }

  /** {@code tp_iternext}, reached through the trampoline. */
  @SuppressWarnings("unused")
  private static long next(long state, long b, long c, long d) {
    EventLoop loop = referent(state).loop;
    loop.checkOpen();
    return loop.iteration().next();
  }
}
