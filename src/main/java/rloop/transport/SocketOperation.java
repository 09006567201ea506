package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;

import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.loop.EventLoop;
import rloop.loop.FdWatch;
import rloop.loop.Waiter;

/** An operation on a socket that waits until it can be done, and its future. */
abstract class SocketOperation implements Waiter {
  private final EventLoop loop;
  private final FdWatch watch;
  private final int direction;
  private @Owned long future;

  SocketOperation(EventLoop loop, FdWatch watch, int direction) {
    this.loop = loop;
    this.watch = watch;
    this.direction = direction;
  }

  /** Whether the result of a system call says that there is nothing yet, or no room yet. */
  static boolean isNothing(long result) {
    return result == -EAGAIN || result == -EINTR;
  }

  /**
   * Waits from now on, in place of who did.
   *
   * @param held what the operation needs, or 0; dropped if it can't wait
   * @return the future
   * @throws PyException if the kernel refuses, an {@code OSError}, or what {@code create_future}
   *     raises
   */
  @Owned
  final long waitHolding(@Owned long held) {
    long created = 0;
    try {
      created = FutureCalls.create(loop.pythonLoop());
      watch.await(direction, this);
    } catch (PyException e) {
      Ref.dropIfAny(created);
      Ref.dropIfAny(held);
      throw e;
    }
    Ref.dropIfAny(future);
    future = created;
    return Ref.take(created);
  }

  @Override
  public final void ready() {
    if (FutureCalls.isDone(future)) { // cancelled: what there is to receive is not ours
      finish();
      return;
    }
    try {
      long result = proceed();
      if (result != 0) {
        long waiting = future;
        future = 0;
        finish();
        FutureCalls.setResult(waiting, result);
        Ref.drop(waiting);
      }
    } catch (PyException e) {
      long waiting = future;
      future = 0;
      finish();
      FutureCalls.setException(waiting, e);
      Ref.drop(waiting);
    }
  }

  private void finish() {
    watch.satisfied(direction);
    replaced();
  }

  @Override
  public void replaced() {
    long waiting = future;
    future = 0;
    Ref.dropIfAny(waiting);
  }

  /** Does what can be done; the result, or 0 while there is none. */
  abstract @Owned long proceed();
}
