package rloop.io.poll;

import static rloop.posix.Constants.EFD_CLOEXEC;
import static rloop.posix.Constants.EFD_NONBLOCK;

import rloop.ffi.Memory;
import rloop.posix.ErrnoException;
import rloop.posix.SysEventfd;
import rloop.posix.Unistd;

/**
 * A wake-up by a counter in the kernel: one descriptor, and one read empties it.
 *
 * @param fd the descriptor
 */
record Eventfd(int fd) implements WakeFd {
  /** The 1 that every signal adds. */
  private static final long ONE = one();

  /** Where counters are read to. Nobody looks, so that all threads can share it. */
  private static final long COUNT = Memory.allocate(Long.BYTES);

  static Eventfd open() {
    int fd = ErrnoException.check("eventfd", SysEventfd.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    try {
      return new Eventfd(fd);
    } catch (OutOfMemoryError e) {
      Unistd.close(fd);
      throw e;
    }
  }

  /** The counter holds 2^64 - 2 signals: a write can't fail for want of room. */
  @Override
  public void signal() {
    Unistd.write(fd, ONE, Long.BYTES);
  }

  @Override
  public void drain() {
    Unistd.read(fd, COUNT, Long.BYTES);
  }

  @Override
  public void close() {
    Unistd.close(fd);
  }

  private static long one() {
    long address = Memory.allocate(Long.BYTES);
    Memory.putLong(address, 1);
    return address;
  }
}
