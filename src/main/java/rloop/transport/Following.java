package rloop.transport;

import java.util.ArrayDeque;
import rloop.cpython.object.CriticalSection;
import rloop.cpython.type.Trampoline;
import rloop.loop.Affinity;
import rloop.loop.EventLoop;
import rloop.loop.Follower;
import rloop.loop.Visitors;
import rloop.loop.Workers;

/**
 * Where a connection is at home that follows its users: on the worker that has last written to it.
 *
 * <p>It moves with all that belongs to it, while nobody is in the middle of anything: what is
 * registered, queued and undelivered, and the calls that wait and whose context says that they are
 * its own. A home that waits for the poller is left at once, by the user's thread. One that runs a
 * call is left by its own thread when that call is over and before the next one starts, since the
 * call may be the connection's own, or may have written to it: until then nothing of the connection
 * starts there, so that is as well. Where several workers write meanwhile, it visits each in turn:
 * nothing of it runs before the calls are over that have written.
 *
 * <p>Thread rule: with the home's lock.
 */
final class Following implements Follower {
  private final StreamConnection connection;
  private final Affinity affinity;

  /** Those who have written, in turn; it has not been there since. */
  private final ArrayDeque<EventLoop> users = new ArrayDeque<>();

  /** Other threads than the home's, which may be in the middle of a method. */
  private final Visitors visitors = new Visitors(Trampoline::areInMoving);

  Following(StreamConnection connection, Affinity affinity) {
    this.connection = connection;
    this.affinity = affinity;
  }

  /** This thread, if it is not the home's, is in a method from now on. */
  void visit() {
    if (connection.isElsewhere()) {
      visitors.come();
    }
  }

  /**
   * This worker has written: the connection comes here, now or as soon as it can.
   *
   * @return whether it is at home here, with whose lock this method then ends
   */
  boolean comesHere() {
    for (; ; ) {
      EventLoop home = connection.loop();
      Workers workers = home.workers();
      EventLoop user = workers == null ? null : workers.ofThisThread();
      if (user == null || isAt(user)) {
        return user != null;
      }
      if (!mayLeave(home) || !home.isWaiting()) {
        comesLater(home, user);
        return false;
      }
      unlock(home);
      try (var _ = CriticalSection.enter(home.lock(), user.lock())) {
        if (isAt(home) && mayLeave(home) && home.isWaiting()) { // asked again: others came in
          move(user);
        }
      } finally {
        lockHome();
      }
    }
  }

  private void comesLater(EventLoop home, EventLoop user) {
    if (!users.contains(user)) {
      users.add(user);
    }
    home.leavesSoon(this);
  }

  private static void unlock(EventLoop worker) {
    long unlocked = CriticalSection.unlock();
    assert unlocked == worker.lock() : "it was another lock that this thread had";
  }

  /** Locks the home, wherever that is by then. */
  private void lockHome() {
    EventLoop locked = connection.loop();
    CriticalSection.relock(locked.lock());
    while (!isAt(locked)) {
      unlock(locked);
      locked = connection.loop();
      CriticalSection.relock(locked.lock());
    }
  }

  @Override
  public void goOn(EventLoop from) {
    if (!isAt(from)) {
      return;
    }
    connection.sendGathered(); // what was written here; it may let others in
    EventLoop user = users.peek();
    if (user == null || !isAt(from)) {
      return;
    }
    unlock(from);
    try (var _ = CriticalSection.enter(from.lock(), user.lock())) {
      if (isAt(from) && mayLeave(from)) {
        move(user);
      }
    } finally {
      CriticalSection.relock(from.lock());
    }
    if (isAt(from) && !users.isEmpty() && !connection.isGone()) {
      from.leavesSoon(this); // somebody was in the middle of something
    }
  }

  @SuppressWarnings("ReferenceEquality")
  private boolean isAt(EventLoop worker) {
    return connection.loop() == worker;
  }

  private boolean mayLeave(EventLoop home) {
    return !connection.isGone()
        && !connection.isInUse()
        && !home.isClosed()
        && !visitors.areInside();
  }

  /** Both workers are locked, and nobody is let in. */
  private void move(EventLoop user) {
    users.remove(user);
    connection.moveTo(user, affinity);
    if (!users.isEmpty()) {
      user.leavesSoon(this);
      connection.flushSoon(); // what is to be sent is looked at before each call
    }
    if (!user.gathers()) {
      user.wakeUp();
    }
  }
}
