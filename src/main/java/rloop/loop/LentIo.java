package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.PyRuntime;
import rloop.io.Driver;
import rloop.io.relay.Notes;
import rloop.io.relay.Relay;

/**
 * A loop's I/O, which an I/O thread may have while Python runs a batch.
 *
 * <p>Whatever is asked of the driver takes it home first, but for writes, which wait in the {@link
 * Outbox}. The class {@link Relay} says what the I/O thread does with it.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class LentIo {
  /** A batch with so many deliveries takes longer than to wake the I/O thread. */
  private static final int LEAST_DELIVERIES = 4;

  /** Fewer endpoints are done sooner than other threads are awake. */
  private static final int LEAST_SHARED = 8;

  /** To send so much of a file takes longer than to wake another thread; in bytes. */
  private static final long LEAST_OF_FILE = 64 * 1024;

  /** A loop whose batches have become smaller than that is not busy any more after so many. */
  private static final int MOST_SMALL_BATCHES = 8;

  /** So long a busy loop leaves waiting for events to the I/O thread. */
  private static final long LONGEST_WAIT_NANOS = 1_000_000;

  private final EventLoop loop;
  private final int leastDeliveries;
  private final long leastOfFile;
  private final @Nullable Relay relay;
  private final Outbox outbox = new Outbox();
  private final Visitors visitors = new Visitors();

  /** How many have called {@link #hold}. */
  private int holders;

  /** How many batches in a row were too small to be worth it; none were worth it yet. */
  private int smallBatches = MOST_SMALL_BATCHES;

  LentIo(EventLoop loop, Driver driver, Lending lending, int threads) {
    this.loop = loop;
    this.leastDeliveries = lending == Lending.ALWAYS ? 0 : LEAST_DELIVERIES;
    this.leastOfFile = lending == Lending.ALWAYS ? 0 : LEAST_OF_FILE;
    int leastShared = lending == Lending.ALWAYS ? 1 : LEAST_SHARED;
    this.relay = lending == Lending.NEVER ? null : new Relay(driver, threads, leastShared);
  }

  /** Where what happens on an I/O thread is noted of a share; null if there never is one. */
  public @Nullable Notes notes(int share) {
    return relay == null ? null : relay.notes(share);
  }

  /** What is written while {@link #isLent}. */
  public Outbox outbox() {
    return outbox;
  }

  /** Whether the driver is out of reach. */
  public boolean isLent() {
    return relay != null && relay.isLent();
  }

  /** Whether something waits, or may, while the driver is lent. */
  boolean hasUnsent() {
    return !outbox.isEmpty() || (relay != null && !relay.isDone());
  }

  /** Whether batches have been worth waking another thread: they took longer than that. */
  boolean isBusy() {
    return smallBatches < MOST_SMALL_BATCHES && mayLend();
  }

  /** Whether nobody keeps the driver at home, or is in the middle of using it. */
  private boolean mayLend() {
    return relay != null && holders == 0 && loop.gathers() && !visitors.areInside();
  }

  /** Whether the loop is busy, now that its next batch delivers to so many. */
  boolean isWorthLending(int deliveries) {
    smallBatches =
        deliveries >= leastDeliveries ? 0 : Math.min(smallBatches + 1, MOST_SMALL_BATCHES);
    return isBusy();
  }

  /** Whether so many bytes of a file are sent by another thread, where there is one. */
  public boolean isWorthLending(long ofFile) {
    return relay != null && ofFile >= leastOfFile;
  }

  /** Lends the driver, which is at home. */
  void lend() {
    if (relay != null) {
      relay.lend(0);
    }
  }

  /**
   * Has the I/O thread send what is queued and wait for events, for a loop that is busy but has
   * nothing to do just now: its own thread would have to send and receive all that comes then.
   *
   * @param timeoutNanos the longest time; negative: any
   */
  void waitAway(long timeoutNanos) {
    if (relay != null) {
      boolean isLong = timeoutNanos < 0 || timeoutNanos > LONGEST_WAIT_NANOS;
      relay.lend(isLong ? LONGEST_WAIT_NANOS : timeoutNanos);
      takeHome(relay);
    }
  }

  /** The loop has nothing to do, and waits at home. */
  void calm() {
    smallBatches = MOST_SMALL_BATCHES;
  }

  /**
   * Takes the driver home, and what happened meanwhile into the pending batch. On another thread
   * than the loop's it stays there until the method that asked for it ends.
   */
  public void takeHome() {
    if (relay != null) {
      if (!loop.gathers()) {
        visitors.come(); // before others are let in
      }
      if (relay.isLent()) {
        relay.interrupt();
        takeHome(relay);
      }
    }
  }

  private void takeHome(Relay relay) {
    if (!relay.isDoneSoon()) {
      long threadState = PyRuntime.PyEval_SaveThread();
      try {
        relay.awaitDone();
      } finally {
        PyRuntime.PyEval_RestoreThread(threadState);
      }
    }
    if (relay.isLent()) { // or another thread has taken it home meanwhile
      try {
        relay.takeHome();
      } finally {
        outbox.empty(); // before anything is written past it
      }
    }
  }

  /** Takes the driver home and keeps it there, until everybody who does so lets it go. */
  public void hold(boolean hold) {
    takeHome();
    holders += hold ? 1 : -1;
  }

  /** Ends the I/O thread; the driver is at home. */
  void close() {
    if (relay != null) {
      relay.close();
    }
  }
}
