package rloop.io.relay;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import rloop.io.Driver;
import rloop.io.IoCounters;
import rloop.io.IoThread;
import rloop.io.SharedStep;

/**
 * A thread of Java's that does a loop's I/O while the loop's own thread runs Python.
 *
 * <pre>
 *            lend()              a step is done           takeHome()
 *   HOME ────────────► LENT ──────────────────► DONE ────────────────► HOME
 *     └── close() ──► CLOSED
 * </pre>
 *
 * <p>The driver belongs to the loop's thread in HOME and DONE, to the I/O thread in LENT. A step
 * sends what was queued, polls, and reads. While Python runs it doesn't wait for events: so it ends
 * by itself, soon, and who wants the driver back has nobody to interrupt. The state is what hands
 * all else over: it is written last, and read first.
 *
 * <p>Thread rule: with the loop's lock, but for {@link #awaitDone}, which waits without.
 */
public final class Relay {
  private enum State {
    HOME,
    LENT,
    DONE,
    CLOSED
  }

  /** Who waits looks that often before it sleeps: to be woken takes longer, and a system call. */
  private static final int SPINS = 50;

  private static final long LONGEST_SLEEP_NANOS = 1_000_000;

  private final Driver driver;
  private final Notes[] notes;
  private final @Nullable Crew crew;
  private final SharedStep shared;
  private final int leastShared;
  private final Thread thread;
  private volatile State state = State.HOME;

  /** How long the step waits for events, in nanoseconds; handed over by the state. */
  private long wait;

  /** Whether the I/O thread sleeps, or is about to. */
  private volatile boolean isAsleep;

  /** Who sleeps until a step is done. */
  private volatile @Nullable Thread waiter;

  private @Nullable Throwable failure;

  /**
   * Starts the threads.
   *
   * @param threads how many, at least one: as many as the driver has shares
   * @param leastShared one thread does what is to be done for fewer endpoints than that
   */
  public Relay(Driver driver, int threads, int leastShared) {
    this(driver, leastShared, notesOf(threads));
  }

  private static Notes[] notesOf(int threads) {
    Notes[] notes = new Notes[threads];
    Arrays.setAll(notes, share -> new Notes());
    return notes;
  }

  /** With notes of other sizes. */
  Relay(Driver driver, int leastShared, Notes[] notes) {
    int threads = notes.length;
    this.driver = driver;
    this.leastShared = leastShared;
    this.notes = notes;
    this.shared = new SharedStep(driver, (share, turn) -> notes[share].begin(turn));
    this.crew = threads == 1 ? null : new Crew(threads);
    this.thread = new IoThread(this::run);
    thread.start();
  }

  /** Where the endpoints of a share note what happens. */
  public Notes notes(int share) {
    return notes[share];
  }

  private void takeNotes(boolean areTaken) {
    for (Notes ofShare : notes) {
      ofShare.take(areTaken);
    }
  }

  // ---- the loop's side -----------------------------------------------------------------------

  /** Whether the driver has to be taken home before it is used. */
  public boolean isLent() {
    return state == State.LENT || state == State.DONE;
  }

  /**
   * Has the I/O thread take a step.
   *
   * @param waitNanos how long it may wait for events, if there are none
   */
  public void lend(long waitNanos) {
    takeNotes(true);
    wait = waitNanos;
    driver.lend(true);
    state = State.LENT;
    if (isAsleep) {
      LockSupport.unpark(thread);
    }
  }

  /** Lets a step that waits for events end; for any thread. */
  public void interrupt() {
    if (wait != 0 && state == State.LENT) {
      driver.wakeUp();
    }
  }

  /** Whether the step is done. */
  public boolean isDone() {
    return state != State.LENT;
  }

  /** Whether the step is done, or is within microseconds. */
  public boolean isDoneSoon() {
    for (int i = 0; i < SPINS; i++) {
      if (isDone()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  /** Waits until the step is done; without the loop's lock. */
  public void awaitDone() {
    waiter = Thread.currentThread();
    while (state == State.LENT) {
      LockSupport.parkNanos(this, LONGEST_SLEEP_NANOS); // or forever, where two wait at once
    }
    waiter = null;
  }

  /**
   * Takes the driver back, after a step, and tells what happened.
   *
   * @throws IllegalStateException if the I/O thread has failed; everything was told before
   */
  public void takeHome() {
    driver.lend(false);
    takeNotes(false);
    state = State.HOME;
    Throwable thrown = failure;
    failure = null;
    Notes.retell(notes);
    if (thrown != null) {
      throw new IllegalStateException("the I/O thread has failed", thrown);
    }
  }

  /** Ends the thread; the driver is at home. */
  public void close() {
    state = State.CLOSED;
    LockSupport.unpark(thread);
    if (crew != null) {
      crew.close();
    }
    for (Notes ofShare : notes) {
      ofShare.close();
    }
  }

  // ---- the I/O thread's side -----------------------------------------------------------------

  private void run() {
    while (awaitStep()) {
      long started = System.nanoTime();
      try {
        step();
      } catch (Throwable thrown) { // told by takeHome()
        failure = thrown;
      }
      counters().workedSince(started);
      state = State.DONE;
      Thread waiting = waiter;
      if (waiting != null) {
        LockSupport.unpark(waiting);
      }
    }
  }

  /** Returns whether there is a step to take; false at the end. */
  private boolean awaitStep() {
    for (int i = 0; i < SPINS; i++) {
      if (state == State.LENT) {
        return true;
      }
      Thread.onSpinWait();
    }
    isAsleep = true;
    while (state != State.LENT && state != State.CLOSED) {
      LockSupport.park(this);
    }
    isAsleep = false;
    return state == State.LENT;
  }

  private void step() {
    flush();
    if (!driver.hasEvents()) { // else the last poll's come first: nobody waits for ever
      poll();
    }
    if (crew != null) {
      receive(crew);
      return;
    }
    while (driver.hasEvents() && notes[0].hasRoom()) {
      driver.dispatchNext();
    }
  }

  private void poll() {
    if (wait == 0) {
      var _ = driver.poll(0);
      return;
    }
    long started = System.nanoTime();
    var _ = driver.poll(wait);
    counters().waitedSince(started);
  }

  private IoCounters counters() {
    return driver.countersLent()[0];
  }

  private void flush() {
    if (crew == null) {
      driver.flush();
    } else {
      share(crew, shared.collectWriters(), shared::send);
      shared.settleWriters();
    }
  }

  /** Who finds no room for what it has is found ready again by the next poll. */
  private void receive(Crew crew) {
    share(crew, shared.collectReady(), shared::receive);
    shared.settleReady();
  }

  /** Does all shares of what is to be done for so many endpoints. */
  private void share(Crew crew, int endpoints, IntConsumer work) {
    if (endpoints >= leastShared) {
      crew.share(work);
      return;
    }
    for (int share = 0; share < notes.length; share++) {
      work.accept(share);
    }
  }
}
