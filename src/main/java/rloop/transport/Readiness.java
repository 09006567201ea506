package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.loop.EventLoop;
import rloop.loop.Waiter;

/**
 * Tells who waits for a socket that it is ready, by a future.
 *
 * <p>Nothing is received or sent on behalf of who waits: that does the task itself when it goes on.
 * A task that is cancelled in the meantime has taken nothing from the socket then, and whoever uses
 * the socket next finds all of it.
 */
final class Readiness implements Waiter {
  private final EventLoop loop;
  private final WatchedSocket socket;
  private final int direction;
  private @Owned long future;

  /** The last receive took all there was: nothing comes without the poller's telling. */
  private boolean exhausted;

  Readiness(EventLoop loop, WatchedSocket socket, int direction) {
    this.loop = loop;
    this.socket = socket;
    this.direction = direction;
  }

  /**
   * A future that is done when the socket is ready; who waited before is forgotten.
   *
   * @throws PyException if the kernel refuses, an {@code OSError}, or what {@code create_future}
   *     raises
   */
  @Owned
  long await() {
    long created = FutureCalls.create(loop.pythonLoop());
    long result = Ref.take(created);
    long last = future;
    future = created; // first, as the watch lets others in
    try {
      socket.await(direction, this);
    } catch (PyException e) {
      Ref.drop(result);
      if (future == created) {
        future = last;
        last = created;
      }
      throw e;
    } finally {
      Ref.dropIfAny(last);
    }
    return result;
  }

  /** Whether there may be something, though the poller has not told so. */
  boolean isWorthTrying() {
    return !(exhausted && socket.isRegistered(direction));
  }

  /** A receive took so many bytes of those that it had room for. */
  void received(long count, long room) {
    exhausted = count < room && count != 0;
  }

  @Override
  public void ready() {
    exhausted = false;
    socket.satisfied(direction);
    long waiting = future;
    future = 0;
    if (waiting != 0) {
      FutureCalls.wake(waiting);
      Ref.drop(waiting);
    }
  }

  @Override
  public boolean isHeard() {
    long waiting = future;
    if (waiting == 0) {
      return false;
    }
    long kept = Ref.take(waiting); // asking may let others in
    try {
      return !FutureCalls.isDone(kept);
    } finally {
      Ref.drop(kept);
    }
  }

  /** Who is told to try again asks the socket. */
  @Override
  public boolean isByNumber() {
    return false;
  }

  @Override
  public boolean isFor(int fd) {
    return socket.isOpenAs(fd);
  }

  @Override
  public void replaced() {
    long waiting = future;
    future = 0;
    Ref.dropIfAny(waiting);
  }
}
