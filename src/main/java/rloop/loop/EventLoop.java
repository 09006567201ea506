package rloop.loop;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.object.BytesPool;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.Channel;
import rloop.io.Driver;
import rloop.io.Endpoint;
import rloop.io.poll.Poller;

/**
 * The state of one loop, and its iteration ({@link #next}).
 *
 * <p>Thread rule: with the loop's lock. {@link #wakeUp} is what another thread calls after it has
 * added a call while this loop may be waiting.
 */
public final class EventLoop {
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

  /** How much is read for one batch, in bytes, before the other events wait for the next one. */
  private static final long MOST_BYTES_A_BATCH = 1 << 20;

  /** An event leads to no more, but for what waits for a future: a batch of datagrams. */
  private static final int MOST_CALLS_AN_EVENT = 32;

  /** In place of a sequence number: a call that never waits. */
  public static final long NO_CALL = -1;

  /** Borrowed: it outlives this, which its own state object holds. */
  private final long pythonLoop;

  private final Scheduler scheduler;
  private final ReadyQueue ready;
  private final Driver driver;
  private final GatheredWrites writes;

  /** Those who deliver in the running batch, and in the one being filled. */
  private ArrayList<Reader> delivering = new ArrayList<>();

  private ArrayList<Reader> readers = new ArrayList<>();
  private final FdWatches fdWatches;
  private final BytesPool bytesPool = new BytesPool();

  private long bytesRead;
  private long lastPoll;

  private int batchesWithoutPoll;
  private int pollsUnconfirmed;
  private final LentIo io;
  private final LoopCounters counters = new LoopCounters();
  private final LoopTime time = new LoopTime();

  /** While there are monitors. */
  private @Nullable Monitoring monitoring;

  private int lastMonitor;

  /** While what happens is recorded. */
  private @Nullable Recorder recorder;

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

  /** A thread makes the next batch: it waits, or lets others in. */
  private boolean isMakingBatch;

  private boolean closed;
  private boolean debug;

  /** An idle loop for the Python object given. */
  public EventLoop(
      long pythonLoop,
      HandleType handleType,
      HandleType timerType,
      Poller poller,
      Lending lending,
      int ioThreads) {
    this.pythonLoop = pythonLoop;
    this.scheduler = new Scheduler(pythonLoop, handleType, timerType);
    this.ready = scheduler.ready();
    this.driver = new Driver(poller, ioThreads);
    this.writes = new GatheredWrites();
    this.io = new LentIo(this, driver, lending, ioThreads);
    this.fdWatches = new FdWatches(this, scheduler);
    record(Recorders.create());
  }

  public Scheduler scheduler() {
    return scheduler;
  }

  // ---- for transports ------------------------------------------------------------------------

  /** What asks the kernel; at home, see {@link #io}. */
  public Driver driver() {
    return driver;
  }

  /** Who has the driver. */
  public LentIo io() {
    return io;
  }

  /**
   * Adds a call that nobody will cancel; returns its sequence number.
   *
   * @throws PyException if the loop is closed, a {@code RuntimeError}
   */
  public long schedule(@Owned long call) {
    return ready.append(call);
  }

  /** Whether a call has not started yet. */
  public boolean isWaiting(long sequence) {
    return ready.isWaiting(sequence);
  }

  /** Takes a waiting call back. */
  public void takeBack(long sequence) {
    ready.cancel(sequence);
  }

  /** Puts another call in the place of a waiting one. */
  public void replace(long sequence, @Owned long call) {
    ready.replace(sequence, call);
  }

  /** What data that is received, or may change after it was written, is copied into. */
  public BytesPool bytesPool() {
    return bytesPool;
  }

  /**
   * Whether what is written now may wait: only a batch ends soon, not whatever another thread does.
   */
  public boolean gathers() {
    return runner == Thread.currentThread();
  }

  /** Whether another thread runs this loop, and may be asking the poller just now. */
  public boolean runsElsewhere() {
    return runner != null && !gathers();
  }

  /** Has an endpoint flushed when this batch is over, or now if no batch is running. */
  public void flushLater(Endpoint endpoint) {
    if (runner == null || !endpoint.flushLater()) {
      endpoint.flush();
    } else if (!gathers()) {
      wakeUp();
    }
  }

  /**
   * Has {@code reader} told when the batch being filled is over.
   *
   * @param bytes how much it read, or will have read by then
   */
  public void delivers(Reader reader, long bytes) {
    readers.add(reader);
    bytesRead += bytes;
  }

  /**
   * Watches a channel for this and nothing else.
   *
   * @return 0 or {@code -errno}, see {@link Channels#watch}
   * @throws PyException if the loop is closed, a {@code RuntimeError}
   */
  public int tryToWatch(Channel channel, int interest) {
    if (interest != 0) {
      checkOpen();
    }
    io.takeHome();
    return driver.watch(channel, interest);
  }

  /** See {@link Channels#confirm}. */
  int confirm(Channel channel) {
    io.takeHome();
    return driver.confirm(channel);
  }

  /** Stops watching a channel, before its descriptor is closed. */
  public void forget(Channel channel) {
    io.takeHome();
    driver.forget(channel);
  }

  public FdWatches fdWatches() {
    return fdWatches;
  }

  /** Where what happens is counted. */
  public LoopCounters counters() {
    return counters;
  }

  /** All figures at this moment, see {@link Figures}. */
  public long[] figures() {
    return Figures.of(counters, time, ready, scheduler.timerCount(), driver);
  }

  // ---- the iteration -------------------------------------------------------------------------

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
    forgetRunning();
    flush();
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
    if (monitoring != null) {
      long report = monitoring.ended();
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
    checkOpen();
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
    if (monitoring != null && !ready.isTakenBack(call)) {
      monitoring.starts(call, ready.readySince());
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
      dispatch();
      driver.dropStrays();
      polled = true;
      return askForTime();
    }
    if (polled) {
      polled = false;
      scheduler.expireTimers(time.stretchStart());
      if (ready.hasPending()) {
        return startBatch();
      }
    }
    if (scheduler.usesToldTime() && !first && !told && !modeChanged) {
      told = true;
      return askForTime();
    }
    told = false;
    finishBatch();
    if (io.isBusy()
        && !stopping
        && !modeChanged
        && !scheduler.usesToldTime()
        && ++pollsUnconfirmed < MOST_UNCONFIRMED_POLLS) { // the I/O thread polls as well
      return nextBatchOfBusy();
    }
    flush();
    if (stopping && !first) {
      return endRun();
    }
    if (modeChanged) {
      modeChanged = false;
      return 0;
    }
    if (scheduler.usesToldTime()) {
      counters.iteration();
      if (waitsInPython) {
        waited = true;
        return Ref.take(PyObjects.Py_False);
      }
      pollIfDue(first);
      polled = true;
      return askForTime();
    }
    boolean interrupted;
    do {
      counters.iteration();
      interrupted = pollIfDue(first);
      flush(); // what other threads have left to this one
      scheduler.expireTimers(time.stretchStart());
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
    if (writes.lateness() == GatheredWrites.Lateness.OVERDUE) {
      driver.flush(); // long calls don't get shorter by what is sent beside them
    }
    if (ready.hasPending()) {
      time.works(System.nanoTime());
    } else {
      time.waitBegins();
      io.waitAway(scheduler.timeUntilFirstTimer());
      time.waitEnds(System.nanoTime());
      time.tellOfWait();
    }
    scheduler.expireTimers(time.stretchStart());
    if (ready.hasPending()) {
      return startBatch();
    }
    io.calm();
    return 0; // a signal may have come to this thread meanwhile
  }

  @Owned
  private long startBatch() {
    if (!stopping && io.isWorthLending(readers.size())) {
      io.lend();
      writes.startGathering(System.nanoTime());
    }
    ArrayList<Reader> delivered = delivering;
    delivering = readers;
    readers = delivered;
    bytesRead = 0;
    scheduler.startBatch();
    counters.batch(ready.batchSize());
    return start();
  }

  /** What the I/O thread was to send has left then; what was written since, it sends next. */
  private void sendIfLate() {
    GatheredWrites.Lateness lateness = writes.lateness();
    if (lateness == GatheredWrites.Lateness.NONE) {
      return;
    }
    boolean isLent = io.isLent();
    io.takeHome();
    if (isLent
        && lateness == GatheredWrites.Lateness.LATE
        && bytesRead < MOST_BYTES_A_BATCH
        && io.isBusy()) { // others may have been let in
      io.lend();
    } else {
      driver.flush();
    }
  }

  private static long askForTime() {
    return Ref.take(PyObjects.Py_None);
  }

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
      finish(delivering);
      io.takeHome();
    } else {
      flush();
      finish(delivering);
      flush(); // what a finaliser wrote while its protocol was let go
    }
  }

  private static void finish(List<Reader> readers) {
    for (int i = 0; i < readers.size(); i++) {
      readers.get(i).batchFinished();
    }
    readers.clear();
  }

  /** Sends what was gathered. */
  public void flush() {
    io.takeHome();
    driver.flush();
  }

  /** Returns whether a signal arrived, whose handler Python runs between two batches. */
  private boolean pollIfDue(boolean first) {
    if (driver.hasEvents()) {
      dispatch(); // what the last batch had no room for
      if (ready.hasPending()) {
        return false; // a poll now would tell of the same channels again
      }
    }
    long timeout = 0;
    if (ready.hasPending() || stopping) {
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
    int count = timeout == 0 ? driver.poll(0) : waitWithoutGil(timeout);
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

  /** How long Python is to wait, in seconds, or infinity. */
  public double timeToWait() {
    if (fdWatches.hasUnconfirmed()) {
      fdWatches.confirm();
    }
    hadCalls = ready.hasPending();
    return hadCalls || stopping || driver.hasEvents() ? 0 : scheduler.secondsUntilFirstTimer();
  }

  /**
   * What the {@code select} of the loop's selector is, for who has put another one in its place:
   * waits until there is something to do, and returns whether there is. As often as is wished.
   */
  public boolean poll(double seconds) {
    checkOpen();
    if (isMakingBatch) {
      throw PyException.runtimeError("This event loop is already running");
    }
    isMakingBatch = true;
    try {
      flush();
      if (hasFound()) {
        return true;
      }
      long timeout = Scheduler.nanos(seconds);
      int count = timeout == 0 ? driver.poll(0) : waitWithoutGil(timeout);
      return count == Poller.INTERRUPTED || hasFound(); // a signal is something as well
    } finally {
      isMakingBatch = false;
    }
  }

  private boolean hasFound() {
    return driver.hasEvents() || (ready.hasPending() && !hadCalls);
  }

  private int waitWithoutGil(long timeout) {
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
  private void dispatch() {
    while (driver.hasEvents()
        && bytesRead < MOST_BYTES_A_BATCH
        && scheduler.hasRoom(MOST_CALLS_AN_EVENT)) { // or what is read could not be delivered
      readers.ensureCapacity(readers.size() + 1);
      driver.dispatchNext();
    }
  }

  // ---- monitors ------------------------------------------------------------------------------

  /**
   * Begins to measure calls.
   *
   * @param threshold those that take so long are reported, in nanoseconds
   * @param resolution how often it is looked how late the loop is, in nanoseconds
   * @return the number by which the monitor is known
   */
  public int addMonitor(long threshold, long resolution) {
    ready.keepTimes(true);
    beginMonitoring().add(new Monitor(++lastMonitor, threshold, resolution));
    return lastMonitor;
  }

  /** Writes down what happens from now on; null: no more. */
  public void record(@Nullable Recorder recorder) {
    this.recorder = recorder;
    if (recorder != null) {
      beginMonitoring().setRecorder(recorder);
    } else if (monitoring != null) {
      monitoring.setRecorder(null);
      endMonitoring(monitoring);
    }
  }

  /** What writes down what happens, if somebody has asked for it. */
  public @Nullable Recorder recorder() {
    return recorder;
  }

  private Monitoring beginMonitoring() {
    Monitoring monitoring = this.monitoring;
    if (monitoring == null) {
      monitoring = new Monitoring(pythonLoop, scheduler.calls());
      time.tell(monitoring);
      this.monitoring = monitoring;
    }
    return monitoring;
  }

  private void endMonitoring(Monitoring monitoring) {
    if (monitoring.isEmpty()) {
      this.monitoring = null;
      time.tell(null);
      monitoring.forget(); // may let others in
    }
  }

  /** The histograms of a monitor: see {@link Monitor#snapshot}. */
  public long[][] monitored(int number) {
    return monitor(number).snapshot();
  }

  /** Has a monitor forget what it has seen. */
  public void resetMonitor(int number) {
    monitor(number).reset();
  }

  private Monitor monitor(int number) {
    if (monitoring == null) {
      throw new IllegalArgumentException("there is no monitor " + number);
    }
    return monitoring.get(number);
  }

  /** Ends a monitor; with the last one the measuring ends. */
  public void removeMonitor(int number) {
    Monitoring monitoring = this.monitoring;
    if (monitoring != null) {
      monitoring.remove(number);
      ready.keepTimes(monitoring.hasMonitors());
      endMonitoring(monitoring);
    }
  }

  private void forgetRunning() {
    if (monitoring != null) {
      monitoring.forget();
    }
  }

  // ---- state ---------------------------------------------------------------------------------

  /** Lets the loop notice a call that was added on another thread; for any thread. */
  public void wakeUp() {
    driver.wakeUp();
  }

  /** Whether another thread runs the call of a handle of {@code call_soon} just now. */
  public boolean runsElsewhere(long handle) {
    return runsElsewhere() && scheduler.isLastStarted(handle);
  }

  /** The sequence number of the call that is running or ran last; -1 if none did. */
  public long lastStarted() {
    return ready.lastStarted();
  }

  /** The call of a sequence number, borrowed; 0 if it is not waiting any more. */
  public long find(long sequence) {
    return ready.find(sequence);
  }

  /** The readers that delivered data in the current batch. */
  public List<Reader> readers() {
    return delivering;
  }

  public long pythonLoop() {
    return pythonLoop;
  }

  public boolean isClosed() {
    return closed;
  }

  /**
   * Does nothing unless the loop is closed.
   *
   * @throws PyException asyncio's {@code RuntimeError}
   */
  public void checkOpen() {
    if (closed) {
      throw PyException.runtimeError("Event loop is closed");
    }
  }

  public boolean isDebug() {
    return debug;
  }

  /** Switches debug mode; Python makes the calls in another way then, from the next batch on. */
  public void setDebug(boolean debug) {
    modeChanged |= debug != this.debug;
    this.debug = debug;
    scheduler.setDebug(debug);
  }

  /** Has Python tell what time it is, from the next batch on. */
  public void useToldTime(boolean used) {
    modeChanged |= used != scheduler.usesToldTime();
    scheduler.useToldTime(used);
  }

  /** Has Python ask the poller, by {@link #poll}; the time has to be told then. */
  public void waitInPython(boolean wanted) {
    waitsInPython = wanted;
  }

  /**
   * Sends what is queued, drops all calls and timers, closes the poller.
   *
   * @throws PyException a {@code RuntimeError} while a thread makes the next batch
   */
  public void close() {
    if (isMakingBatch) {
      throw PyException.runtimeError("Cannot close a running event loop");
    }
    flush();
    if (closed) { // by now
      return;
    }
    closed = true;
    forgetRunning();
    io.close();
    scheduler.close();
    finish(delivering);
    finish(readers);
    bytesPool.close();
    driver.close();
    fdWatches.close();
  }

  /**
   * The Python loop is gone unclosed, and with it all that refers to it, such as handles and
   * transports: gives up the rest.
   */
  public void abandon() {
    closed = true;
    forgetRunning();
    scheduler.close();
    bytesPool.close();
    io.close();
    driver.abandon();
  }

  /** Nobody can be in a method any more: gives the memory back that they use. */
  public void free() {
    driver.free();
  }
}
