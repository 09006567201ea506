package rloop.loop;

/**
 * What time it is for timers, in seconds: on Linux exactly {@code time.monotonic()}, unless the
 * loop's {@code time} is one of Python's.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class LoopClock {
  /** A wait without an end, for a poller. */
  static final long FOREVER = -1;

  private static final double NANOS_PER_SECOND = 1e9;

  /** As {@code time.get_clock_info('monotonic').resolution}: what is due within it is due. */
  private static final double RESOLUTION = 1e-9;

  /** As asyncio's {@code MAXIMUM_SELECT_TIMEOUT}: a day, in seconds. */
  private static final double LONGEST_WAIT = 24 * 3600;

  /**
   * Timers that fall due within this many seconds share a wait: what asyncio and uvloop get by
   * rounding up to a millisecond, a quarter of it as late.
   */
  private static final double SHORTEST_WAIT = 250e-6;

  private boolean usesToldTime;
  private double toldTime;

  /** Made with its scheduler. */
  LoopClock() {}

  /** Whether the clock is one of Python's, by {@link #tellTime} alone. */
  public boolean usesToldTime() {
    return usesToldTime;
  }

  void useToldTime(boolean used) {
    usesToldTime = used;
  }

  /** What time it is, in seconds. */
  public void tellTime(double seconds) {
    toldTime = seconds;
  }

  double now() {
    return at(System.nanoTime());
  }

  /** What time it was when {@link System#nanoTime} was that. */
  private double at(long nanoTime) {
    return usesToldTime ? toldTime : nanoTime / NANOS_PER_SECOND;
  }

  /** What {@link System#nanoTime} is at that time, which isn't a told one. */
  static long nanoTime(double seconds) {
    return (long) (seconds * NANOS_PER_SECOND);
  }

  /** Which deadlines are due: those before. */
  double endOfDue(long nanoTime) {
    return at(nanoTime) + RESOLUTION;
  }

  /** How long to wait for a deadline, in nanoseconds. */
  long waitUntil(double deadline, long nanoTime) {
    double seconds = deadline - at(nanoTime);
    return seconds <= 0
        ? 0
        : (long) (Math.clamp(seconds, SHORTEST_WAIT, LONGEST_WAIT) * NANOS_PER_SECOND);
  }

  /** How long it is until a deadline; at most what is waited at once. */
  double secondsUntil(double deadline) {
    return Math.clamp(deadline - now(), 0, LONGEST_WAIT);
  }

  /** For a poller: negative for what is longer than the longest wait. */
  static long nanos(double seconds) {
    return seconds > LONGEST_WAIT ? FOREVER : (long) Math.ceil(seconds * NANOS_PER_SECOND);
  }
}
