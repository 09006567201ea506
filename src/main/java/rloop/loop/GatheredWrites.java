package rloop.loop;

import rloop.io.Driver;

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
  /**
   * Most batches are over by then. Those that take longer lose nothing: what gathering saves is
   * that Python's code and the kernel's drive each other from the caches with each write, and not a
   * few thousand times a second.
   */
  private static final long LONGEST_WAIT_NANOS = 250_000;

  private final Driver driver;

  /** What waits was not written before. */
  private long since;

  GatheredWrites(Driver driver) {
    this.driver = driver;
  }

  /** Nothing waits; it is {@code now}. Who has just looked at the clock tells it here. */
  void startGathering(long now) {
    since = now;
  }

  /** Sends what may have waited for too long. Hot: called before each call of a batch. */
  void flushIfLate() {
    if (driver.hasWriters() && areLate()) {
      driver.flush();
    }
  }

  /** Whether something may have waited for too long; nothing has from now on. */
  boolean areLate() {
    long now = System.nanoTime();
    boolean areLate = now - since >= LONGEST_WAIT_NANOS;
    if (areLate) {
      since = now;
    }
    return areLate;
  }
}
