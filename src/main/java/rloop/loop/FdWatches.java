package rloop.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.loop.poll.Poller;

/** What {@code add_reader} and {@code add_writer} watch, by file descriptor. */
public final class FdWatches {
  private static final int INITIAL_ROOM = 64;

  private final EventLoop loop;
  private final HandleType handleType;
  private @Nullable Watch[] watches = new Watch[INITIAL_ROOM];

  FdWatches(EventLoop loop, HandleType handleType) {
    this.loop = loop;
    this.handleType = handleType;
  }

  /** One descriptor: a handle for each direction, or 0. */
  private final class Watch extends Channel {
    private @Owned long reader;
    private @Owned long writer;

    Watch(int fd) {
      super(fd);
    }

    @Override
    protected void ready(int readiness) {
      if ((readiness & Poller.READ) != 0 && reader != 0) {
        loop.addHandle(handleType, reader);
      }
      if ((readiness & Poller.WRITE) != 0 && writer != 0) {
        loop.addHandle(handleType, writer);
      }
    }

    @Override
    protected void loopClosed() {
      watches[fd] = null;
      set(Poller.READ, 0);
      set(Poller.WRITE, 0);
    }

    int wanted() {
      return (reader != 0 ? Poller.READ : 0) | (writer != 0 ? Poller.WRITE : 0);
    }

    /** Puts a handle in place of another, which is cancelled; returns whether there was one. */
    boolean set(int direction, @Owned long handle) {
      long old;
      if (direction == Poller.READ) {
        old = reader;
        reader = handle;
      } else {
        old = writer;
        writer = handle;
      }
      if (old != 0) {
        loop.cancel(old);
        Ref.drop(old);
      }
      return old != 0;
    }
  }

  /**
   * Watches a descriptor; an earlier handle for the same direction is cancelled.
   *
   * @param direction {@link Poller#READ} or WRITE
   * @throws rloop.cpython.object.PyException if the kernel refuses, an {@code OSError}
   */
  public void add(int fd, int direction, long handle) {
    Watch watch = at(fd);
    if (watch == null) {
      watch = new Watch(fd);
    }
    loop.watch(watch, watch.wanted() | direction);
    put(fd, watch);
    watch.set(direction, Ref.take(handle));
  }

  /** Stops watching for one direction; returns whether anybody did. */
  public boolean remove(int fd, int direction) {
    Watch watch = at(fd);
    if (watch == null) {
      return false;
    }
    boolean was = watch.set(direction, 0);
    int wanted = watch.wanted();
    if (wanted == 0) {
      watches[fd] = null;
      loop.forget(watch);
    } else {
      loop.watch(watch, wanted);
    }
    return was;
  }

  /** Whether a descriptor is watched in that direction. */
  public boolean contains(int fd, int direction) {
    Watch watch = at(fd);
    return watch != null && (watch.wanted() & direction) != 0;
  }

  private @Nullable Watch at(int fd) {
    return fd < watches.length ? watches[fd] : null;
  }

  private void put(int fd, Watch watch) {
    if (fd >= watches.length) {
      watches = Arrays.copyOf(watches, Math.max(fd + 1, watches.length * 2));
    }
    watches[fd] = watch;
  }
}
