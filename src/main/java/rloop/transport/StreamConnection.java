package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.SHUT_WR;

import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.stream.StreamCalls;
import rloop.io.stream.WriteQueue;
import rloop.loop.EventLoop;
import rloop.posix.SysSocket;

/**
 * A stream of bytes: a connected socket, to which {@link Connection} adds TLS, or one end of a
 * pipe.
 *
 * <p>Reading is done when the poller says so, before the batch runs, so data may be read and not
 * yet delivered when an earlier call of the batch pauses, closes or re-wires the connection: such
 * data comes back here ({@link Inbound}).
 */
public abstract class StreamConnection extends TransportChannel {
  /** There is neither data nor an end. */
  public static final long NOTHING_TO_TELL = Long.MIN_VALUE;

  /** A bit that no object's address has. */
  private static final long POOLED = 1;

  protected final StreamCalls calls;
  private final StreamReceiver receiver;
  protected final Inbound inbound;
  protected final WriteQueue queue = new WriteQueue(this::release);
  private boolean endOfFile;

  /** The error that was the end, or 0. */
  private int readError;

  private boolean endRequested;

  /** Sending failed; Python has been scheduled to make the connection lost. */
  private boolean failed;

  /** The sequence number of the call that does so. */
  private long failureCall = EventLoop.NO_CALL;

  /** From {@link #awaitDrain} to {@link #endAwaitDrain}: somebody else sends on the socket. */
  private boolean drainAwaited;

  /** A connection that does not read before {@link #startReading}. */
  StreamConnection(EventLoop loop, OpenFile file, Callbacks callbacks, StreamCalls calls) {
    super(loop, file, callbacks);
    this.calls = calls;
    this.receiver = new StreamReceiver(loop, calls);
    this.inbound = new Inbound(loop, callbacks);
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  final Inbound undelivered() {
    return inbound;
  }

  @Override
  protected final boolean wantsToRead() {
    return super.wantsToRead() && !endOfFile;
  }

  /** Hot: a receive, a bytes object, a tuple used again. */
  @Override
  protected void read() {
    if (inbound.isWaiting()) {
      return;
    }
    if (!callbacks.hasReceiver()) {
      inbound.letRead();
      return;
    }
    long data = receiver.receive(fd());
    if (data != 0) {
      inbound.deliver(data, receiver.result());
      takeBackUnwanted();
    } else {
      received(receiver.result());
    }
  }

  /** Also takes back that the stream has ended: the kernel tells of the end again. */
  @Override
  public void pauseReading() {
    if (isReading() && inbound.takeBackEnd()) {
      endOfFile = false;
    }
    super.pauseReading();
  }

  /** The end of the stream, or an error, or nothing. */
  protected final void received(long result) {
    long end = ended(result);
    if (end != NOTHING_TO_TELL) {
      inbound.deliverEnd(end == 0 ? callbacks.endOfFile() : callbacks.readFailed((int) -end));
    }
  }

  /** What a receive that returned no data means: the end (0 or {@code -errno}), or nothing. */
  private long ended(long result) {
    if (result == -EAGAIN || result == -EINTR) {
      return NOTHING_TO_TELL;
    }
    endOfFile = true;
    if (result < 0) {
      readError = (int) -result; // which the kernel tells once
    }
    return -readError;
  }

  /**
   * Receives into a protocol's own buffer.
   *
   * @return how many bytes; 0 at the end of the stream, or {@code -errno}, for the caller to tell;
   *     or {@link #NOTHING_TO_TELL}
   */
  public long receiveInto(long address, long length) {
    if (!wantsToRead()) {
      return NOTHING_TO_TELL;
    }
    return inbound.holdsData()
        ? inbound.takeHeldInto(address, length)
        : receivedInto(calls.receive(fd(), address, length));
  }

  /** What {@link #receiveInto} returns, from what the receive did. */
  protected final long receivedInto(long result) {
    if (result > 0) {
      inbound.hasRead(result);
      return result;
    }
    long end = ended(result);
    updateInterest();
    return end;
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Queues data, to be sent when the batch is over.
   *
   * <p>Even a single piece: to send each from within its callback takes 5 to 10 % more CPU, as
   * Python's code and the kernel's then drive each other from the caches.
   *
   * @param owner what keeps the memory alive: {@code bytes}, or {@link #pooled} ones
   * @return whether the protocol is now to be told to pause
   */
  public boolean write(@Owned long owner, long address, long length) {
    queue.add(owner, address, length);
    return sendSoon();
  }

  /** Marks {@code bytes} of {@link #bytesPool} as an owner, to go back there. */
  @Owned
  public static long pooled(@Owned long bytes) {
    return bytes | POOLED;
  }

  /** Gives the owner of a chunk up. */
  final void release(@Owned long owner) {
    if ((owner & POOLED) == 0) {
      Ref.drop(owner);
    } else {
      loop.bytesPool().giveBack(owner & ~POOLED);
    }
  }

  /** Whether {@link #write} may be called: neither lost, nor ended, nor in use by a sendfile. */
  public boolean takesData() {
    return !isGone() && !failed && !endRequested && !drainAwaited;
  }

  /** Whether {@link #writeEof} was called. */
  public boolean isEndRequested() {
    return endRequested;
  }

  /** Who has the socket as well may close it, or send by it. */
  @Override
  protected final boolean gathers() {
    return super.gathers() && !callbacks.isFileShared();
  }

  @Override
  protected boolean isAllSent() {
    return queue.isEmpty();
  }

  @Override
  protected final long queuedBytes() {
    return queue.bytes();
  }

  @Override
  protected void dropQueue() {
    queue.clear();
  }

  @Override
  protected void send() {
    sent(queue.isEmpty() ? 0 : queue.send(fd(), calls));
  }

  /** What follows from the result of the last call that sent, 0 or {@code -errno}. */
  protected final void sent(int status) {
    blocked = false;
    if (queue.isEmpty()) {
      drained();
    } else if (status == 0 || status == -EAGAIN || status == -EINTR) {
      blocked = true;
      resumeProtocol();
    } else {
      sendFailed(-status);
    }
  }

  @Override
  protected final void sendFailed(int errno) {
    failed = true;
    queue.clear();
    failureCall = loop.schedule(callbacks.writeFailed(errno));
  }

  @Override
  protected void drained() {
    if (drainAwaited) {
      loop.schedule(callbacks.drained());
    }
    super.drained();
  }

  @Override
  public void endWriting() {
    super.endWriting();
    if (isOpen() && endRequested && queue.isEmpty()) {
      SysSocket.shutdown(fd(), SHUT_WR);
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
      if (queue.isEmpty()) {
        PyException.checkErrno(SysSocket.shutdown(fd(), SHUT_WR));
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

  @Override
  protected boolean hasFailureToTell() {
    return loop.isWaiting(failureCall);
  }

  /** Who writes without ever waiting must see a failure at once. */
  @Override
  public boolean isClosing() {
    return failed || super.isClosing();
  }
}
