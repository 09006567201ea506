package rloop.transport;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.io.relay.NotedStream;
import rloop.io.relay.Notes;
import rloop.io.stream.StreamCalls;
import rloop.io.stream.StreamEndpoint;
import rloop.io.stream.StreamEvents;
import rloop.loop.Affinity;
import rloop.loop.EventLoop;
import rloop.loop.Tally;

/**
 * The Python half of a stream transport: over a connected socket, which may use TLS, or over one
 * end of a pipe.
 *
 * <p>Reading is done when the poller says so, before the batch runs, so data may be read and not
 * yet delivered when an earlier call of the batch pauses, closes or re-wires the transport: such
 * data comes back here ({@link Inbound}).
 */
public final class StreamConnection extends TransportChannel implements StreamEvents {
  /** So much may be read ahead of the protocol while the I/O is lent, in bytes. */
  private static final long MOST_AHEAD = 256 * 1024;

  private final StreamEndpoint endpoint;
  private final Inbound inbound;
  private final StreamReading reading;
  private final StreamReceiver receiver;
  private final TlsConnection tls;
  private final Outbound outbound;

  /** Null if this stays where it was made. */
  private @Nullable Following following;

  /** Others use the pipe as well, or wait for what is in it: what is written is sent at once. */
  private final boolean sendsAtOnce;

  private boolean endRequested;

  /** Sending failed; Python has been scheduled to make the connection lost. */
  private boolean failed;

  /** The sequence number of the call that does so. */
  private long failureCall = EventLoop.NO_CALL;

  /** From {@link #awaitDrain} to {@link #endAwaitDrain}: somebody else sends on the socket. */
  private boolean drainAwaited;

  /** One that does not read before {@link Reading#start}. */
  public StreamConnection(EventLoop loop, OpenFile file, StreamCalls calls, Callbacks callbacks) {
    super(loop, callbacks);
    this.endpoint = open(loop, file, calls);
    this.inbound = new Inbound(loop, callbacks);
    this.reading = new StreamReading(this, endpoint, inbound, callbacks);
    this.receiver = new StreamReceiver(loop, endpoint);
    this.tls = new TlsConnection(this, loop, endpoint, callbacks);
    this.outbound = new Outbound(this, endpoint, tls, callbacks);
    this.sendsAtOnce = calls != StreamCalls.SOCKET;
    tellOfBeginning();
  }

  @Override
  String kind() {
    return sendsAtOnce ? "pipe" : "stream";
  }

  @Override
  Tally tally() {
    return sendsAtOnce ? loop.counters().pipes : loop.counters().sockets;
  }

  private StreamEndpoint open(EventLoop loop, OpenFile file, StreamCalls calls) {
    int fd = file.fd();
    long number = keepNumberOf(file);
    int share = loop.driver().assignShare();
    Notes notes = loop.io().notes(share);
    if (notes == null) {
      return new StreamEndpoint(loop.driver(), share, fd, number, calls, this);
    }
    NotedStream noted = new NotedStream(notes, this);
    StreamEndpoint opened = new StreamEndpoint(loop.driver(), share, fd, number, calls, noted);
    noted.setEndpoint(opened);
    return opened;
  }

  @Override
  StreamEndpoint endpoint() {
    return endpoint;
  }

  // ---- where it is at home ---------------------------------------------------------------------

  /** Is at home, from now on, on the worker that writes to it; with an affinity of its own. */
  public void followUsers(Affinity affinity) {
    following = new Following(this, affinity);
  }

  @Override
  public void takeIo() {
    visit();
    super.takeIo();
  }

  /** This thread is in a method, which may let others in. */
  public void visit() {
    if (following != null) {
      following.visit();
    }
  }

  /** Where it is at home. */
  EventLoop loop() {
    return loop;
  }

  /** Whether somebody works on the endpoint. */
  boolean isInUse() {
    return callbacks.isInUse();
  }

  /** Moves; both loops are locked, and nobody is in a method. */
  void moveTo(EventLoop other, Affinity affinity) {
    used(true);
    try {
      endpoint.reserveIn(other.driver());
      loop.handOver(other, callbacks.context(), affinity, this::renumber);
      tally().moveTo(other.counters().sockets);
      boolean hasDelivered = inbound.moveTo(other);
      receiver.moveTo(other);
      tls.moveTo(other);
      loop = other;
      callbacks.type.setLoopState(callbacks.transport, other.lock());
      endpoint.moveTo(other.driver());
      if (hasDelivered) {
        inbound.batchFinished();
      }
    } finally {
      used(false);
    }
  }

  /** Has the loop look at this before it starts another call. */
  void flushSoon() {
    loop.flushLater(endpoint);
  }

  private void renumber(long from, long to) {
    inbound.renumber(from, to);
    if (from == failureCall) {
      failureCall = to;
    }
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  public StreamReading reading() {
    return reading;
  }

  /** Hot. */
  @Override
  public boolean makeRoom() {
    if (inbound.isWaiting()) {
      return false;
    }
    if (!callbacks.hasReceiver()) {
      inbound.letRead();
      return false;
    }
    receiver.makeRoom();
    return true;
  }

  @Override
  public void prepareRoom() {
    if (!isGone()) {
      receiver.prepareRoom();
    }
  }

  /** Hot: a bytes object, a tuple used again. */
  @Override
  public void received(long address, long count) {
    long data = receiver.take(address, count);
    if (callbacks.hasReceiver() && !inbound.isWaiting()) {
      inbound.deliver(data, count);
      reading.takeBackUnwanted();
    } else { // an I/O thread has read ahead
      inbound.hold(data);
      if (inbound.heldBytes() > MOST_AHEAD) {
        reading.update();
      }
    }
  }

  @Override
  public void readable() {
    if (!inbound.isWaiting()) {
      inbound.letRead();
    }
  }

  @Override
  public void ended(int errno) {
    inbound.deliverEnd(errno);
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Queues data, to be sent when the batch is over.
   *
   * <p>Even a single piece: to send each from within its callback takes 5 to 10 % more CPU, as
   * Python's code and the kernel's then drive each other from the caches.
   *
   * @param owner what keeps the memory alive, {@code bytes}
   * @return whether the protocol is now to be told to pause
   */
  public boolean write(@Owned long owner, long address, long length) {
    if (loop.io().isLent()) {
      if (outbound.hasRoom(length)) {
        outbound.add(owner, address, length, false);
        return false;
      }
      if (!takesData()) { // since others were let in
        released(owner);
        return false;
      }
    }
    endpoint.add(owner, address, length);
    return sendsAtOnce ? sendNow() : sendSoon();
  }

  @Override
  public void released(@Owned long owner) {
    loop.bytesPool().giveBack(owner);
  }

  /** Whether {@link #write} may be called: neither lost, nor ended, nor in use by a sendfile. */
  public boolean takesData() {
    return !isLost() && !endRequested && !drainAwaited && (isOpen() || !sendsAtOnce);
  }

  /** Whether nothing is sent any more. */
  boolean isLost() {
    return isGone() || failed;
  }

  /** Whether what is written never waits for the end of the batch. */
  boolean sendsAtOnce() {
    return sendsAtOnce;
  }

  /** What is written and not sent by who writes. */
  Outbound outbound() {
    return outbound;
  }

  /** Whether {@link #writeEof} was called. */
  public boolean isEndRequested() {
    return endRequested;
  }

  /** Who has the socket as well may close it, or send by it. */
  @Override
  protected boolean isShared() {
    return super.isShared() || callbacks.isFileShared();
  }

  @Override
  protected boolean isLeftToHome(boolean isMuch) {
    if (!loop.isAnotherWorker()) {
      return false;
    }
    if (following != null) {
      if (!following.comesHere() || isMuch || isShared()) {
        return false; // it is sent now
      }
      loop.flushLater(endpoint);
      return true;
    }
    if (isShared() || !loop.isSiblingsThread()) { // what another thread writes leaves at once
      return false;
    }
    outbound.leaveToHome(isMuch);
    return true;
  }

  @Override
  public void progressed() {
    outbound.pauseIfDue();
    tls.resumeWriter();
    super.progressed();
  }

  @Override
  public void drained() {
    outbound.allSent();
    tls.resumeWriter();
    if (drainAwaited) {
      loop.schedule(callbacks.drained());
    }
    super.drained();
  }

  @Override
  public void failed(int errno) {
    if (!isLost()) {
      failed = true;
      failureCall = loop.schedule(callbacks.writeFailed(errno));
    }
  }

  /** What was found before, and is being told, is why the connection is lost. */
  public void takeBackFailure() {
    if (hasFailureToTell()) {
      long call = failureCall;
      failureCall = EventLoop.NO_CALL;
      loop.takeBack(call);
    }
  }

  @Override
  public void endWriting() {
    super.endWriting();
    if (isOpen() && endRequested && endpoint.isAllSent()) {
      var _ = endpoint.shutdownWriting(); // the peer may be gone
    }
  }

  /**
   * Shuts the sending side down when all is sent.
   *
   * @throws PyException an {@code OSError}, if that is now
   */
  public void writeEof() {
    if (isOpen() && !endRequested) {
      endRequested = true;
      if (endpoint.isAllSent()) {
        PyException.checkErrno(endpoint.shutdownWriting());
      } else {
        endpoint.flush();
      }
    }
  }

  /** Takes no data any more and has Python told when the queue is empty, if it isn't yet. */
  public boolean awaitDrain() {
    endpoint.flush();
    drainAwaited = true;
    return endpoint.isAllSent();
  }

  /** Takes data again. */
  public void endAwaitDrain() {
    drainAwaited = false;
  }

  @Override
  protected boolean hasFailureToTell() {
    return loop.isWaiting(failureCall);
  }

  /** Who writes without ever waiting must see a failure at once. */
  @Override
  public boolean isClosing() {
    return failed || super.isClosing();
  }

  // ---- TLS -----------------------------------------------------------------------------------

  /** What encrypts and decrypts, while it is in use. */
  public TlsConnection tls() {
    return tls;
  }

  /** What was received with the end of the handshake, or had no room elsewhere; 0 if nothing. */
  @Owned
  public long receiveTlsRest() {
    if (!endpoint.hasUnread()) {
      return 0;
    }
    receiver.makeRoom();
    long count = endpoint.decryptUnread();
    return count > 0 ? receiver.take(endpoint.room(), count) : 0;
  }

  @Override
  public void handshakeFed() {
    loop.schedule(callbacks.tlsHandshake());
  }

  @Override
  public void tlsEnded() {
    loop.schedule(callbacks.tlsEnded());
  }

  @Override
  public void tlsHandedBack() {
    loop.schedule(callbacks.tlsRead());
  }

  @Override
  public void tlsFailed(long error) {
    tls.failed();
    loop.schedule(callbacks.tlsFailed(error));
  }

  /** The receiver of what was decrypted is none any more. */
  void forgetReceiver() {
    inbound.dropData();
    callbacks.setReceiver(0);
  }

  // ---- the end -------------------------------------------------------------------------------

  @Override
  public boolean close() {
    if (isOpen()) {
      tls.stop(true);
    }
    return super.close();
  }

  @Override
  protected void lose() {
    super.lose();
    receiver.close();
    if (tls.isInUse()) {
      tls.forget();
    }
  }
}
