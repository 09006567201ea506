package rloop.loop;

/**
 * When what was written and is not sent yet leaves.
 *
 * <p>All that a batch writes is sent when it is over, or earlier if that takes long: how long the
 * next call takes nobody can tell, so the clock is looked at before each, as long as something
 * waits. Then nothing waits for longer than {@link #LONGEST_WAIT_NANOS} and one call.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class GatheredWrites {
  /** How late something is: so that somebody else may send it, or that it must leave now. */
  enum Lateness {
    NONE,
    LATE,
    OVERDUE
  }

  /**
   * Most batches are over by then. Those that take longer lose nothing: what gathering saves is
   * that Python's code and the kernel's drive each other from the caches with each write, and not a
   * few thousand times a second.
   */
  private static final long LONGEST_WAIT_NANOS = 250_000;

  /** A call that takes so long is itself what others wait for. */
  private static final long LONG_CALL_NANOS = 1_000_000;

  /** What waits was not written before. */
  private long since;

  GatheredWrites() {}

  /** Nothing waits; it is {@code now}. Who has just looked at the clock tells it here. */
  void startGathering(long now) {
    since = now;
  }

  /**
   * How late what waits may be; nothing waits from now on, if it is. Hot: asked before each call of
   * a batch that something waits in.
   */
  Lateness lateness() {
    long now = System.nanoTime();
    long waited = now - since;
    if (waited < LONGEST_WAIT_NANOS) {
      return Lateness.NONE;
    }
    since = now;
    return waited < LONG_CALL_NANOS ? Lateness.LATE : Lateness.OVERDUE;
  }
}
