package rloop.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.object.PyException;

/** The descriptors that user code has watched, by number. */
public final class FdWatches {
  private static final int INITIAL_ROOM = 64;

  private final EventLoop loop;
  private final Scheduler scheduler;
  private @Nullable FdWatch[] watches = new FdWatch[INITIAL_ROOM];

  /** The first ones, as many as are counted. */
  private @Nullable FdWatch[] unconfirmed = new FdWatch[INITIAL_ROOM];

  private int unconfirmedCount;

  FdWatches(EventLoop loop, Scheduler scheduler) {
    this.loop = loop;
    this.scheduler = scheduler;
  }

  /**
   * Has a handle run whenever a descriptor is ready; an earlier one for the same direction is
   * cancelled.
   *
   * @param direction {@code Poller.READ} or WRITE
   * @param watchers the Python loop's dictionary, which keeps the handle
   * @param file what it keeps with the handle
   * @throws PyException if the kernel refuses, an {@code OSError}
   */
  public void add(int fd, int direction, long handle, long watchers, long file) {
    HandleWaiter waiter = HandleWaiter.keep(scheduler, handle, watchers, file);
    boolean isWatched = false;
    try {
      add(fd, direction, waiter);
      isWatched = true;
    } finally {
      if (!isWatched) {
        waiter.letGo();
      }
    }
  }

  private void add(int fd, int direction, HandleWaiter waiter) {
    FdWatch watch = find(fd);
    if (watch == null) {
      watch = new FdWatch(loop, fd);
      watch.await(direction, waiter);
      keep(watch); // not before the kernel knows the number, which may be any
    } else {
      watch.await(direction, waiter);
    }
  }

  /** Stops waiting in one direction; returns whether anybody did. */
  public boolean remove(int fd, int direction) {
    FdWatch watch = find(fd);
    return watch != null && watch.cancel(direction);
  }

  /** The directions in which somebody waits for a descriptor. */
  public int wanted(int fd) {
    FdWatch watch = find(fd);
    return watch == null ? 0 : watch.wanted();
  }

  /** The watch of an open descriptor, registered or not. */
  public FdWatch at(int fd) {
    FdWatch watch = find(fd);
    if (watch == null) {
      watch = new FdWatch(loop, fd);
      keep(watch);
    }
    return watch;
  }

  private @Nullable FdWatch find(int fd) {
    return fd >= 0 && fd < watches.length ? watches[fd] : null;
  }

  private void keep(FdWatch watch) {
    int fd = watch.fd();
    if (fd >= watches.length) {
      watches = Arrays.copyOf(watches, Math.max(fd + 1, watches.length * 2));
    }
    watches[fd] = watch;
  }

  // ---- those who wait again ------------------------------------------------------------------

  /** Has the poller asked for who waits here, when there is time. */
  void confirmLater(FdWatch watch) {
    if (unconfirmedCount == unconfirmed.length) {
      unconfirmed = Arrays.copyOf(unconfirmed, 2 * unconfirmedCount);
    }
    unconfirmed[unconfirmedCount++] = watch;
  }

  /** Whether there is anything to {@link #confirm}. */
  boolean hasUnconfirmed() {
    return unconfirmedCount > 0;
  }

  /** Asks the poller for all for whom it was not asked yet. */
  void confirm() {
    while (unconfirmedCount > 0) {
      FdWatch watch = unconfirmed[--unconfirmedCount];
      if (watch != null) {
        watch.confirm();
      }
    }
  }

  /** The loop is being closed: nobody waits any more, also where the poller lost the descriptor. */
  void close() {
    for (FdWatch watch : watches) {
      if (watch != null) {
        watch.pollerClosed();
      }
    }
    watches = new FdWatch[0];
    unconfirmedCount = 0;
  }
}
