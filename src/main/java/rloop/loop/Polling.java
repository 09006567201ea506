package rloop.loop;

import rloop.cpython.api.PyRuntime;
import rloop.io.Driver;
import rloop.io.poll.Poller;

/**
 * When a loop asks the kernel, for how long, and how many of the events it hands out.
 *
 * <p>Thread rule: with the loop's lock; the driver is at home.
 */
final class Polling {
  /**
   * While calls are ready the kernel is asked again only after this time or that many batches: a
   * chain of {@code call_soon} would otherwise pay a system call for each link.
   */
  private static final long LONGEST_WITHOUT_POLL_NANOS = 50_000;

  private static final int MOST_BATCHES_WITHOUT_POLL = 16;

  /**
   * After batches as short as that the clock isn't looked at for the next ones either, where no
   * timer waits: a look takes as long as half a call of a chain.
   */
  private static final long SHORT_NANOS = 5_000;

  private static final int MOST_BATCHES_WITHOUT_LOOK = 3;

  /** In place of a time. */
  private static final long UNKNOWN = 0;

  /**
   * An idle loop asks the poller for those who wait again ({@link FdWatch}) after that. A shorter
   * time makes each wait of a busy loop a tenth dearer: the kernel has to set the clock for it.
   */
  private static final long CONFIRMED_AFTER_NANOS = 10_000_000;

  /** A busy loop does after so many polls. */
  private static final int MOST_UNCONFIRMED_POLLS = 1000;

  /** An event leads to no more, but for what waits for a future: a batch of datagrams. */
  private static final int MOST_CALLS_AN_EVENT = 32;

  private final Scheduler scheduler;
  private final Driver driver;
  private final FdWatches fdWatches;
  private final Deliveries deliveries;
  private final GatheredWrites writes;
  private final LoopTime time;

  private long lastPoll;
  private int batchesWithoutPoll;

  /** When the loop looked at the clock last, by {@link System#nanoTime}. */
  private long lastLook;

  private int batchesWithoutLook;

  /** What time it is, if nothing has happened since the loop looked. */
  private long now;

  private int pollsUnconfirmed;

  Polling(
      Scheduler scheduler,
      Driver driver,
      FdWatches fdWatches,
      Deliveries deliveries,
      GatheredWrites writes,
      LoopTime time) {
    this.scheduler = scheduler;
    this.driver = driver;
    this.fdWatches = fdWatches;
    this.deliveries = deliveries;
    this.writes = writes;
    this.time = time;
  }

  /** Counts a poll of somebody else's; returns whether it is time for one of the loop's own. */
  boolean isDueAtHome() {
    return ++pollsUnconfirmed >= MOST_UNCONFIRMED_POLLS;
  }

  /** Returns whether a signal arrived, whose handler Python runs between two batches. */
  boolean pollIfDue(boolean first, boolean stopping) {
    now = UNKNOWN;
    if (driver.hasEvents()) {
      dispatch(); // what the last batch had no room for
      if (scheduler.ready().hasPending()) {
        return false; // a poll now would tell of the same channels again
      }
    }
    boolean hasCalls = scheduler.ready().hasPending() || stopping;
    boolean mustPoll = first || stopping || ++batchesWithoutPoll >= MOST_BATCHES_WITHOUT_POLL;
    if (hasCalls && !mustPoll && batchesWithoutLook > 0 && scheduler.timerCount() == 0) {
      batchesWithoutLook--;
      return false;
    }
    look();
    long timeout = 0;
    if (hasCalls) {
      time.works(now);
      if (!mustPoll && now - lastPoll < LONGEST_WITHOUT_POLL_NANOS) {
        return false;
      }
      lastPoll = now;
      writes.startGathering(now);
    } else {
      timeout = scheduler.timeUntilFirstTimer(now);
    }
    batchesWithoutPoll = 0;
    boolean confirms = fdWatches.hasUnconfirmed();
    if (confirms && (timeout < 0 || timeout > CONFIRMED_AFTER_NANOS)) {
      timeout = CONFIRMED_AFTER_NANOS;
    }
    int count = timeout == 0 ? driver.poll(0) : await(timeout, now);
    if (count > 0) {
      now = UNKNOWN; // by the time they are handed out
      dispatch();
      driver.dropStrays();
    }
    if (!confirms) {
      pollsUnconfirmed = 0;
    } else if ((count == 0 && timeout != 0) || ++pollsUnconfirmed >= MOST_UNCONFIRMED_POLLS) {
      pollsUnconfirmed = 0;
      fdWatches.confirm();
    }
    return count == Poller.INTERRUPTED;
  }

  private void look() {
    now = System.nanoTime();
    batchesWithoutLook = now - lastLook < SHORT_NANOS ? MOST_BATCHES_WITHOUT_LOOK : 0;
    lastLook = now;
  }

  /** Schedules the timers that are due. */
  void expireTimers() {
    if (scheduler.timerCount() > 0) {
      scheduler.expireTimers(now == UNKNOWN ? System.nanoTime() : now, time.stretchStart());
    }
  }

  /** Has the poller asked for those who wait again. */
  void confirm() {
    if (fdWatches.hasUnconfirmed()) {
      fdWatches.confirm();
    }
  }

  /**
   * Asks the kernel, without the GIL, for so many nanoseconds; see {@link Driver#poll}.
   *
   * @param begin what time it is
   */
  int await(long timeout, long begin) {
    time.waitBegins(begin);
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      return driver.poll(timeout);
    } finally {
      now = System.nanoTime(); // what follows, as a wait for the GIL, is no rest
      time.waitEnds(now);
      PyRuntime.PyEval_RestoreThread(threadState);
      time.tellOfWait();
      lastPoll = now; // it was asked all the while
      writes.startGathering(now);
    }
  }

  /** Hands out events until the batch is full: whoever has much to read keeps nobody waiting. */
  void dispatch() {
    while (driver.hasEvents()
        && !deliveries.areFull()
        && scheduler.hasRoom(MOST_CALLS_AN_EVENT)) { // or what is read could not be delivered
      deliveries.reserve();
      driver.dispatchNext();
    }
  }
}
