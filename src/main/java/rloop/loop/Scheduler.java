package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/**
 * What is to be called and when: the ready queue, the timers, and the handles of both.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class Scheduler {
  /** The handles that an added call has kept at most: its own, and {@link #lastHandle}. */
  private static final int WITH_THE_LAST = 2;

  /** Borrowed: it outlives this, which its own state object holds. */
  private final long pythonLoop;

  private final int worker;

  private final HandleType handleType;
  private final HandleType timerType;
  private final Calls calls = new Calls();
  private final ReadyQueue ready = new ReadyQueue(calls.noop());
  private final ScheduledHandles scheduled = new ScheduledHandles();
  private final Timers timers;
  private final LoopClock clock = new LoopClock();

  /** The handle that {@link #callSoon} returned last, if it may be used again. */
  private @Owned long lastHandle;

  /** The loop that this is of, if that is one of several workers. */
  private @Nullable EventLoop oneOfSeveral;

  private boolean debug;
  private boolean closed;

  Scheduler(long pythonLoop, int worker, HandleType handleType, HandleType timerType) {
    this.pythonLoop = pythonLoop;
    this.worker = worker;
    this.handleType = handleType;
    this.timerType = timerType;
    this.timers = new Timers(timerType::setTimerIndex);
  }

  ReadyQueue ready() {
    return ready;
  }

  Calls calls() {
    return calls;
  }

  public LoopClock clock() {
    return clock;
  }

  /** This is of a loop that is one of several workers. */
  void isOneOfSeveral(EventLoop loop) {
    oneOfSeveral = loop;
  }

  void setDebug(boolean debug) {
    this.debug = debug;
  }

  /** Adds a call and returns a handle for it. */
  @Owned
  public long callSoon(@Owned long call) {
    reserve(call);
    if (debug) {
      checkOpen(call);
      long handle = handleFor(call);
      addHandle(handleType, handle);
      return handle;
    }
    long sequence = ready.append(call);
    // Tasks, most of all, drop the handle at once: then it serves the next call as well. The call
    // is not even stored in it before somebody is seen to have kept it (settleLastHandle).
    long handle = lastHandle;
    if (handle == 0 || !handleType.isUnused(handle)) {
      handle = handleType.create(pythonLoop, worker); // may let others in
    }
    handleType.setSequence(handle, sequence);
    long returned = Ref.take(handle);
    long last = lastHandle;
    if (last != handle) {
      lastHandle = handle;
      settle(last);
    }
    return returned;
  }

  /** As {@link #callSoon}, for a call that may be another thread's. */
  @Owned
  public long callSoonThreadsafe(@Owned long call) {
    try {
      ready.reserveForOthers();
    } catch (OutOfMemoryError e) {
      Ref.drop(call);
      throw e;
    }
    return callSoon(call);
  }

  /**
   * Adds a call that is scheduled on the worker that its context says when the batch that runs is
   * over, and returns a handle for it.
   */
  @Owned
  public long sendHomeSoon(@Owned long call) {
    reserve(call);
    long handle = handleFor(call);
    ready.append(calls.sendHome(handle));
    return handle;
  }

  /** Makes room for a call and its handle, or drops the call and raises: nothing has changed. */
  private void reserve(@Owned long call) {
    try {
      ready.reserve(1);
      scheduled.reserve(WITH_THE_LAST);
    } catch (OutOfMemoryError e) {
      Ref.dropIfAny(call);
      throw e;
    }
  }

  /**
   * Whether there is memory for so many more calls in this batch; the next one has it again.
   *
   * @throws OutOfMemoryError if there is none for any
   */
  boolean hasRoom(int count) {
    try {
      ready.reserve(count);
      scheduled.reserve(WITH_THE_LAST);
      return true;
    } catch (OutOfMemoryError e) {
      if (ready.hasPending()) {
        return false;
      }
      throw e;
    }
  }

  /** A handle that holds a call, which is not scheduled yet. */
  @Owned
  public long handleFor(@Owned long call) {
    long handle = handleType.create(pythonLoop, worker);
    handleType.setCall(handle, call);
    return handle;
  }

  /** Schedules the call of a handle of ours. */
  private void addHandle(HandleType type, long handle) {
    reserve(0);
    if (debug) {
      type.setSequence(handle, ready.append(run(handle)));
      return;
    }
    if (type.call(handle) == 0) {
      return; // somebody else has cancelled it
    }
    // A timer that nobody else has is there for reports alone (originOf), and what its call holds
    // shall not live as long as it.
    boolean unused = type == timerType && type.isUnused(handle);
    long sequence = ready.append(unused ? type.takeCall(handle) : Ref.take(type.call(handle)));
    type.setSequence(handle, sequence);
    scheduled.add(sequence, Ref.take(handle));
  }

  /** Schedules the call of a handle that {@link #handleFor} returned. */
  void addHandle(long handle) {
    addHandle(handleType, handle);
  }

  /** Schedules any {@code asyncio.Handle}, to be run as the stdlib runs it. */
  public void addForeignHandle(long handle) {
    ready.append(run(handle));
  }

  @Owned
  private long run(long handle) {
    checkOpen(0); // what is called is gone
    return calls.run(handle);
  }

  /** Drops a call of a loop that was closed in the meantime, and raises. */
  private void checkOpen(@Owned long call) {
    if (closed) {
      Ref.dropIfAny(call);
      throw PyException.runtimeError("Event loop is closed");
    }
  }

  /** Adds a timer and returns its handle. */
  @Owned
  public long callLater(double delay, @Owned long call) {
    double deadline = clock.now() + delay;
    long handle = addTimer(deadline, call);
    timerType.setDeadline(handle, deadline);
    return handle;
  }

  /**
   * Adds a timer and returns its handle.
   *
   * @param when the object that gave the deadline, which the handle keeps
   */
  @Owned
  public long callAt(long when, double deadline, @Owned long call) {
    long handle = addTimer(deadline, call);
    timerType.setWhen(handle, when);
    return handle;
  }

  @Owned
  private long addTimer(double deadline, @Owned long call) {
    checkOpen(call);
    try {
      timers.reserve();
    } catch (OutOfMemoryError e) {
      Ref.drop(call);
      throw e;
    }
    long handle = timerType.create(pythonLoop, worker);
    timerType.setCall(handle, call);
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
      long removed = timers.remove(index);
      timerType.setTimerIndex(handle, HandleType.NONE);
      timerType.setScheduled(handle, false);
      Ref.drop(removed);
    }
    cancel(timerType, handle);
  }

  /** Undoes what has returned this handle. */
  public void takeBack(@Owned long handle) {
    if (timerType.isOf(handle)) {
      cancelTimer(handle);
    } else {
      cancel(handle);
    }
    Ref.drop(handle);
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

  /** Whether the call of a handle of ours has been scheduled and has not started. */
  boolean isWaiting(long handle) {
    long sequence = handleType.sequence(handle);
    return sequence != HandleType.NONE && ready.isWaiting(sequence);
  }

  /** Whether the call of a handle of {@code call_soon} is the one that started last. */
  boolean isLastStarted(long handle) {
    return ready.isLastStarted(handleType.sequence(handle));
  }

  /** The call of a handle of {@code call_soon}, borrowed, or 0. */
  public long callOf(long handle) {
    if (handle == lastHandle) {
      settleLastHandle();
    }
    return handleType.call(handle);
  }

  /**
   * Gives the last handle, which somebody may have kept, its call, and forgets it. So after a run:
   * it refers to the loop, which could not be collected as long as it is kept for the next call.
   */
  void settleLastHandle() {
    long handle = lastHandle;
    lastHandle = 0;
    settle(handle);
  }

  private void settle(@Owned long handle) {
    if (handle != 0) {
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

  /** How many timers wait. */
  int timerCount() {
    return timers.size();
  }

  // ---- timers and batches --------------------------------------------------------------------

  /** In nanoseconds; negative without a timer. */
  long timeUntilFirstTimer(long nanoTime) {
    return timers.size() == 0
        ? LoopClock.FOREVER
        : clock.waitUntil(timers.firstDeadline(), nanoTime);
  }

  /** Infinite without a timer. */
  double secondsUntilFirstTimer() {
    return timers.size() == 0
        ? Double.POSITIVE_INFINITY
        : clock.secondsUntil(timers.firstDeadline());
  }

  /**
   * Schedules the timers that are due.
   *
   * @param nanoTime what time it is, by {@link System#nanoTime}
   * @param since those that were due before, by {@link System#nanoTime}, have been set since then
   */
  void expireTimers(long nanoTime, long since) {
    double end = clock.endOfDue(nanoTime);
    while (timers.size() > 0 && timers.firstDeadline() < end && hasRoom(1)) {
      double deadline = timers.firstDeadline();
      long handle = timers.removeFirst();
      timerType.setTimerIndex(handle, HandleType.NONE);
      timerType.setScheduled(handle, false);
      if (oneOfSeveral != null && hasMoved(handle)) {
        ready.append(calls.sendHome(handle));
      } else {
        addHandle(timerType, handle);
      }
      if (!clock.usesToldTime()) {
        ready.wasReady(Math.max(LoopClock.nanoTime(deadline), since));
      }
      Ref.drop(handle);
    }
  }

  /** Whether a timer is of a connection that is at home on another worker by now. */
  @SuppressWarnings("ReferenceEquality")
  private boolean hasMoved(long handle) {
    long call = timerType.call(handle);
    Affinity affinity = call == 0 ? null : Affinity.of(Tuples.get(call, Calls.CONTEXT));
    return affinity != null && affinity.follows() && affinity.home() != oneOfSeveral;
  }

  /** The call that a handle holds, borrowed, or 0. */
  long callIn(long handle) {
    if (timerType.isOf(handle)) {
      return timerType.call(handle);
    }
    return handleType.isOf(handle) ? handleType.call(handle) : 0;
  }

  /** The handle of a waiting call, borrowed, if it holds that; otherwise 0. */
  long keptHandle(long sequence) {
    long handle = scheduled.find(sequence);
    return handle == 0 || callIn(handle) == 0 ? 0 : handle;
  }

  /** The handle of the call that started last, or one made for it. */
  @Owned
  public long originOf(long call) {
    long sequence = ready.lastStarted();
    long handle = scheduled.find(sequence);
    if (handle == 0) {
      return handleFor(Ref.take(call));
    }
    if (timerType.isOf(handle) && timerType.call(handle) == 0) {
      timerType.setCall(handle, Ref.take(call));
    }
    return Ref.take(handle);
  }

  /** The batch is over: lets its handles go, which may run Python code. */
  void finishBatch() {
    ready.finishBatch();
    scheduled.dropBefore(ready.pendingStart());
  }

  /** Makes the pending calls the batch. */
  void startBatch() {
    // Who has kept the last handle may ask it for its call after that has started.
    if (lastHandle != 0 && !handleType.isUnused(lastHandle)) {
      settleLastHandle();
    }
    ready.startBatch();
  }

  /** Drops all calls and timers. */
  void close() {
    closed = true;
    settleLastHandle();
    ready.close();
    scheduled.dropBefore(ready.pendingStart());
    while (timers.size() > 0) {
      long handle = timers.removeFirst();
      timerType.setTimerIndex(handle, HandleType.NONE);
      Ref.drop(handle);
    }
    calls.close();
  }
}
