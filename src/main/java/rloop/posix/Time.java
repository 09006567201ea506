package rloop.posix;

import rloop.ffi.SystemCall;

/** {@code <time.h>}. */
public final class Time {
  private static final SystemCall CLOCK = SystemCall.of("clock");

  private Time() {}

  /**
   * The CPU time that the process has taken, in microseconds (POSIX's {@code CLOCKS_PER_SEC}).
   *
   * @see <a href="https://man7.org/linux/man-pages/man3/clock.3.html">clock(3)</a>
   */
  public static long clock() {
    return CLOCK.call();
  }
}
