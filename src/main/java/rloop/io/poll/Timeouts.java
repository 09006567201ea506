package rloop.io.poll;

/** Time-outs as the older system calls take them. */
final class Timeouts {
  private static final long NANOSECONDS_PER_MILLISECOND = 1_000_000;

  private Timeouts() {}

  /**
   * Milliseconds, rounded up: rounding down would end waits early, and make a loop spin through the
   * last millisecond before a timer. Below 0 stays below 0.
   */
  static int milliseconds(long nanoseconds) {
    if (nanoseconds <= 0) {
      return nanoseconds < 0 ? -1 : 0;
    }
    long milliseconds = (nanoseconds - 1) / NANOSECONDS_PER_MILLISECOND + 1;
    return (int) Math.min(milliseconds, Integer.MAX_VALUE);
  }
}
