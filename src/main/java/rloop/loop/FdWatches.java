package rloop.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.PyContainers;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/** The descriptors that user code has watched, by number. */
public final class FdWatches {
  private static final int INITIAL_ROOM = 64;

  private final EventLoop loop;
  private final Scheduler scheduler;
  private @Nullable FdWatch[] watches = new FdWatch[INITIAL_ROOM];

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
   * @param key of descriptor and direction in it
   * @param entry a tuple whose first item is the handle
   * @throws PyException if the kernel refuses, an {@code OSError}
   */
  public void add(int fd, int direction, long watchers, long key, long entry) {
    long old = PyContainers.PyDict_GetItemWithError(watchers, key);
    if (old != 0) {
      Ref.take(old); // whose handle is still pointed to
    }
    PyException.checkStatus(PyContainers.PyDict_SetItem(watchers, key, entry));
    boolean isWatched = false;
    try {
      add(fd, direction, Tuples.get(entry, 0));
      isWatched = true;
    } finally {
      if (!isWatched) {
        keep(watchers, key, old);
      }
      Ref.dropIfAny(old);
    }
  }

  private void add(int fd, int direction, long handle) {
    FdWatch watch = at(fd);
    if (watch.wanted() == 0) {
      watch.distrust();
    }
    watch.await(direction, new HandleWaiter(scheduler, handle));
  }

  /**
   * Stops waiting in one direction; returns whether anybody did. The parameters are those of {@link
   * #add}.
   */
  public boolean remove(int fd, int direction, long watchers, long key) {
    FdWatch watch = fd < watches.length ? watches[fd] : null;
    boolean was = watch != null && watch.cancel(direction);
    keep(watchers, key, 0);
    return was;
  }

  /** Has the dictionary keep this entry, or none. */
  private static void keep(long watchers, long key, long entry) {
    if (entry != 0) {
      PyException.checkStatus(PyContainers.PyDict_SetItem(watchers, key, entry));
    } else if (PyContainers.PyDict_GetItemWithError(watchers, key) != 0) {
      PyException.checkStatus(PyContainers.PyDict_DelItem(watchers, key));
    }
  }

  /** The directions in which somebody waits for a descriptor. */
  public int wanted(int fd) {
    FdWatch watch = fd < watches.length ? watches[fd] : null;
    return watch == null ? 0 : watch.wanted();
  }

  /** The watch of a descriptor, registered or not. */
  public FdWatch at(int fd) {
    if (fd >= watches.length) {
      watches = Arrays.copyOf(watches, Math.max(fd + 1, watches.length * 2));
    }
    FdWatch watch = watches[fd];
    if (watch == null) {
      watch = new FdWatch(loop, fd);
      watches[fd] = watch;
    }
    return watch;
  }

  /** The loop is being closed: nobody waits any more, also where the poller lost the descriptor. */
  void close() {
    for (FdWatch watch : watches) {
      if (watch != null) {
        watch.pollerClosed();
      }
    }
    watches = new FdWatch[0];
  }
}
