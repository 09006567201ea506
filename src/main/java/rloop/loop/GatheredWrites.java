package rloop.loop;

import rloop.io.Fifo;

/**
 * Who has written something that is not sent yet.
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

  private final Fifo<Writer> writers = new Fifo<>();

  /** What waits was not written before. */
  private long since;

  /** Returns whether there is memory for one that waits. */
  boolean add(Writer writer) {
    try {
      writers.add(writer);
      return true;
    } catch (OutOfMemoryError e) {
      return false;
    }
  }

  /** Nothing waits; it is {@code now}. Who has just looked at the clock tells it here. */
  void startGathering(long now) {
    since = now;
  }

  /** Sends what may have waited for too long. Hot: called before each call of a batch. */
  void flushIfLate() {
    if (!writers.isEmpty()) {
      long now = System.nanoTime();
      if (now - since >= LONGEST_WAIT_NANOS) {
        flush();
        since = now;
      }
    }
  }

  /** Sends everything. What dies with it lets others in, who may write more, or send as well. */
  void flush() {
    Writer writer;
    while ((writer = writers.poll()) != null) {
      writer.flush();
    }
  }
}
