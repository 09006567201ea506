package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.Driver;
import rloop.io.poll.Poller;

/**
 * What one thread does for a loop, round by round: it runs what is ready, asks the kernel, and
 * looks which timers are due. {@link #next} is the whole of it, call by call.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class Iteration {
  private final EventLoop loop;
  private final Scheduler scheduler;
  private final ReadyQueue ready;
  private final Driver driver;
  private final LentIo io;
  private final Deliveries deliveries;
  private final GatheredWrites writes = new GatheredWrites();
  private final Polling polling;
  private final LoopCounters counters;
  private final LoopTime time;
  private final Monitors monitors;

  private @Nullable Thread runner;
  private boolean startingRun;
  private boolean stopping;
  private boolean modeChanged;

  /** Polled, but the time was not told since: next come the timers that are due. */
  private boolean polled;

  /** The time was told since the last batch. */
  private boolean told;

  /** Python asks the poller, see {@link #poll}. */
  private boolean waitsInPython;

  /** Python was asked to wait, and what it has found was not handed out. */
  private boolean waited;

  /** There was something to do before it was asked. */
  private boolean hadCalls;

  /** The last batch of a busy loop had calls that took so long that others wait for them. */
  private boolean callsWereLong;

  /** A thread makes the next batch: it waits, or lets others in. */
  private boolean isMakingBatch;

  /** Of a loop; {@code driver} is the one that {@code io} lends. */
  Iteration(EventLoop loop, Driver driver, Deliveries deliveries, LoopTime time) {
    this.loop = loop;
    this.scheduler = loop.scheduler();
    this.ready = scheduler.ready();
    this.driver = driver;
    this.io = loop.io();
    this.deliveries = deliveries;
    this.polling = new Polling(scheduler, driver, loop.fdWatches(), deliveries, writes, time);
    this.counters = loop.counters();
    this.time = time;
    this.monitors = loop.monitors();
  }

  /** A run begins: its first batch is made even if the loop is to stop. */
  public void startRun() {
    runner = Thread.currentThread();
    startingRun = true;
    modeChanged = false;
    time.runBegins();
  }

  /** A run ended by an exception; a stop that was asked for is forgotten with it, as in asyncio. */
  public void abandonRun() {
    time.runEnds();
    monitors.forgetRunning();
    loop.flush();
    runner = null;
    stopping = false;
    waited = false; // it may have been ended by who was to wait
  }

  /** Ends the run after the current batch. */
  public void stop() {
    stopping = true;
  }

  /** Whether {@link #stop} was called; whoever asks sees to it himself. */
  public boolean takeStop() {
    boolean taken = stopping;
    stopping = false;
    return taken;
  }

  /**
   * The next call, or 0 if the run is over or, while {@link #isRunning}, goes on after Python has
   * seen to signals or in another mode. {@code None} asks what time it is, where the time is told;
   * {@code False} asks Python to wait, where it does.
   *
   * <p>Hot while the batch has calls.
   */
  @Owned
  public long next() {
    if (monitors.areWatching()) {
      long report = monitors.ended();
      if (report != 0) {
        return report;
      }
    }
    if (ready.hasNext()) {
      if (io.isLent() ? io.hasUnsent() : driver.hasWriters()) {
        sendIfLate();
      }
      return start();
    }
    loop.checkOpen();
    if (isMakingBatch) {
      throw PyException.runtimeError("This event loop is already running");
    }
    isMakingBatch = true;
    try {
      return nextBatch();
    } finally {
      isMakingBatch = false;
    }
  }

  /** Starts the next call of the batch. Hot. */
  @Owned
  private long start() {
    long call = ready.next();
    if (monitors.areWatching()) {
      monitors.starts(call);
    }
    return call;
  }

  /**
   * An iteration, in asyncio's order: calls that were ready, then I/O, then timers. Where the time
   * is told, it is before the kernel is asked, and before the timers.
   */
  @Owned
  private long nextBatch() {
    boolean first = startingRun;
    startingRun = false;
    if (waited) {
      waited = false;
      polling.dispatch();
      driver.dropStrays();
      polled = true;
      return askForTime();
    }
    if (polled) {
      polled = false;
      polling.expireTimers();
      if (ready.hasPending()) {
        return startBatch();
      }
    }
    if (scheduler.clock().usesToldTime() && !first && !told && !modeChanged) {
      told = true;
      return askForTime();
    }
    told = false;
    finishBatch();
    if (io.isBusy()
        && !stopping
        && !modeChanged
        && !scheduler.clock().usesToldTime()
        && !polling.isDueAtHome()) { // the I/O thread polls as well
      return nextBatchOfBusy();
    }
    loop.flush();
    loop.letGo();
    if (stopping && !first) {
      return endRun();
    }
    if (modeChanged) {
      modeChanged = false;
      return 0;
    }
    if (scheduler.clock().usesToldTime()) {
      counters.iteration();
      if (waitsInPython) {
        waited = true;
        return Ref.take(PyObjects.Py_False);
      }
      polling.pollIfDue(first, stopping);
      polled = true;
      return askForTime();
    }
    boolean interrupted;
    do {
      counters.iteration();
      interrupted = polling.pollIfDue(first, stopping);
      loop.flush(); // what other threads have left to this one
      loop.letGo();
      polling.expireTimers();
    } while (!ready.hasPending() && !stopping && !interrupted);
    if (ready.hasPending()) {
      return startBatch();
    }
    return interrupted ? 0 : endRun();
  }

  /**
   * As {@link #nextBatch}, by a thread that runs only Python: what was written leaves meanwhile.
   */
  @Owned
  private long nextBatchOfBusy() {
    counters.iteration();
    if (callsWereLong) {
      driver.flush(); // long calls don't get shorter by what is sent beside them
    }
    long now = System.nanoTime();
    if (ready.hasPending()) {
      time.works(now);
    } else {
      time.waitBegins(now);
      io.waitAway(scheduler.timeUntilFirstTimer(now));
      now = System.nanoTime();
      time.waitEnds(now);
      time.tellOfWait();
    }
    scheduler.expireTimers(now, time.stretchStart());
    if (ready.hasPending()) {
      return startBatch();
    }
    io.calm();
    return 0; // a signal may have come to this thread meanwhile
  }

  @Owned
  private long startBatch() {
    loop.letGo();
    if (!stopping && io.isWorthLending(deliveries.pending())) {
      io.lend();
      writes.startGathering(System.nanoTime());
    }
    deliveries.startBatch();
    scheduler.startBatch();
    counters.batch(ready.batchSize());
    long call = start();
    loop.batchStarts(call);
    return call;
  }

  /** What the I/O thread was to send has left then; what was written since, it sends next. */
  private void sendIfLate() {
    loop.letGo(); // who is to go has something to send
    GatheredWrites.Lateness lateness = writes.lateness();
    if (lateness == GatheredWrites.Lateness.NONE) {
      return;
    }
    boolean isLent = io.isLent();
    io.takeHome();
    if (isLent
        && lateness == GatheredWrites.Lateness.LATE
        && !deliveries.areFull()
        && io.isBusy()) { // others may have been let in
      io.lend();
    } else {
      driver.flush();
    }
  }

  @Owned
  private static long askForTime() {
    return Ref.take(PyObjects.Py_None);
  }

  @Owned
  private long endRun() {
    runner = null;
    stopping = false;
    time.runEnds();
    scheduler.settleLastHandle();
    return 0;
  }

  /** Whether the batch has calls that have not started. */
  public boolean hasNext() {
    return ready.hasNext();
  }

  /** Whether a run has begun and not ended. */
  public boolean isRunning() {
    return runner != null;
  }

  /** In this order, data that was received and sent on can be given back to be filled again. */
  private void finishBatch() {
    scheduler.finishBatch();
    if (io.isBusy()) {
      deliveries.finishBatch();
      callsWereLong = writes.lateness() == GatheredWrites.Lateness.OVERDUE;
      io.takeHome();
    } else {
      loop.flush();
      deliveries.finishBatch();
      loop.flush(); // what a finaliser wrote while its protocol was let go
    }
  }

  /** How long Python is to wait, in seconds, or infinity. */
  public double timeToWait() {
    polling.confirm();
    hadCalls = ready.hasPending();
    return hadCalls || stopping || driver.hasEvents() ? 0 : scheduler.secondsUntilFirstTimer();
  }

  /**
   * What the {@code select} of the loop's selector is, for who has put another one in its place:
   * waits until there is something to do, and returns whether there is. As often as is wished.
   */
  public boolean poll(double seconds) {
    loop.checkOpen();
    if (isMakingBatch) {
      throw PyException.runtimeError("This event loop is already running");
    }
    isMakingBatch = true;
    try {
      loop.flush();
      if (hasFound()) {
        return true;
      }
      long timeout = LoopClock.nanos(seconds);
      int count = timeout == 0 ? driver.poll(0) : polling.await(timeout, System.nanoTime());
      return count == Poller.INTERRUPTED || hasFound(); // a signal is something as well
    } finally {
      isMakingBatch = false;
    }
  }

  private boolean hasFound() {
    return driver.hasEvents() || (ready.hasPending() && !hadCalls);
  }

  /** Whether a thread makes the next batch: it waits, or lets others in. */
  boolean isMakingBatch() {
    return isMakingBatch;
  }

  /** Whether this is the thread that runs the loop. */
  boolean isOfThisThread() {
    return runner == Thread.currentThread();
  }

  /** In another mode Python makes the calls in another way, from the next batch on. */
  void changeMode() {
    modeChanged = true;
  }

  /** Has Python ask the poller, by {@link #poll}; the time has to be told then. */
  public void waitInPython(boolean wanted) {
    waitsInPython = wanted;
  }
}
