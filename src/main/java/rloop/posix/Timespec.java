package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct timespec}: seconds and nanoseconds.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/timespec.3type.html">timespec(3type)</a>
 */
public final class Timespec {
  /** {@code time_t tv_sec}. */
  private static final long SECONDS = 0;

  /** {@code long tv_nsec}. */
  private static final long NANOSECONDS = SECONDS + Long.BYTES;

  public static final long SIZE = NANOSECONDS + Long.BYTES;

  private static final long NANOSECONDS_PER_SECOND = 1_000_000_000;

  private Timespec() {}

  public static void put(long timespec, long nanoseconds) {
    Memory.putLong(timespec + SECONDS, nanoseconds / NANOSECONDS_PER_SECOND);
    Memory.putLong(timespec + NANOSECONDS, nanoseconds % NANOSECONDS_PER_SECOND);
  }
}
