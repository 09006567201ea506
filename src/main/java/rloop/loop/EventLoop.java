package rloop.loop;

import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.BytesPool;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.Channel;
import rloop.io.Driver;
import rloop.io.Endpoint;
import rloop.io.poll.Poller;

/**
 * One loop: what its parts are, and what transports ask of it.
 *
 * <p>Thread rule: with the loop's lock. {@link #wakeUp} is what another thread calls after it has
 * added a call while this loop may be waiting.
 */
public final class EventLoop {
  /** In place of a sequence number: a call that never waits. */
  public static final long NO_CALL = -1;

  private static final int BUSY_BATCHES = 10_000;

  /** Borrowed: it outlives this, which its own state object holds. */
  private final long pythonLoop;

  /** Which of the loop's workers this is; the first one is 0. */
  private final int worker;

  private final Scheduler scheduler;
  private final ReadyQueue ready;
  private final Driver driver;
  private final Deliveries deliveries = new Deliveries();
  private final FdWatches fdWatches;
  private final BytesPool bytesPool = new BytesPool();

  private final LentIo io;
  private final LoopCounters counters = new LoopCounters();
  private final LoopTime time = new LoopTime();
  private final Monitors monitors;
  private final Iteration iteration;

  /** Of the first of several workers; otherwise, and once it is done, 0. */
  private int batchesUntilImmortal;

  /** The state object, which is the lock on free-threaded builds; borrowed: it holds this. */
  private long lock;

  /** Those of the Python loop, if it has several. */
  private @Nullable Workers workers;

  /** Connections that go to another worker before the next call starts. */
  private final ArrayDeque<Follower> leaving = new ArrayDeque<>();

  private boolean closed;
  private boolean debug;

  /** An idle loop for the Python object given: its first worker, or one of the others. */
  public EventLoop(
      long pythonLoop,
      int worker,
      HandleType handleType,
      HandleType timerType,
      Poller poller,
      Lending lending,
      int ioThreads) {
    this.pythonLoop = pythonLoop;
    this.worker = worker;
    this.scheduler = new Scheduler(pythonLoop, worker, handleType, timerType);
    this.ready = scheduler.ready();
    this.driver = new Driver(poller, ioThreads);
    this.io = new LentIo(this, driver, lending, ioThreads);
    this.fdWatches = new FdWatches(this, scheduler);
    this.monitors = new Monitors(pythonLoop, scheduler.calls(), ready, time);
    this.iteration = new Iteration(this, driver, deliveries, time);
    monitors.record(Recorders.create());
  }

  /** Its own lock is that object from now on. */
  public void setLock(long lock) {
    this.lock = lock;
  }

  /** The object that is locked, on free-threaded builds, by whoever uses what belongs to this. */
  public long lock() {
    return lock;
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
    return iteration.isOfThisThread();
  }

  /** Whether another thread runs this loop, and may be asking the poller just now. */
  public boolean runsElsewhere() {
    return iteration.isRunning() && !gathers();
  }

  /**
   * Whether another thread runs this loop, which is one of several workers: it alone then calls the
   * methods of protocols that are at home here.
   */
  public boolean isAnotherWorker() {
    return workers != null && runsElsewhere();
  }

  /** Whether this thread is another worker of the same Python loop, whose batch ends soon. */
  public boolean isSiblingsThread() {
    return workers != null && !gathers() && workers.ofThisThread() != null;
  }

  // ---- for connections that move to another worker ---------------------------------------------

  /** Whether this loop's thread waits for the poller, and so is in the middle of nothing else. */
  public boolean isWaiting() {
    return time.isWaiting();
  }

  /** Has a connection go on to another worker when the call that runs is over. */
  public void leavesSoon(Follower follower) {
    if (!leaving.contains(follower)) {
      leaving.add(follower);
    }
    if (!gathers()) {
      wakeUp();
    }
  }

  /** Lets those go who are to; between two calls. */
  void letGo() {
    for (int left = leaving.size(); left > 0; left--) {
      Follower follower = leaving.poll();
      if (follower != null) {
        follower.goOn(this);
      }
    }
  }

  /** The connection's calls that wait here go to another worker, which has room for a reader. */
  public void handOver(EventLoop to, long context, Affinity affinity, Renumbering renumbering) {
    to.deliveries.reserve();
    new HandOver(scheduler, to.scheduler).move(context, affinity, renumbering);
    affinity.moveTo(to);
  }

  /** A reader does not deliver here any more. */
  public void deliversNoMore(Reader reader) {
    deliveries.remove(reader);
  }

  // ---- for transports, again -------------------------------------------------------------------

  /** Has an endpoint flushed when this batch is over, or now if no batch is running. */
  public void flushLater(Endpoint endpoint) {
    if (!iteration.isRunning() || !endpoint.flushLater()) {
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
    deliveries.add(reader, bytes);
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

  /** What runs it. */
  public Iteration iteration() {
    return iteration;
  }

  /** Who watches its calls. */
  public Monitors monitors() {
    return monitors;
  }

  /** What writes down what happens, if somebody has asked for it. */
  public @Nullable Recorder recorder() {
    return monitors.recorder();
  }

  /** Where what happens is counted. */
  public LoopCounters counters() {
    return counters;
  }

  /** All figures at this moment, see {@link Figures}. */
  public long[] figures() {
    return Figures.of(counters, time, ready, scheduler.timerCount(), driver);
  }

  /** Sends what was gathered. */
  public void flush() {
    io.takeHome();
    driver.flush();
  }

  /**
   * The object of a loop with several workers becomes immortal once it is busy: each task and each
   * future takes a reference. A loop that ran for a moment only is still freed.
   *
   * @param call one of the batch, which this thread has made as a rule
   */
  void batchStarts(long call) {
    if (batchesUntilImmortal > 0 && --batchesUntilImmortal == 0) {
      batchesUntilImmortal = Ref.immortalise(pythonLoop, call) ? 0 : 1;
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
    return deliveries.running();
  }

  public long pythonLoop() {
    return pythonLoop;
  }

  /** Which of the loop's workers this is. */
  public int worker() {
    return worker;
  }

  /** This is another worker of the Python loop whose first one is given. */
  public void join(EventLoop first) {
    if (first.workers == null) {
      first.workers = new Workers();
      first.workers.add(first);
      first.batchesUntilImmortal = BUSY_BATCHES;
      first.scheduler.isOneOfSeveral(first);
    }
    workers = first.workers;
    workers.add(this);
    scheduler.isOneOfSeveral(this);
  }

  /** All workers of the Python loop; null if there is but one. */
  public @Nullable Workers workers() {
    return workers;
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
    if (debug != this.debug) {
      iteration.changeMode();
    }
    this.debug = debug;
    scheduler.setDebug(debug);
  }

  /** Has Python tell what time it is, from the next batch on. */
  public void useToldTime(boolean used) {
    if (used != scheduler.clock().usesToldTime()) {
      iteration.changeMode();
    }
    scheduler.clock().useToldTime(used);
  }

  /**
   * Sends what is queued, drops all calls and timers, closes the poller.
   *
   * @throws PyException a {@code RuntimeError} while a thread makes the next batch
   */
  public void close() {
    if (iteration.isMakingBatch()) {
      throw PyException.runtimeError("Cannot close a running event loop");
    }
    flush();
    if (closed) { // by now
      return;
    }
    closed = true;
    monitors.forgetRunning();
    io.close();
    scheduler.close();
    deliveries.close();
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
    monitors.forgetRunning();
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
