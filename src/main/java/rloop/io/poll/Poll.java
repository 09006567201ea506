package rloop.io.poll;

import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EEXIST;
import static rloop.posix.Constants.ENOENT;
import static rloop.posix.Constants.POLLERR;
import static rloop.posix.Constants.POLLHUP;
import static rloop.posix.Constants.POLLIN;
import static rloop.posix.Constants.POLLOUT;

import java.util.Arrays;
import rloop.ffi.Memory;
import rloop.posix.Pollfd;
import rloop.posix.Stat;
import rloop.posix.Stdlib;
import rloop.posix.SysPoll;
import rloop.posix.SysStat;

/**
 * The {@code poll(2)} of every Unix: each poll costs time for each descriptor that is watched.
 *
 * <p>The kernel wants a dense array, so a descriptor that is removed is replaced by the last one.
 * Slot 0 is the waker's, which makes 0 the slot of descriptors that are not watched.
 *
 * <p>The kernel looks at whatever file has a number. So which file it was is kept beside it, and
 * what has been closed is let go as soon as it is noticed, as epoll does by itself.
 *
 * <p>Who watches a descriptor while another thread polls changes the array: so the kernel is given
 * a copy, and there is a monitor, in which nothing waits.
 */
final class Poll extends WakeablePoller {
  private static final int WAKER_SLOT = 0;
  private static final int UNWATCHED = 0;
  private static final int FIRST_CAPACITY = 64;
  private static final int BROKEN = POLLERR | POLLHUP;
  private static final long NO_FILE = -1;

  /** By slot, the first {@code size} of them in use. */
  private long fds = Stdlib.calloc(FIRST_CAPACITY, Pollfd.SIZE);

  /** By slot; as long as {@code fds}. */
  private long[] keys = new long[FIRST_CAPACITY];

  /** By slot: which file was added, as {@link #fileOf} says. */
  private long[] files = new long[FIRST_CAPACITY];

  /** By descriptor. */
  private int[] slots = new int[FIRST_CAPACITY];

  private int size = WAKER_SLOT + 1;

  /** What the kernel is asked, the first {@code askedSize} of the arrays above: the poll's own. */
  private long asked = Stdlib.calloc(FIRST_CAPACITY, Pollfd.SIZE);

  private long[] askedKeys = new long[FIRST_CAPACITY];
  private int askedSize;

  /** Where the next search for ready descriptors starts: where the last one ended. */
  private int nextSlot = WAKER_SLOT + 1;

  private final long stat = Stdlib.calloc(1, Stat.ROOM);
  private boolean closed;

  private Poll(Waker waker) {
    super(waker, "poll");
    Pollfd.put(fds, WAKER_SLOT, waker.fd(), POLLIN);
  }

  static Poll open() {
    WakeFd wakeFd = WakeFd.open();
    try {
      return new Poll(new Waker(wakeFd));
    } catch (OutOfMemoryError e) {
      wakeFd.close();
      throw e;
    }
  }

  @Override
  public synchronized int add(int fd, int interest, long key) {
    checkOpen();
    long file = fileOf(fd);
    if (file == NO_FILE) {
      return -EBADF;
    }
    int slot = slot(fd);
    if (slot != UNWATCHED) {
      if (files[slot] == file) {
        return -EEXIST;
      }
      release(slot);
    }
    growTo(fd);
    Pollfd.put(fds, size, fd, eventsOf(interest));
    keys[size] = key;
    files[size] = file;
    slots[fd] = size++;
    return 0;
  }

  /**
   * Something that differs from file to file, or {@link #NO_FILE} for a number that is not open.
   * Those without an inode of their own, as eventfds, are all one.
   */
  private long fileOf(int fd) {
    return SysStat.fstat(fd, stat) < 0
        ? NO_FILE
        : Stat.inode(stat) ^ (long) Stat.device(stat) << Integer.SIZE;
  }

  private void growTo(int fd) {
    if (size == keys.length) {
      long[] largerKeys = Arrays.copyOf(keys, 2 * size);
      files = Arrays.copyOf(files, 2 * size);
      fds = Stdlib.realloc(fds, 2L * size * Pollfd.SIZE);
      keys = largerKeys;
    }
    if (fd >= slots.length) {
      slots = Arrays.copyOf(slots, Math.max(fd + 1, 2 * slots.length));
    }
  }

  @Override
  public synchronized int modify(int fd, int interest, long key) {
    checkOpen();
    int slot = slot(fd);
    if (slot == UNWATCHED) {
      return -ENOENT;
    }
    long file = fileOf(fd);
    if (file != files[slot]) {
      release(slot);
      return file == NO_FILE ? -EBADF : -ENOENT;
    }
    Pollfd.put(fds, slot, fd, eventsOf(interest));
    keys[slot] = key;
    return 0;
  }

  @Override
  public synchronized int remove(int fd) {
    checkOpen();
    int slot = slot(fd);
    if (slot == UNWATCHED) {
      return -ENOENT;
    }
    release(slot);
    return 0;
  }

  private void release(int slot) {
    int fd = Pollfd.fd(fds, slot);
    size--;
    Pollfd.move(fds, size, slot);
    keys[slot] = keys[size];
    files[slot] = files[size];
    slots[Pollfd.fd(fds, slot)] = slot;
    slots[fd] = UNWATCHED; // in this order: it may be the last one itself
  }

  @Override
  public synchronized boolean reopen() {
    checkOpen();
    while (size > WAKER_SLOT + 1) {
      release(size - 1);
    }
    return true;
  }

  private int slot(int fd) {
    return fd >= 0 && fd < slots.length ? slots[fd] : UNWATCHED;
  }

  private static int eventsOf(int interest) {
    assert interest > 0 && interest <= (READ | WRITE) : interest;
    return ((interest & READ) != 0 ? POLLIN : 0) | ((interest & WRITE) != 0 ? POLLOUT : 0);
  }

  @Override
  int await(long timeoutNanos) {
    copy();
    return SysPoll.poll(asked, askedSize, Timeouts.milliseconds(timeoutNanos));
  }

  private synchronized void copy() {
    if (askedKeys.length < keys.length) {
      long[] larger = new long[keys.length];
      asked = Stdlib.realloc(asked, larger.length * Pollfd.SIZE);
      askedKeys = larger;
    }
    System.arraycopy(keys, 0, askedKeys, 0, size);
    Memory.copy(fds, asked, size * Pollfd.SIZE);
    askedSize = size;
  }

  /** Goes round from where the last search ended, so that nobody starves when not all fit. */
  @Override
  void collect(int count) {
    int left = count;
    if (left > 0 && Pollfd.revents(asked, WAKER_SLOT) != 0) {
      waker.drain();
      left--;
    }
    while (left > 0 && !ready.isFull()) {
      if (nextSlot >= askedSize) {
        nextSlot = WAKER_SLOT + 1;
      }
      int found = Pollfd.revents(asked, nextSlot);
      if (found != 0) {
        if (isStillThere(Pollfd.fd(asked, nextSlot))) {
          ready.add(askedKeys[nextSlot], readiness(Pollfd.events(asked, nextSlot), found));
        }
        left--;
      }
      nextSlot++;
    }
  }

  /** Whether the number is that of the file that was added; otherwise lets it go. */
  private synchronized boolean isStillThere(int fd) {
    int slot = slot(fd);
    if (slot == UNWATCHED) {
      return false;
    }
    boolean isSame = fileOf(fd) == files[slot];
    if (!isSame) {
      release(slot);
    }
    return isSame;
  }

  private static int readiness(int asked, int found) {
    int readable = (found & (POLLIN | BROKEN)) != 0 && (asked & POLLIN) != 0 ? READ : 0;
    int writable = (found & (POLLOUT | BROKEN)) != 0 && (asked & POLLOUT) != 0 ? WRITE : 0;
    return readable | writable;
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    waker.close();
    Stdlib.free(fds);
    Stdlib.free(asked);
    Stdlib.free(stat);
  }

  @Override
  void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the poller is closed");
    }
  }
}
