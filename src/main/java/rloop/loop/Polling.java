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
    if (driver.hasEvents()) {
      dispatch(); // what the last batch had no room for
      if (scheduler.ready().hasPending()) {
        return false; // a poll now would tell of the same channels again
      }
    }
    long timeout = 0;
    if (scheduler.ready().hasPending() || stopping) {
      long now = System.nanoTime();
      time.works(now);
      if (!first
          && !stopping
          && ++batchesWithoutPoll < MOST_BATCHES_WITHOUT_POLL
          && now - lastPoll < LONGEST_WITHOUT_POLL_NANOS) {
        return false;
      }
      lastPoll = now;
      writes.startGathering(now);
    } else {
      timeout = scheduler.timeUntilFirstTimer();
    }
    batchesWithoutPoll = 0;
    boolean confirms = fdWatches.hasUnconfirmed();
    if (confirms && (timeout < 0 || timeout > CONFIRMED_AFTER_NANOS)) {
      timeout = CONFIRMED_AFTER_NANOS;
    }
    int count = timeout == 0 ? driver.poll(0) : await(timeout);
    if (count > 0) {
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

  /** Has the poller asked for those who wait again. */
  void confirm() {
    if (fdWatches.hasUnconfirmed()) {
      fdWatches.confirm();
    }
  }

  /** Asks the kernel, without the GIL, for so many nanoseconds; see {@link Driver#poll}. */
  int await(long timeout) {
    time.waitBegins();
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      return driver.poll(timeout);
    } finally {
      long now = System.nanoTime(); // what follows, as a wait for the GIL, is no rest
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
