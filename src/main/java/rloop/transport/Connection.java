package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.SHUT_WR;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.loop.EventLoop;
import rloop.posix.SysSocket;
import rloop.tls.TlsStream;

/**
 * A connected stream socket.
 *
 * <p>Reading is done when the poller says so, before the batch runs, so data may be read and not
 * yet delivered when an earlier call of the batch pauses, closes or re-wires the connection: such
 * data comes back here ({@link Inbound}).
 */
public final class Connection extends TransportChannel {
  /** No call has this sequence number. */
  private static final long NO_STEP = -1;

  private final StreamReceiver receiver;
  private final Inbound inbound;
  private final WriteQueue queue = new WriteQueue(Ref::drop);
  private boolean endOfFile;
  private boolean endRequested;

  /** Sending failed; Python has been scheduled to make the connection lost. */
  private boolean failed;

  /** From {@link #awaitDrain} to {@link #endAwaitDrain}: somebody else sends on the socket. */
  private boolean drainAwaited;

  /**
   * Between {@link #startTls} and {@link #stopTls}: the receiver's data is what TLS makes of it.
   */
  private @Nullable TlsLayer tls;

  /** The sequence number of the last call that takes a step of the handshake. */
  private long handshakeStep = NO_STEP;

  /** A connection that does not read before {@link #startReading}. */
  public Connection(EventLoop loop, int fd, Callbacks callbacks) {
    super(loop, fd, callbacks);
    this.receiver = new StreamReceiver(loop);
    this.inbound = new Inbound(loop, callbacks);
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  Inbound undelivered() {
    return inbound;
  }

  @Override
  protected boolean wantsToRead() {
    return super.wantsToRead() && !endOfFile;
  }

  /** Hot: a receive, a bytes object, a tuple used again. */
  @Override
  protected void read() {
    if (inbound.isWaiting() || loop.isBatchFull(this)) {
      return;
    }
    TlsLayer layer = tls;
    if (!callbacks.hasReceiver() || (layer != null && layer.state() != TlsStream.State.OPEN)) {
      if (layer != null && layer.state() == TlsStream.State.HANDSHAKE) {
        readHandshake(layer);
      } else {
        inbound.letRead();
      }
      return;
    }
    if (layer != null) {
      readTls(layer);
      return;
    }
    long data = receiver.receive(fd);
    if (data != 0) {
      inbound.deliver(data, receiver.result());
    } else {
      received(receiver.result());
    }
  }

  /** Hot: what has come in becomes one bytes object, however many records it was. */
  private void readTls(TlsLayer layer) {
    long buffer = loop.readBuffer();
    long count = SysSocket.recv(fd, buffer, EventLoop.READ_BUFFER_SIZE, 0);
    if (count <= 0) {
      received(count);
      return;
    }
    long size = layer.decrypt(buffer, count);
    if (size > 0) {
      inbound.deliver(loop.bytesPool().copyOf(TlsLayer.plaintext(), size), size);
    }
    decrypted(layer);
  }

  /** What has come in is there for the next step of the handshake, which Python takes. */
  private void readHandshake(TlsLayer layer) {
    if (loop.isWaiting(handshakeStep)) {
      return; // what comes after its end is not for the step after it
    }
    long buffer = loop.readBuffer();
    long count = SysSocket.recv(fd, buffer, EventLoop.READ_BUFFER_SIZE, 0);
    if (count > 0) {
      layer.feed(buffer, (int) count);
      handshakeStep = loop.schedule(callbacks.tlsHandshake());
    } else {
      received(count);
    }
  }

  /** What else there is to do after ciphertext was read. */
  private void decrypted(TlsLayer layer) {
    switch (layer.state()) {
      case HANDSHAKE -> throw new IllegalStateException("there is no data before the handshake");
      case OPEN -> {
        if (!blocked && layer.hasOutput()) {
          send(); // an answer to the peer's key update, or what had to wait for the peer
        }
      }
      case ENDED -> loop.schedule(callbacks.tlsEnded());
      case HANDED_BACK -> loop.schedule(callbacks.tlsRead());
      case FAILED -> reportTlsFailure(layer);
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

  /**
   * As {@link #receiveInto}, what TLS makes of the data; what does not fit follows in a later call
   * of the protocol.
   */
  public long receiveTlsInto(long address, long length) {
    TlsLayer layer = tls;
    if (layer == null || layer.state() != TlsStream.State.OPEN || !wantsToRead()) {
      return 0;
    }
    long ciphertext = loop.readBuffer();
    long count = 0;
    if (!layer.isUnread()) {
      long room = Math.min(length + TlsStream.LARGEST_RECORD, EventLoop.READ_BUFFER_SIZE);
      count = SysSocket.recv(fd, ciphertext, room, 0);
      if (count <= 0) {
        received(count);
        updateInterest();
        return 0;
      }
    }
    long size = layer.decryptInto(ciphertext, count, address, length);
    decrypted(layer);
    if (layer.state() == TlsStream.State.OPEN && layer.isUnread()) {
      loop.schedule(callbacks.readBuffered());
    }
    updateInterest();
    return size;
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Queues data, to be sent when the batch is over.
   *
   * <p>Even a single piece: to send each from within its callback takes 5 to 10 % more CPU, as
   * Python's code and the kernel's then drive each other from the caches.
   *
   * @param owner {@code bytes} or what else keeps the memory alive
   * @return whether the protocol is now to be told to pause
   */
  public boolean write(@Owned long owner, long address, long length) {
    queue.add(owner, address, length);
    if (waterMarks.isAbove(queue.bytes())) {
      return writeMuch();
    }
    flushLater();
    return false;
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
  protected boolean isAllSent() {
    return queue.isEmpty() && (tls == null || !tls.hasOutput());
  }

  @Override
  protected long queuedBytes() {
    return queue.bytes();
  }

  @Override
  protected void dropQueue() {
    queue.clear();
    dropTls();
  }

  @Override
  protected void send() {
    boolean isTakenAlong = tls != null && queue.bytes() <= TlsLayer.MOST_TAKEN_ALONG;
    int status = queue.isEmpty() || isTakenAlong ? 0 : queue.send(fd);
    if (tls != null) {
      if (queue.isEmpty() || isTakenAlong) {
        status = tls.send(fd, queue);
        reportTlsFailure(tls);
      }
      resumeTlsWriter(tls);
    }
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
      SysSocket.shutdown(fd, SHUT_WR);
    }
  }

  /** Shuts the sending side down when all is sent. */
  public void writeEof() {
    if (isOpen() && !endRequested) {
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

  // ---- TLS -----------------------------------------------------------------------------------

  /**
   * From now on the ciphertext of a handshake is read and sent here.
   *
   * @param sslSocket what keeps {@code ssl} alive
   */
  public void startTls(long ssl, @Owned long sslSocket) {
    callbacks.setSslSocket(sslSocket);
    tls = new TlsLayer(new TlsStream(ssl));
  }

  /** Sends the ciphertext that there is, when the batch is over. */
  public void flushTls() {
    if (!isGone()) {
      flushLater();
    }
  }

  /**
   * From now on a receiver's data is encrypted and decrypted here; the handshake is done.
   *
   * @return whether it can be so
   */
  public boolean openTls() {
    if (tls == null) {
      return false;
    }
    tls.open();
    flushTls();
    return tls.state() == TlsStream.State.OPEN;
  }

  /** What was received with the end of the handshake, or had no room elsewhere; 0 if nothing. */
  @Owned
  public long receiveTlsRest() {
    TlsLayer layer = tls;
    if (layer == null || !layer.isUnread() || layer.state() != TlsStream.State.OPEN) {
      return 0;
    }
    long size = layer.decrypt(0, 0);
    if (layer.state() != TlsStream.State.OPEN) {
      decrypted(layer);
    } // else what OpenSSL has to say goes with what the data's receiver writes
    return size > 0 ? loop.bytesPool().copyOf(TlsLayer.plaintext(), size) : 0;
  }

  /**
   * Leaves reading and writing to Python again; what was not delivered is dropped.
   *
   * @param lossless whether all that was written is encrypted and queued, or only what can be sent
   *     at once
   */
  public void stopTls(boolean lossless) {
    if (tls == null) {
      return;
    }
    if (!isGone()) {
      flush();
      if (lossless) {
        tls.encryptAll(queue);
        flushLater();
      }
    }
    dropTls();
  }

  private void dropTls() {
    if (tls != null) {
      tls.clear();
      tls = null;
      inbound.drop();
      callbacks.setReceiver(0);
      callbacks.setSslSocket(0);
    }
  }

  /** Whether {@link #writeTls} may be called. */
  public boolean takesTlsData() {
    return tls != null && tls.state() != TlsStream.State.FAILED && takesData();
  }

  /**
   * As {@link #write}, for data to encrypt; if {@link #takesTlsData}.
   *
   * @return whether more waits now than the high-water mark allows
   */
  public boolean writeTls(@Owned long owner, long address, long length) {
    TlsLayer layer = Objects.requireNonNull(tls);
    layer.add(owner, address, length);
    if (!layer.waterMarks().isAbove(waiting(layer))) {
      flushLater();
      return false;
    }
    if (!blocked) {
      send();
      updateInterest();
    }
    return layer.waterMarks().isAbove(waiting(layer));
  }

  /** How many bytes wait to be sent, encrypted or not. */
  public long tlsBufferSize() {
    return tls == null ? 0 : waiting(tls);
  }

  private long waiting(TlsLayer layer) {
    return queue.bytes() + layer.bytes();
  }

  /** Sets the water marks of {@link #writeTls}, in bytes. */
  public void setTlsWaterMarks(long high, long low) {
    if (tls != null) {
      tls.waterMarks().set(high, low);
    }
  }

  /** The writer pauses: Python is to be told when no more waits than the low-water mark allows. */
  public void awaitTlsDrain() {
    if (tls != null) {
      tls.waterMarks().pause();
      resumeTlsWriter(tls);
    }
  }

  private void resumeTlsWriter(TlsLayer layer) {
    if (layer.waterMarks().resumes(waiting(layer))) {
      loop.schedule(callbacks.tlsDrained());
    }
  }

  private void reportTlsFailure(TlsLayer layer) {
    if (layer.hasFailedSinceAsked()) {
      loop.schedule(callbacks.tlsFailed(layer.error()));
    }
  }

  // ---- the end -------------------------------------------------------------------------------

  @Override
  public boolean close() {
    if (isOpen()) {
      stopTls(true);
    }
    return super.close();
  }

  /** Who writes without ever waiting must see a failure at once. */
  @Override
  public boolean isClosing() {
    return failed || super.isClosing();
  }
}
