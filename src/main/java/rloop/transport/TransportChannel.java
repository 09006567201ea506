package rloop.transport;

import org.jspecify.annotations.Nullable;
import rloop.cpython.object.BytesPool;
import rloop.cpython.object.Ref;
import rloop.io.Endpoint;
import rloop.io.EndpointEvents;
import rloop.loop.EventLoop;
import rloop.loop.Recorder;
import rloop.loop.Tally;

/**
 * The Python half of a transport of ours: its life, and when its protocol pauses writing. What
 * arrives is its {@link Reading}'s, what the kernel is asked its {@link Endpoint}'s.
 *
 * <pre>
 *            close()                     queue empty
 *   OPEN ───────────────► CLOSING ───────────────────► CLOSED
 *     │                      │  abort(), error           ▲
 *     └──────────────────────┴───────────────────────────┘
 * </pre>
 *
 * OPEN reads and writes; CLOSING sends what is queued and reads no more; CLOSED has told Python to
 * call {@code connection_lost} and drops what is written.
 *
 * <p>Thread rule: with the loop's lock, by whoever owns the loop's driver.
 */
public abstract class TransportChannel implements EndpointEvents {
  private enum State {
    OPEN,
    CLOSING,
    CLOSED
  }

  /** Where this is at home. */
  protected EventLoop loop;

  protected final Callbacks callbacks;
  protected final WaterMarks waterMarks = new WaterMarks();
  private State state = State.OPEN;
  private boolean resumeScheduled;

  /** While this is recorded. */
  private Recorder.@Nullable Span span;

  /** Somebody else may have the descriptor. */
  private boolean shared;

  /** One that does not read before {@link Reading#start}. */
  TransportChannel(EventLoop loop, Callbacks callbacks) {
    this.loop = loop;
    this.callbacks = callbacks;
  }

  @Override
  public final void used(boolean isUsed) {
    callbacks.use(isUsed);
  }

  /** What those of its kind are called. */
  abstract String kind();

  /** Where those of its kind are counted. */
  abstract Tally tally();

  /** What does its I/O. */
  abstract Endpoint endpoint();

  /** What becomes of what arrives. */
  public abstract Reading reading();

  /** Takes the I/O home, so that the endpoint can be used. */
  public void takeIo() {
    loop.io().takeHome();
  }

  /** Where the number of a file's descriptor stands as long as this is used; 0 if nowhere. */
  final long keepNumberOf(OpenFile file) {
    if (!file.isNumberKnown()) {
      return 0;
    }
    callbacks.keepFile(Ref.take(file.object()));
    return file.numberAddress();
  }

  /** Whether it is at home on another worker than this thread, of those that its loop has. */
  public final boolean isElsewhere() {
    return loop.isAnotherWorker();
  }

  /** The number of the worker where it is at home. */
  public final int home() {
    return loop.worker();
  }

  /** Where a copy of what is written comes from. */
  public final BytesPool bytesPool() {
    return loop.bytesPool();
  }

  @Override
  public final void held(boolean isHeld) {
    callbacks.keepAlive(isHeld);
  }

  // ---- writing -------------------------------------------------------------------------------

  /** How much is queued, in bytes, as flow control counts it. */
  final long queuedBytes() {
    return endpoint().queuedBytes();
  }

  /**
   * Has what was just queued sent: when the batch is over, or now if it is much. Hot.
   *
   * @return whether the protocol is now to be told to pause
   */
  protected final boolean sendSoon() {
    boolean isMuch = waterMarks.isAbove(queuedBytes());
    if (isMuch || !gathers()) {
      return !isLeftToHome(isMuch) && sendNow(); // so much is worth a call
    }
    loop.flushLater(endpoint());
    return false;
  }

  /** Whether what another worker has queued waits for the one where this is at home. */
  protected boolean isLeftToHome(boolean isMuch) {
    return false;
  }

  /** Whether what is written may wait: not if somebody else may use the descriptor meanwhile. */
  protected final boolean gathers() {
    return loop.gathers() && !isShared();
  }

  /** Whether somebody else may use the descriptor. */
  protected boolean isShared() {
    return shared;
  }

  /** Sends what was gathered, before something else is done with the descriptor. */
  public void sendGathered() {
    if (!endpoint().isAllSent()) {
      sendUnlessBlocked();
    }
  }

  /** Gathers no more: from now on somebody else may send on the descriptor, or on a duplicate. */
  public void share() {
    shared = true;
    sendGathered();
  }

  /**
   * Has what is queued sent; the protocol pauses only if the kernel doesn't take it.
   *
   * @return whether the protocol is now to be told to pause
   */
  protected final boolean sendNow() {
    sendUnlessBlocked();
    return pauses();
  }

  /**
   * Whether the protocol is now to be told to pause, by who asks; another worker leaves that to the
   * one where this is at home.
   */
  protected final boolean pauses() {
    boolean pauses = waterMarks.pauses(queuedBytes());
    if (pauses && loop.isAnotherWorker()) {
      loop.schedule(callbacks.pauseWriting());
      loop.wakeUp();
      return false;
    }
    return pauses;
  }

  /** Sends what is queued, unless the poller is to tell when. */
  protected final void sendUnlessBlocked() {
    if (loop.runsElsewhere()) {
      loop.io().takeHome(); // and keep it: others are let in
      endpoint().flushPastPoller();
      loop.wakeUp();
    } else {
      endpoint().flush();
    }
  }

  @Override
  public void progressed() {
    resumeProtocol();
  }

  @Override
  public void drained() {
    boolean mayResume = resumeProtocol();
    if (mayResume && state == State.CLOSING) {
      loop.schedule(callbacks.endWriting()); // resume_writing, before it, may write more
    } else {
      endWriting();
    }
  }

  /**
   * The protocol knows that the queue is empty; if it still is, what had to wait for that is due.
   */
  public void endWriting() {
    if (state == State.CLOSING && endpoint().isAllSent()) {
      loop.schedule(callbacks.connectionLost());
      lose(); // that call keeps the transport alive from then on
      callbacks.keepAlive(false);
    }
  }

  /** Schedules that the protocol resumes, if it may; returns whether it may. */
  private boolean resumeProtocol() {
    boolean mayResume = waterMarks.mayResume(queuedBytes());
    if (mayResume && !resumeScheduled) {
      resumeScheduled = true;
      loop.schedule(callbacks.resumeWriting());
    }
    return mayResume;
  }

  /**
   * What {@link #resumeProtocol} scheduled has started; returns whether the protocol is to be told:
   * earlier calls of the batch may have written more.
   */
  public boolean resumes() {
    resumeScheduled = false;
    return !isGone() && waterMarks.resumes(queuedBytes());
  }

  /** How many bytes the kernel has not taken. */
  public long bufferSize() {
    endpoint().flush();
    return queuedBytes();
  }

  public long highWater() {
    return waterMarks.high();
  }

  public long lowWater() {
    return waterMarks.low();
  }

  /**
   * Sets the water marks, in bytes.
   *
   * @return whether the protocol is now to be told to pause
   */
  public boolean setWaterMarks(long high, long low) {
    waterMarks.set(high, low);
    return waterMarks.isAbove(queuedBytes()) && sendNow();
  }

  // ---- the end -------------------------------------------------------------------------------

  protected final boolean isOpen() {
    return state == State.OPEN;
  }

  protected final boolean isGone() {
    return state == State.CLOSED;
  }

  /**
   * Reads no more and sends what is queued.
   *
   * @return whether nothing is left to send: the caller then schedules {@code connection_lost}, by
   *     which the transport is kept alive from then on
   */
  public boolean close() {
    if (state != State.OPEN) {
      return false;
    }
    if (!endpoint().isAllSent()) {
      endpoint().flush();
      if (state != State.OPEN) {
        return false; // somebody else has closed it
      }
    }
    boolean hasFailed = isClosing();
    state = State.CLOSING;
    if (endpoint().isAllSent() && !hasFailed) {
      lose();
      callbacks.keepAlive(false);
      return true;
    }
    reading().end();
    return false;
  }

  /** Drops what is queued; returns whether the caller has to schedule {@code connection_lost}. */
  public boolean abort() {
    if (isGone()) {
      return false;
    }
    endpoint().flush(); // what asyncio would have sent as it was written
    if (isGone() || hasFailureToTell()) {
      return false;
    }
    lose();
    callbacks.keepAlive(false);
    return true;
  }

  /** Whether sending has failed, and who makes the connection lost for that reason is scheduled. */
  protected boolean hasFailureToTell() {
    return false;
  }

  /** The transport has begun: to be called once it is made. */
  protected final void tellOfBeginning() {
    tally().begin();
    Recorder recorder = loop.recorder();
    if (recorder != null) {
      span = recorder.transportOpened(kind(), endpoint().fd());
    }
  }

  private void tellOfEnd() {
    tally().end();
    Recorder recorder = loop.recorder();
    if (recorder != null) {
      recorder.transportClosed(span, kind(), endpoint().fd());
      span = null;
    }
  }

  /** No more is read or sent. */
  protected void lose() {
    if (!isGone()) {
      tellOfEnd();
    }
    state = State.CLOSED;
    endpoint().close();
    reading().drop();
  }

  /** Whether it is ending. */
  public boolean isClosing() {
    return state != State.OPEN;
  }

  @Override
  public final void driverClosed() {
    dispose();
  }

  /** Ends all that is left, before Python closes the descriptor. */
  public void dispose() {
    lose();
    reading().dispose();
    callbacks.dispose();
  }
}
