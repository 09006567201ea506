package rloop.transport;

import static rloop.posix.Constants.ENOENT;

import rloop.cpython.api.Owned;
import rloop.cpython.object.BytesPool;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.Channel;
import rloop.io.poll.Poller;
import rloop.loop.EventLoop;
import rloop.loop.Writer;

/**
 * A socket or pipe that a transport of ours stands for: its life, its flow control, and what the
 * poller is to watch it for. How it reads and sends is its kind's.
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
 */
public abstract class TransportChannel extends Channel implements Writer {
  private enum State {
    OPEN,
    CLOSING,
    CLOSED
  }

  protected final EventLoop loop;
  protected final Callbacks callbacks;
  protected final WaterMarks waterMarks = new WaterMarks();
  private State state = State.OPEN;
  private boolean started;
  private boolean paused;

  /** Another reader took its place, who was asked for with the descriptor's number. */
  private boolean isDisplaced;

  /** The kernel's buffer is full; the poller tells when to go on. */
  protected boolean blocked;

  /** Somebody else may have the descriptor. */
  private boolean shared;

  private boolean flushScheduled;
  private boolean resumeScheduled;

  /** A channel that does not read before {@link #startReading}. */
  TransportChannel(EventLoop loop, OpenFile file, Callbacks callbacks) {
    super(file.fd());
    this.loop = loop;
    this.callbacks = callbacks;
    if (file.isNumberKnown()) {
      callbacks.keepFile(Ref.take(file.object()));
      readFdFrom(file.numberAddress());
    }
  }

  /** Where a copy of what is written comes from. */
  public final BytesPool bytesPool() {
    return loop.bytesPool();
  }

  // ---- reading -------------------------------------------------------------------------------

  /** What was received and is on its way to the protocol. */
  abstract Undelivered undelivered();

  /** Receives what there is; the descriptor is ready. */
  protected abstract void read();

  /** Starts to deliver what arrives. */
  public void startReading() {
    started = true;
    PyException.checkErrno(watch());
  }

  /** The file is closed, though a duplicate of it may go on to get ready. */
  protected final void stopReading() {
    started = false;
  }

  /** Stops delivering; data that was read and not yet delivered is held back. */
  public void pauseReading() {
    if (state == State.OPEN && !paused) {
      paused = true;
      undelivered().takeBack();
      flushLater(); // which tells the poller, unless reading is resumed until then
    }
  }

  /** Delivers what was held back, and reads on. */
  public void resumeReading() {
    if (state == State.OPEN && paused) {
      paused = false;
      isDisplaced = false;
      int status = watch();
      if (status < 0) {
        paused = true;
        throw PyException.osError(-status);
      }
      undelivered().deliverHeld();
    }
  }

  /** Whether data is being delivered. */
  public boolean isReading() {
    return !isClosing() && !paused;
  }

  /**
   * Sets whom data goes to from now on, also data that was read before.
   *
   * @param receiver a protocol, or 0 for a {@code BufferedProtocol}
   */
  public void setReceiver(long receiver) {
    undelivered().redirect();
    callbacks.setReceiver(receiver);
  }

  /** Data that was held back and may be delivered now, or 0. */
  @Owned
  public long takeHeld() {
    return isReading() ? undelivered().takeHeld() : 0;
  }

  protected boolean wantsToRead() {
    return started && isReading();
  }

  /** After data was given to be delivered: others may have come in, who paused or closed. */
  protected final void takeBackUnwanted() {
    if (!wantsToRead()) {
      if (isGone()) {
        undelivered().drop();
      } else {
        undelivered().takeBack();
      }
    }
  }

  private int interest() {
    boolean reads = wantsToRead() && !isDisplaced;
    return (reads ? Poller.READ : 0) | (blocked ? Poller.WRITE : 0);
  }

  /**
   * Tells the poller what is of interest now. A file that was closed behind the transport's back is
   * not watched any more: as in asyncio, who writes next meets the error. To be called last: where
   * nothing is of interest, the transport may die here.
   */
  protected final void updateInterest() {
    int status = watch();
    if (status < 0 && blocked) {
      blocked = false;
      sendFailed(-status);
    }
  }

  /** Returns 0 or {@code -errno}. */
  private int watch() {
    if (isGone()) {
      return 0;
    }
    int status = loop.tryToWatch(this, interest());
    if (status == -ENOENT && !isGone()) { // it was another file's
      status = loop.tryToWatch(this, interest());
    }
    if (!isGone()) { // others whose place it took may have come in
      callbacks.keepAlive(interest() != 0 || flushScheduled);
    }
    return status;
  }

  /** What is queued can't be sent. */
  protected abstract void sendFailed(int errno);

  /** Whoever comes in meanwhile may end the transport; it dies when this is done. */
  @Override
  protected void ready(int readiness) {
    if (isGone()) {
      return; // and the transport may be dead
    }
    long transport = Ref.take(callbacks.transport());
    try {
      if ((readiness & Poller.READ) != 0 && wantsToRead()) {
        read();
      }
      if ((readiness & Poller.WRITE) != 0 && blocked) {
        send();
      }
      updateInterest();
    } finally {
      Ref.drop(transport);
    }
  }

  // ---- writing -------------------------------------------------------------------------------

  /** Sends what is queued, as far as the kernel takes it. */
  protected abstract void send();

  /** Whether nothing is queued. */
  protected abstract boolean isAllSent();

  /** How much is queued, in bytes, as flow control counts it. */
  protected abstract long queuedBytes();

  /** Drops what is queued. */
  protected abstract void dropQueue();

  protected final void flushLater() {
    if (!flushScheduled && !isGone()) {
      flushScheduled = true;
      callbacks.keepAlive(true);
      loop.flushLater(this);
    }
  }

  @Override
  public void flush() {
    flushScheduled = false;
    if (isGone()) {
      return; // and the transport may be dead
    }
    long transport = Ref.take(callbacks.transport()); // as in ready()
    try {
      if (!isAllSent() && !blocked) {
        send();
      }
      updateInterest();
    } finally {
      Ref.drop(transport);
    }
  }

  /**
   * Has what was just queued sent: when the batch is over, or now if it is much. Hot.
   *
   * @return whether the protocol is now to be told to pause
   */
  protected final boolean sendSoon() {
    if (waterMarks.isAbove(queuedBytes()) || !gathers()) {
      return sendNow(); // so much is worth a call
    }
    flushLater();
    return false;
  }

  /** Whether what is written may wait: not if somebody else may use the descriptor meanwhile. */
  protected boolean gathers() {
    return !shared && loop.gathers();
  }

  /** Sends what was gathered, before something else is done with the descriptor. */
  public void sendGathered() {
    if (!isAllSent()) {
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
    return waterMarks.pauses(queuedBytes());
  }

  /** Sends what is queued, unless the poller is to tell when. */
  protected final void sendUnlessBlocked() {
    if (!blocked) {
      send();
      updateInterestSoon();
    }
  }

  /** As {@link #updateInterest}, also on another thread than the one that uses the poller. */
  protected final void updateInterestSoon() {
    if (loop.runsElsewhere()) {
      flushLater();
    } else {
      updateInterest();
    }
  }

  /** All that was queued is sent. */
  protected void drained() {
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
    if (state == State.CLOSING && isAllSent()) {
      loop.schedule(callbacks.connectionLost());
      lose();
      callbacks.keepAlive(false);
    }
  }

  /** Schedules that the protocol resumes, if it may; returns whether it may. */
  protected final boolean resumeProtocol() {
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
    flush();
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
    if (!isAllSent()) {
      flush();
      if (state != State.OPEN) {
        return false; // somebody else has closed it
      }
    }
    boolean hasFailed = isClosing();
    state = State.CLOSING;
    if (isAllSent() && !hasFailed) {
      lose();
      callbacks.keepAlive(false);
      return true;
    }
    undelivered().drop();
    updateInterest();
    return false;
  }

  /** Drops what is queued; returns whether the caller has to schedule {@code connection_lost}. */
  public boolean abort() {
    if (isGone()) {
      return false;
    }
    flush(); // what asyncio would have sent as it was written
    if (isGone() || hasFailureToTell()) {
      return false;
    }
    dropQueue();
    if (isGone()) {
      return false; // somebody else has told Python
    }
    lose();
    callbacks.keepAlive(false);
    return true;
  }

  /** Whether sending has failed, and who makes the connection lost for that reason is scheduled. */
  protected boolean hasFailureToTell() {
    return false;
  }

  private void lose() {
    state = State.CLOSED;
    blocked = false;
    undelivered().drop();
    loop.forget(this);
  }

  /** Whether it is ending. */
  public boolean isClosing() {
    return state != State.OPEN;
  }

  @Override
  protected void displaced(int directions) {
    isDisplaced |= (directions & Poller.READ) != 0;
  }

  @Override
  protected void fileGone() {
    forgetFd();
  }

  @Override
  protected void pollerClosed() {
    if (isGone()) {
      return; // as in ready()
    }
    long transport = Ref.take(callbacks.transport());
    dispose();
    Ref.drop(transport);
  }

  /** Ends all that is left, before Python closes the descriptor. */
  public void dispose() {
    dropQueue();
    if (!isGone()) {
      lose();
    }
    undelivered().dispose();
    forgetFd(); // which stands in what the callbacks keep
    callbacks.dispose();
  }
}
