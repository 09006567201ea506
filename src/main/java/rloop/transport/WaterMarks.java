package rloop.transport;

/**
 * How much a connection queues before its protocol is told to pause, and how little before it is
 * told to go on, in bytes.
 */
final class WaterMarks {
  /** As asyncio's; the low mark is a quarter of the high one. */
  private static final long DEFAULT_HIGH = 64 * 1024;

  private static final int LOW_DIVISOR = 4;

  private long high = DEFAULT_HIGH;
  private long low = DEFAULT_HIGH / LOW_DIVISOR;
  private boolean paused;

  long high() {
    return high;
  }

  long low() {
    return low;
  }

  void set(long high, long low) {
    this.high = high;
    this.low = low;
  }

  boolean isAbove(long queued) {
    return queued > high;
  }

  /** Whether the protocol is to be told to pause now; true once, until it resumes. */
  boolean pauses(long queued) {
    if (paused || queued <= high) {
      return false;
    }
    paused = true;
    return true;
  }

  /** The protocol pauses, for whatever reason. */
  void pause() {
    paused = true;
  }

  /** Whether the protocol waits, and so little is queued that it may go on. */
  boolean mayResume(long queued) {
    return paused && queued <= low;
  }

  /** Whether the protocol is to be told to go on now; true once, until it pauses. */
  boolean resumes(long queued) {
    boolean resumes = mayResume(queued);
    if (resumes) {
      paused = false;
    }
    return resumes;
  }
}
