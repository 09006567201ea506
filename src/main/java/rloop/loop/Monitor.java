package rloop.loop;

/**
 * How long calls take, how late they start, and how long what comes would have to wait for the
 * loop.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class Monitor {
  /** A delay is looked at so often in one stretch at most, and then less often. */
  private static final long MOST_TICKS = 10_000;

  final int number;

  /** Calls that take so long are reported, in nanoseconds. */
  final long threshold;

  private final long resolution;
  private final Histogram durations = new Histogram();
  private final Histogram schedulingDelays = new Histogram();
  private final Histogram loopDelays = new Histogram();

  /** When the next of those comes for whom the loop's delay is told. */
  private long nextTick;

  Monitor(int number, long threshold, long resolution) {
    this.number = number;
    this.threshold = threshold;
    this.resolution = resolution;
  }

  /** A call was ready, started and ended. Hot. */
  void called(long ready, long started, long ended) {
    durations.record(ended - started);
    schedulingDelays.record(started - ready);
  }

  /** A run begins: time goes on. */
  void runBegins(long now) {
    nextTick = now + resolution;
  }

  /** The loop asked for nothing from one moment to the other: who came had to wait. */
  void worked(long until) {
    long ticks = ticksUntil(until);
    long together = Math.max(ticks / MOST_TICKS, 1);
    for (long left = ticks; left > 0; left -= together) {
      loopDelays.record(until - nextTick, Math.min(together, left));
      nextTick += Math.min(together, left) * resolution;
    }
  }

  /** The loop waited: who came was let in at once. */
  void waited(long until) {
    long ticks = ticksUntil(until);
    if (ticks > 0) {
      loopDelays.record(0, ticks);
      nextTick += ticks * resolution;
    }
  }

  /** How many have come until a moment. */
  private long ticksUntil(long moment) {
    return moment < nextTick ? 0 : (moment - nextTick) / resolution + 1;
  }

  void reset() {
    durations.reset();
    schedulingDelays.reset();
    loopDelays.reset();
  }

  /** The three histograms, in the order of their fields here. */
  long[][] snapshot() {
    return new long[][] {durations.snapshot(), schedulingDelays.snapshot(), loopDelays.snapshot()};
  }
}
