package rloop.io.poll;

import static rloop.posix.Constants.EINTR;

import rloop.posix.ErrnoException;

/** What pollers have in common: the round of one poll, and the waker that ends a wait. */
abstract class WakeablePoller implements Poller {
  final Waker waker;
  final ReadyList ready = new ReadyList();

  /** The system call that waits, for errors. */
  private final String systemCall;

  WakeablePoller(Waker waker, String systemCall) {
    this.waker = waker;
    this.systemCall = systemCall;
  }

  @Override
  public final int poll(long timeoutNanos) {
    checkOpen();
    ready.clear();
    boolean sleep = timeoutNanos != 0 && waker.fallAsleep();
    int count = await(sleep ? timeoutNanos : 0);
    waker.rise();
    if (count < 0) {
      if (count == -EINTR) {
        return INTERRUPTED;
      }
      throw new ErrnoException(systemCall, count);
    }
    collect(count);
    return ready.size();
  }

  /** Asks the kernel; how many descriptors have something, or {@code -errno}. */
  abstract int await(long timeoutNanos);

  /** Adds those descriptors to the list, and drains the waker if it is one of them. */
  abstract void collect(int count);

  @Override
  public final long key(int index) {
    return ready.key(index);
  }

  @Override
  public final int readiness(int index) {
    return ready.readiness(index);
  }

  @Override
  public final void wakeup() {
    waker.wake();
  }

  @Override
  public final long wakeUps() {
    return waker.signals();
  }

  abstract void checkOpen();
}
