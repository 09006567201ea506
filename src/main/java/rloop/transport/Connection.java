package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.MSG_NOSIGNAL;
import static rloop.posix.Constants.SHUT_WR;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.loop.Channel;
import rloop.loop.EventLoop;
import rloop.loop.Writer;
import rloop.loop.poll.Poller;
import rloop.posix.SysSocket;

/**
 * A connected stream socket: what its transport asks for, and what its descriptor is ready for.
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
 * <p>Reading is done when the poller says so, before the batch runs, so data may be read and not
 * yet delivered when an earlier call of the batch pauses, closes or re-wires the connection: such
 * data comes back here ({@link Inbound}).
 */
public final class Connection extends Channel implements Writer {
  private enum State {
    OPEN,
    CLOSING,
    CLOSED
  }

  private final EventLoop loop;
  private final Callbacks callbacks;
  private final Inbound inbound;
  private final WriteQueue queue = new WriteQueue(Ref::drop);
  private final WaterMarks waterMarks = new WaterMarks();
  private final WriteHabit habit = new WriteHabit();
  private State state = State.OPEN;
  private boolean started;
  private boolean paused;
  private boolean endOfFile;
  private boolean endRequested;

  /** The kernel's buffer is full; the poller tells when to go on. */
  private boolean blocked;

  /** Sending failed; Python has been scheduled to make the connection lost. */
  private boolean failed;

  private boolean flushScheduled;

  /** From {@link #awaitDrain} to {@link #endAwaitDrain}: somebody else sends on the socket. */
  private boolean drainAwaited;

  /** A connection that does not read before {@link #startReading}. */
  public Connection(EventLoop loop, int fd, Callbacks callbacks) {
    super(fd);
    this.loop = loop;
    this.callbacks = callbacks;
    this.inbound = new Inbound(loop, callbacks);
  }

  // ---- reading -------------------------------------------------------------------------------

  /** Starts to deliver what arrives. */
  public void startReading() {
    started = true;
    updateInterest();
  }

  /** Stops delivering; data that was read and not yet delivered is held back. */
  public void pauseReading() {
    if (state == State.OPEN && !paused) {
      paused = true;
      inbound.takeBack();
      flushLater(); // which tells the poller, unless reading is resumed until then
    }
  }

  /** Delivers what was held back, and reads on. */
  public void resumeReading() {
    if (state == State.OPEN && paused) {
      paused = false;
      inbound.deliverHeld();
      updateInterest();
    }
  }

  /** Whether data is being delivered. */
  public boolean isReading() {
    return !isClosing() && !paused;
  }

  /** The protocol has changed; see {@link Inbound#setReceiver}. */
  public void setReceiver(long receiver) {
    inbound.setReceiver(receiver);
  }

  /** Data that was held back and may be delivered now, or 0. */
  @Owned
  public long takeHeld() {
    return isReading() ? inbound.takeHeld() : 0;
  }

  private boolean wantsToRead() {
    return started && isReading() && !endOfFile;
  }

  private int interest() {
    return (wantsToRead() ? Poller.READ : 0) | (blocked ? Poller.WRITE : 0);
  }

  private boolean isGone() {
    return state == State.CLOSED;
  }

  /** To be called last: where nothing is of interest any more, the transport may die here. */
  private void updateInterest() {
    if (!isGone()) {
      int interest = interest();
      loop.watch(this, interest);
      callbacks.keepAlive(interest != 0 || flushScheduled);
    }
  }

  @Override
  protected void ready(int readiness) {
    if ((readiness & Poller.READ) != 0 && wantsToRead()) {
      read();
    }
    if ((readiness & Poller.WRITE) != 0 && blocked) {
      send();
    }
    updateInterest();
  }

  /** Hot: a poll, a receive, a bytes object, a tuple used again. */
  private void read() {
    if (inbound.isWaiting() || loop.isBatchFull(this)) {
      return;
    }
    if (!callbacks.hasReceiver()) {
      inbound.letRead();
      return;
    }
    long buffer = loop.readBuffer();
    long count = SysSocket.recv(fd, buffer, EventLoop.READ_BUFFER_SIZE, 0);
    if (count > 0) {
      inbound.deliver(loop.bytesPool().copyOf(buffer, count), count);
    } else {
      received(count);
    }
  }

  /** The end of the stream, or an error, or nothing. */
  private void received(long result) {
    if (result == 0) {
      endOfFile = true;
      loop.schedule(callbacks.endOfFile());
    } else if (result != -EAGAIN && result != -EINTR) {
      endOfFile = true;
      loop.schedule(callbacks.readFailed((int) -result));
    }
  }

  /**
   * Receives into a protocol's own buffer.
   *
   * @return how many bytes, or 0 if there is nothing to tell the protocol
   */
  public long receiveInto(long address, long length) {
    if (!wantsToRead()) {
      return 0;
    }
    long count = SysSocket.recv(fd, address, length, 0);
    if (count <= 0) {
      received(count);
      updateInterest();
      return 0;
    }
    return count;
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Sends data now ({@link WriteHabit}), or queues it, to be sent when the batch is over.
   *
   * @param owner {@code bytes} or what else keeps the memory alive
   * @return whether the protocol is now to be told to pause
   */
  public boolean write(@Owned long owner, long address, long length) {
    long sent = 0;
    if (habit.isLikelyAlone(loop.batch()) && queue.isEmpty()) {
      sent = Math.max(0, SysSocket.send(fd, address, length, MSG_NOSIGNAL));
      if (sent == length) {
        Ref.drop(owner);
        return false;
      }
    }
    queue.add(owner, address + sent, length - sent);
    if (sent > 0 || waterMarks.isAbove(queue.bytes())) {
      return writeMuch();
    }
    flushLater();
    return false;
  }

  private void flushLater() {
    if (!flushScheduled) {
      flushScheduled = true;
      callbacks.keepAlive(true);
      loop.flushLater(this);
    }
  }

  /** So much is worth a call now; the protocol pauses only if the kernel doesn't take it. */
  private boolean writeMuch() {
    if (!blocked) {
      send();
      updateInterest();
    }
    return waterMarks.pauses(queue.bytes());
  }

  /** Whether {@link #write} may be called: neither lost, nor ended, nor in use by a sendfile. */
  public boolean takesData() {
    return !isGone() && !failed && !endRequested && !drainAwaited;
  }

  /** Whether {@link #writeEof} was called. */
  public boolean isEndRequested() {
    return endRequested;
  }

  @Override
  public void flush() {
    flushScheduled = false;
    if (!queue.isEmpty() && !blocked) {
      send();
    }
    updateInterest();
  }

  private void send() {
    int status = queue.send(fd);
    blocked = false;
    if (queue.isEmpty()) {
      drained();
    } else if (status == 0 || status == -EAGAIN || status == -EINTR) {
      blocked = true;
      resumeProtocol();
    } else {
      failed = true;
      queue.clear();
      loop.schedule(callbacks.writeFailed(-status));
    }
  }

  private void drained() {
    boolean resumes = resumeProtocol();
    if (drainAwaited) {
      loop.schedule(callbacks.drained());
    }
    if (resumes && state == State.CLOSING) {
      loop.schedule(callbacks.endWriting()); // resume_writing, before it, may write more
    } else {
      endWriting();
    }
  }

  /**
   * The protocol knows that the queue is empty; if it still is, what had to wait for that is due.
   */
  public void endWriting() {
    if (isGone() || !queue.isEmpty()) {
      return;
    }
    if (state == State.CLOSING) {
      loop.schedule(callbacks.connectionLost());
      lose();
    } else if (endRequested) {
      SysSocket.shutdown(fd, SHUT_WR);
    }
  }

  private boolean resumeProtocol() {
    boolean resumes = waterMarks.resumes(queue.bytes());
    if (resumes) {
      loop.schedule(callbacks.resumeWriting());
    }
    return resumes;
  }

  /** How many bytes the kernel has not taken. */
  public long bufferSize() {
    flush();
    return queue.bytes();
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
    return waterMarks.isAbove(queue.bytes()) && writeMuch();
  }

  /** Shuts the sending side down when all is sent. */
  public void writeEof() {
    if (state == State.OPEN && !endRequested) {
      endRequested = true;
      if (queue.isEmpty()) {
        SysSocket.shutdown(fd, SHUT_WR);
      } else {
        flush();
      }
    }
  }

  /** Takes no data any more and has Python told when the queue is empty, if it isn't yet. */
  public boolean awaitDrain() {
    flush();
    drainAwaited = true;
    return queue.isEmpty();
  }

  /** Takes data again. */
  public void endAwaitDrain() {
    drainAwaited = false;
  }

  // ---- the end -------------------------------------------------------------------------------

  /**
   * Reads no more and sends what is queued.
   *
   * @return whether nothing is left to send: the caller then schedules {@code connection_lost}
   */
  public boolean close() {
    if (state != State.OPEN) {
      return false;
    }
    if (!queue.isEmpty()) {
      flush();
    }
    state = State.CLOSING;
    if (queue.isEmpty() && !failed) {
      lose();
      return true;
    }
    inbound.drop();
    updateInterest();
    return false;
  }

  /** Drops what is queued; returns whether the caller has to schedule {@code connection_lost}. */
  public boolean abort() {
    if (isGone()) {
      return false;
    }
    flush(); // what asyncio would have sent as it was written
    if (isGone()) {
      return false;
    }
    queue.clear();
    lose();
    return true;
  }

  private void lose() {
    state = State.CLOSED;
    blocked = false;
    inbound.drop();
    loop.forget(this);
  }

  /** Whether it is ending; who writes without ever waiting must see a failure at once. */
  public boolean isClosing() {
    return failed || state != State.OPEN;
  }

  @Override
  protected void loopClosed() {
    dispose();
  }

  /** Ends all that is left, before Python closes the descriptor. */
  public void dispose() {
    queue.clear();
    if (!isGone()) {
      lose();
    }
    inbound.dispose();
    callbacks.keepAlive(false);
  }
}
