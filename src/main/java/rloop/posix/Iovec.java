package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct iovec}: a stretch of memory.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/iovec.3type.html">iovec(3type)</a>
 */
public final class Iovec {
  /** {@code void *iov_base}. */
  private static final long BASE = 0;

  /** {@code size_t iov_len}. */
  private static final long LENGTH = BASE + Long.BYTES;

  public static final long SIZE = LENGTH + Long.BYTES;

  private Iovec() {}

  /** Fills one element of an array. */
  public static void put(long array, int index, long base, long length) {
    long element = array + index * SIZE;
    Memory.putLong(element + BASE, base);
    Memory.putLong(element + LENGTH, length);
  }

  public static long base(long array, int index) {
    return Memory.getLong(array + index * SIZE + BASE);
  }

  public static long length(long array, int index) {
    return Memory.getLong(array + index * SIZE + LENGTH);
  }
}
