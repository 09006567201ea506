package rloop.loop;

import java.util.ArrayList;
import java.util.List;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.loop.poll.Poller;

/**
 * The state of one loop, and its iteration ({@link #next}).
 *
 * <p>Thread rule: with the GIL. {@link #wakeUp} is what another thread calls after it has added a
 * call while this loop may be waiting.
 */
public final class EventLoop {
  private static final double NANOS_PER_SECOND = 1e9;

  /** As {@code time.get_clock_info('monotonic').resolution}: what is due within it is due. */
  private static final double CLOCK_RESOLUTION = 1e-9;

  /** As asyncio's {@code MAXIMUM_SELECT_TIMEOUT}: a day, in seconds. */
  private static final double LONGEST_WAIT = 24 * 3600;

  /**
   * Timers that fall due within this many seconds share a wait: what asyncio and uvloop get by
   * rounding up to a millisecond, a quarter of it as late.
   */
  private static final double SHORTEST_WAIT = 250e-6;

  private static final long FOREVER = -1;

  /**
   * While calls are ready the kernel is asked again only after this time or that many batches: a
   * chain of {@code call_soon} would otherwise pay a system call for each link.
   */
  private static final long LONGEST_WITHOUT_POLL_NANOS = 50_000;

  private static final int MOST_BATCHES_WITHOUT_POLL = 16;

  /** How much is read for one batch, in bytes, before the rest waits for the next one. */
  private static final long MOST_BYTES_A_BATCH = 1 << 20;

  /** Why an iteration over the batches ended. */
  public enum End {
    /** It did not. */
    NONE,
    /** {@link #stop} was called. */
    STOPPED,
    /** Debug mode was switched; the run goes on. */
    MODE_CHANGED
  }

  /** Borrowed: it outlives this, which its own state object holds. */
  private final long pythonLoop;

  private final HandleType handleType;
  private final HandleType timerType;
  private final Calls calls = new Calls();
  private final ReadyQueue ready = new ReadyQueue(calls.noop());
  private final ScheduledHandles scheduled = new ScheduledHandles();
  private final Timers timers;
  private final Poller poller;
  private final Channels channels;
  private final List<Writer> writers = new ArrayList<>();
  private final List<Reader> readers = new ArrayList<>();
  private final List<Channel> deferred = new ArrayList<>();
  private final FdWatches fdWatches;

  /** The handle that {@code call_soon} returned last, if it may be used again. */
  private @Owned long lastHandle;

  private long bytesRead;
  private long lastPoll;
  private int batchesWithoutPoll;
  private boolean startingRun;
  private boolean stopping;

  private boolean modeChanged;
  private End end = End.NONE;
  private boolean closed;
  private boolean debug;

  /** An idle loop for the Python object given. */
  public EventLoop(long pythonLoop, HandleType handleType, HandleType timerType, Poller poller) {
    this.pythonLoop = pythonLoop;
    this.handleType = handleType;
    this.timerType = timerType;
    this.timers = new Timers(timerType::setTimerIndex);
    this.poller = poller;
    this.channels = new Channels(poller);
    this.fdWatches = new FdWatches(this, handleType);
  }

  // ---- scheduling ---------------------------------------------------------------------------

  /** Adds a call and returns a handle for it. */
  @Owned
  public long callSoon(@Owned long call) {
    if (debug || Layout.FREE_THREADED) {
      long handle = handleFor(call);
      addHandle(handleType, handle);
      return handle;
    }
    long sequence = ready.append(call);
    // Tasks, most of all, drop the handle at once: then it serves the next call as well. The call
    // is not even stored in it before somebody is seen to have kept it (settleLastHandle).
    if (lastHandle == 0 || !handleType.isUnused(lastHandle)) {
      settleLastHandle();
      lastHandle = handleType.create(pythonLoop);
    }
    handleType.setSequence(lastHandle, sequence);
    return Ref.take(lastHandle);
  }

  /** Adds a call that nobody will cancel; returns its sequence number. */
  public long schedule(@Owned long call) {
    return ready.append(call);
  }

  /** A handle that holds a call, which is not scheduled yet. */
  @Owned
  public long handleFor(@Owned long call) {
    long handle = handleType.create(pythonLoop);
    handleType.setCall(handle, call);
    return handle;
  }

  /** Schedules the call of a handle of ours. */
  void addHandle(HandleType type, long handle) {
    long sequence = ready.append(debug ? calls.run(handle) : Ref.take(type.call(handle)));
    type.setSequence(handle, sequence);
    scheduled.add(sequence, Ref.take(handle));
  }

  /** Schedules any {@code asyncio.Handle}, to be run as the stdlib runs it. */
  public void addForeignHandle(long handle) {
    ready.append(calls.run(handle));
  }

  /** Adds a timer and returns its handle. */
  @Owned
  public long callAt(double deadline, @Owned long call) {
    long handle = timerType.create(pythonLoop);
    timerType.setCall(handle, call);
    timerType.setDeadline(handle, deadline);
    timerType.setScheduled(handle, true);
    timers.add(Ref.take(handle), deadline);
    return handle;
  }

  /** Cancels what {@link #callSoon} or {@link #handleFor} returned. */
  public void cancel(long handle) {
    if (handle == lastHandle) {
      settleLastHandle();
    }
    cancel(handleType, handle);
  }

  /** Cancels what {@link #callAt} returned. */
  public void cancelTimer(long handle) {
    int index = timerType.timerIndex(handle);
    if (index != HandleType.NONE) {
      timers.remove(index);
      timerType.setTimerIndex(handle, HandleType.NONE);
      timerType.setScheduled(handle, false);
      Ref.drop(handle);
    }
    cancel(timerType, handle);
  }

  private void cancel(HandleType type, long handle) {
    if (type.isCancelled(handle)) {
      return;
    }
    type.setCancelled(handle);
    long sequence = type.sequence(handle);
    if (sequence != HandleType.NONE && !closed && ready.isWaiting(sequence)) {
      ready.cancel(sequence);
    }
    if (!debug) { // in debug mode the repr of a cancelled handle still tells of the call
      type.setCall(handle, 0);
    }
  }

  /** The call of a handle of {@code call_soon}, borrowed, or 0. */
  public long callOf(long handle) {
    if (handle == lastHandle) {
      settleLastHandle();
    }
    return handleType.call(handle);
  }

  /** Gives the last handle, which somebody may have kept, its call, and forgets it. */
  private void settleLastHandle() {
    long handle = lastHandle;
    if (handle != 0) {
      lastHandle = 0;
      long sequence = handleType.sequence(handle);
      long call = ready.find(sequence);
      if (call == 0 || handleType.isUnused(handle)) {
        Ref.drop(handle);
      } else {
        handleType.setCall(handle, Ref.take(call));
        scheduled.add(sequence, handle);
      }
    }
  }

  // ---- for transports ------------------------------------------------------------------------

  /** Whether a call has not started yet. */
  public boolean isWaiting(long sequence) {
    return ready.isWaiting(sequence);
  }

  /** Takes a waiting call back. */
  public void takeBack(long sequence) {
    ready.cancel(sequence);
  }

  /** Has {@code writer} flushed when this batch is over. */
  public void flushLater(Writer writer) {
    writers.add(writer);
  }

  /** Has {@code reader} told when the batch being filled is over. */
  public void delivers(Reader reader, long bytes) {
    readers.add(reader);
    bytesRead += bytes;
  }

  /** Whether this batch has had its share; then the channel's turn is the next one. */
  public boolean isBatchFull(Channel channel) {
    if (bytesRead < MOST_BYTES_A_BATCH) {
      return false;
    }
    deferred.add(channel);
    return true;
  }

  /**
   * Watches a channel for this and nothing else.
   *
   * @throws PyException if the kernel refuses, an {@code OSError}
   */
  public void watch(Channel channel, int interest) {
    PyException.checkErrno(channels.watch(channel, interest));
  }

  /** Stops watching a channel, before its descriptor is closed. */
  public void forget(Channel channel) {
    channels.forget(channel);
    deferred.remove(channel);
  }

  public FdWatches fdWatches() {
    return fdWatches;
  }

  // ---- the iteration -------------------------------------------------------------------------

  /** A run begins: its first batch is made even if the loop is to stop. */
  public void startRun() {
    startingRun = true;
    end = End.NONE;
    modeChanged = false;
  }

  /** A run ended by an exception; a stop that was asked for is forgotten with it, as in asyncio. */
  public void abandonRun() {
    stopping = false;
  }

  /** Ends the run after the current batch. */
  public void stop() {
    stopping = true;
  }

  /**
   * The next batch as a list iterator, or 0 at the end of a run.
   *
   * <p>An iteration, in asyncio's order: calls that were ready, then I/O, then timers.
   */
  @Owned
  public long next() {
    boolean first = startingRun;
    startingRun = false;
    if (ready.isInterrupted()) {
      return ready.resume();
    }
    finishBatch();
    flush();
    if (stopping && !first) {
      return endRun();
    }
    if (modeChanged) {
      modeChanged = false;
      return end(End.MODE_CHANGED);
    }
    do {
      pollIfDue(first);
      expireTimers();
    } while (!ready.hasPending() && !stopping);
    return ready.hasPending() ? ready.startBatch() : endRun();
  }

  private long endRun() {
    stopping = false;
    return end(End.STOPPED);
  }

  private long end(End reason) {
    end = reason;
    return 0;
  }

  /** Why the last {@link #next} since {@link #startRun} ended the iteration, if it did. */
  public End end() {
    End reason = end;
    end = End.NONE;
    return reason;
  }

  private void finishBatch() {
    if (lastHandle != 0 && !handleType.isUnused(lastHandle)) {
      settleLastHandle();
    }
    ready.finishBatch();
    scheduled.dropBefore(ready.pendingStart());
    finishReaders();
  }

  private void finishReaders() {
    for (int i = 0; i < readers.size(); i++) {
      readers.get(i).batchFinished();
    }
    readers.clear();
    bytesRead = 0;
  }

  /** Sends what the last batch wrote. */
  public void flush() {
    for (int i = 0; i < writers.size(); i++) {
      writers.get(i).flush();
    }
    writers.clear();
  }

  private void pollIfDue(boolean first) {
    long timeout = 0;
    if (ready.hasPending() || stopping || !deferred.isEmpty()) {
      long now = System.nanoTime();
      if (!first
          && !stopping
          && ++batchesWithoutPoll < MOST_BATCHES_WITHOUT_POLL
          && now - lastPoll < LONGEST_WITHOUT_POLL_NANOS) {
        return;
      }
      lastPoll = now;
    } else {
      timeout = timeUntilFirstTimer();
    }
    batchesWithoutPoll = 0;
    readDeferred();
    int count = timeout == 0 ? poller.poll(0) : waitWithoutGil(timeout);
    if (count == Poller.INTERRUPTED) {
      ready.append(calls.checkSignals());
    } else {
      channels.dispatch(count);
    }
  }

  private int waitWithoutGil(long timeout) {
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      return poller.poll(timeout);
    } finally {
      PyRuntime.PyEval_RestoreThread(threadState);
    }
  }

  private void readDeferred() {
    int count = deferred.size();
    for (int i = 0; i < count; i++) {
      deferred.removeFirst().ready(Poller.READ);
    }
  }

  private long timeUntilFirstTimer() {
    if (timers.size() == 0) {
      return FOREVER;
    }
    double seconds = timers.firstDeadline() - now();
    return seconds <= 0 ? 0 : (long) Math.ceil(Math.min(seconds, LONGEST_WAIT) * NANOS_PER_SECOND);
  }

  /** The loop's clock, in seconds: on Linux exactly {@code time.monotonic()}. */
  public static double now() {
    return System.nanoTime() / NANOS_PER_SECOND;
  }

  private void expireTimers() {
    if (timers.size() == 0) {
      return;
    }
    double end = now() + CLOCK_RESOLUTION;
    while (timers.size() > 0 && timers.firstDeadline() < end) {
      long handle = timers.removeFirst();
      timerType.setTimerIndex(handle, HandleType.NONE);
      timerType.setScheduled(handle, false);
      addHandle(timerType, handle);
      Ref.drop(handle);
    }
  }

  // ---- state ---------------------------------------------------------------------------------

  /** Lets the loop notice a call that was added on another thread; for any thread. */
  public void wakeUp() {
    poller.wakeup();
  }

  /** The sequence number of the call that is running or ran last; -1 if none did. */
  public long lastStarted() {
    return ready.lastStarted();
  }

  /** The call of a sequence number, borrowed, or 0. */
  public long find(long sequence) {
    return ready.find(sequence);
  }

  /** The handle of a sequence number if somebody keeps one, borrowed, or 0. */
  public long handleOf(long sequence) {
    if (lastHandle != 0 && handleType.sequence(lastHandle) == sequence) {
      settleLastHandle();
    }
    return scheduled.find(sequence);
  }

  /** The readers that delivered data in the current batch. */
  public List<Reader> readers() {
    return readers;
  }

  public long pythonLoop() {
    return pythonLoop;
  }

  public boolean isClosed() {
    return closed;
  }

  public boolean isDebug() {
    return debug;
  }

  /** Switches debug mode; Python iterates over the batches otherwise then, from the next one on. */
  public void setDebug(boolean debug) {
    modeChanged = debug != this.debug;
    this.debug = debug;
  }

  /** Sends what is queued, drops all calls and timers, closes the poller. */
  public void close() {
    if (closed) {
      return;
    }
    flush();
    closed = true;
    settleLastHandle();
    ready.clear();
    scheduled.dropBefore(ready.pendingStart());
    finishReaders();
    while (timers.size() > 0) {
      long handle = timers.removeFirst();
      timerType.setTimerIndex(handle, HandleType.NONE);
      Ref.drop(handle);
    }
    channels.close();
  }
}
