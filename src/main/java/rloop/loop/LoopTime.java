package rloop.loop;

import org.jspecify.annotations.Nullable;

/**
 * How long a loop has worked and how long it has waited, by the clock readings that it makes anyway
 * and one before each wait.
 *
 * <p>All times are nanoseconds since a moment shortly before this was made, so that none is 0.
 *
 * <p>Thread rule: with the loop's lock, but {@link #waitEnds}, which its thread calls without: who
 * looks between the end of a wait and that call is told as waited what has passed since.
 */
final class LoopTime {
  private static final long NEVER = 0;

  private final long origin = System.nanoTime() - 1;

  /**
   * How long the loop has waited; as long as it waits, less the time when that began. Only then is
   * it negative: nobody has waited for as long as there is time.
   */
  private long waited;

  /** The most that anybody was told of it. */
  private long waitedTold;

  /** How long the runs that are over took. */
  private long ran;

  private long runStart = NEVER;

  /** When the loop last looked at the clock. */
  private long lastLook;

  private long longestStretch;

  /** When the stretch of work began that was the last to end. */
  private long stretchStart;

  /** While there are monitors, who are told. */
  private @Nullable Monitoring monitoring;

  void tell(@Nullable Monitoring monitoring) {
    this.monitoring = monitoring;
  }

  private long since(long nanoTime) {
    return nanoTime - origin;
  }

  /** A run begins; one that was interrupted may have begun already. */
  void runBegins() {
    if (runStart == NEVER) {
      runStart = since(System.nanoTime());
      lastLook = runStart;
      if (monitoring != null) {
        monitoring.runBegins(runStart + origin);
      }
    }
  }

  /** The run is over, if there is one. */
  void runEnds() {
    if (runStart != NEVER) {
      long now = since(System.nanoTime());
      looked(now);
      ran += now - runStart;
      runStart = NEVER;
    }
  }

  /** The loop has looked at the clock, {@link System#nanoTime}, between two batches. */
  void works(long nanoTime) {
    looked(since(nanoTime));
  }

  private void looked(long now) {
    longestStretch = Math.max(longestStretch, now - lastLook);
    stretchStart = lastLook;
    lastLook = now;
    if (monitoring != null) {
      monitoring.worked(now + origin);
    }
  }

  /** The loop begins to wait. */
  void waitBegins(long nanoTime) {
    long now = since(nanoTime);
    looked(now);
    if (monitoring != null) {
      monitoring.waitBegins();
    }
    waited -= now;
  }

  /** Whether the loop waits; also for other threads, with its lock. */
  boolean isWaiting() {
    return waited < 0;
  }

  /** The wait is over. */
  void waitEnds(long nanoTime) {
    lastLook = since(nanoTime);
    waited += lastLook;
    Monitoring monitoring = this.monitoring; // another thread may end it
    if (monitoring != null) {
      monitoring.waitEnds();
    }
  }

  /** The thread that has waited has the lock again. */
  void tellOfWait() {
    if (monitoring != null) {
      monitoring.waited(lastLook + origin);
    }
  }

  /** When the stretch of work began that was the last to end, by {@link System#nanoTime}. */
  long stretchStart() {
    return stretchStart + origin;
  }

  /**
   * How long the loop has waited until a moment, which was just now: a wait may end meanwhile. It
   * is never less than it was.
   */
  long waited(long nanoTime) {
    long now = since(nanoTime);
    long waited = this.waited;
    long untilNow = waited < 0 ? waited + now : waited - Math.max(lastLook - now, 0);
    waitedTold = Math.max(waitedTold, untilNow);
    return waitedTold;
  }

  /** How long the loop has run until a moment, waits included. */
  long ran(long nanoTime) {
    return runStart == NEVER ? ran : ran + since(nanoTime) - runStart;
  }

  /** The longest time from one look at the clock to the next, waits excluded. */
  long longestStretch(long nanoTime) {
    boolean works = runStart != NEVER && waited >= 0;
    return works ? Math.max(longestStretch, since(nanoTime) - lastLook) : longestStretch;
  }
}
