package rloop.transport;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.io.stream.StreamCalls;
import rloop.io.tls.TlsStream;
import rloop.loop.EventLoop;
import rloop.posix.SysSocket;

/** A connected stream socket, which may use TLS from {@link #startTls} to {@link #stopTls}. */
public final class Connection extends StreamConnection {
  /** What comes and goes is ciphertext while there is one. */
  private @Nullable TlsLayer tls;

  /** Python is in a call of OpenSSL's, and lets others in: nobody may use the {@code SSL}. */
  private boolean isSslLent;

  /** The sequence number of the last call that takes a step of the handshake. */
  private long handshakeStep = EventLoop.NO_CALL;

  /** A connection that does not read before {@link #startReading}. */
  public Connection(EventLoop loop, OpenFile file, Callbacks callbacks) {
    super(loop, file, callbacks, StreamCalls.SOCKET);
  }

  // ---- from the handshake to the end of TLS ---------------------------------------------------

  /**
   * From now on the ciphertext of a handshake is read and sent here.
   *
   * @param sslSocket what keeps {@code ssl} alive
   */
  public void startTls(long ssl, @Owned long sslSocket) {
    tls = new TlsLayer(new TlsStream(ssl), this::release); // before an earlier one's SSL may die
    callbacks.setSslSocket(sslSocket);
  }

  /** Python uses the {@code SSL} from now on, without the lock. */
  public void lendSsl() {
    isSslLent = tls != null;
  }

  /** Python has used it, if it did. */
  public void returnSsl() {
    if (isSslLent) {
      flushTls();
    }
  }

  /** Sends the ciphertext that there is, when the batch is over. */
  public void flushTls() {
    isSslLent = false;
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
    TlsLayer layer = tls;
    if (layer == null) {
      return false;
    }
    layer.open();
    flushTls();
    return layer.state() == TlsStream.State.OPEN;
  }

  /**
   * Leaves reading and writing to Python again; what was not delivered is dropped.
   *
   * @param lossless whether all that was written is encrypted and queued, or only what can be sent
   *     at once
   */
  public void stopTls(boolean lossless) {
    TlsLayer layer = tls;
    if (layer == null) {
      return;
    }
    if (!isGone()) {
      flush();
      if (lossless && isCurrent(layer) && !isSslLent) {
        layer.encryptAll(queue);
        flushLater();
      }
    }
    dropTls();
  }

  private void dropTls() {
    if (tls != null) {
      tls.clear();
      tls = null;
      callbacks.setSslSocket(0); // from here on others come in
      inbound.dropData();
      callbacks.setReceiver(0);
    }
  }

  /** Whether TLS was not left while others were let in: its {@code SSL} would be gone. */
  @SuppressWarnings("ReferenceEquality")
  private boolean isCurrent(TlsLayer layer) {
    return layer == tls;
  }

  @Override
  public boolean close() {
    if (isOpen()) {
      stopTls(true);
    }
    return super.close();
  }

  // ---- reading -------------------------------------------------------------------------------

  /** Hot. */
  @Override
  protected void read() {
    TlsLayer layer = tls;
    if (layer == null) {
      super.read();
    } else if (!inbound.isWaiting()) {
      read(layer);
    }
  }

  private void read(TlsLayer layer) {
    if (layer.state() == TlsStream.State.HANDSHAKE) {
      readHandshake(layer);
    } else if (layer.state() == TlsStream.State.OPEN && callbacks.hasReceiver()) {
      readData(layer);
    } else {
      inbound.letRead();
    }
  }

  /** What has come in is there for the next step of the handshake, which Python takes. */
  private void readHandshake(TlsLayer layer) {
    if (loop.isWaiting(handshakeStep)) {
      return; // what comes after its end is not for the step after it
    }
    long buffer = loop.readBuffer();
    long count = SysSocket.recv(fd(), buffer, EventLoop.READ_BUFFER_SIZE, 0);
    if (count > 0) {
      layer.feed(buffer, (int) count);
      handshakeStep = loop.schedule(callbacks.tlsHandshake());
    } else {
      received(count);
    }
  }

  /** Hot: what has come in becomes one bytes object, however many records it was. */
  private void readData(TlsLayer layer) {
    long buffer = loop.readBuffer();
    long count = SysSocket.recv(fd(), buffer, EventLoop.READ_BUFFER_SIZE, 0);
    if (count <= 0) {
      received(count);
      return;
    }
    long size = layer.decrypt(buffer, count);
    if (size > 0) {
      inbound.deliver(loop.bytesPool().copyOf(TlsLayer.plaintext(), size), size);
      takeBackUnwanted();
    }
    if (isCurrent(layer)) {
      decrypted(layer);
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

  /**
   * As {@link #receiveInto}, what TLS makes of the data; what does not fit follows in a later call
   * of the protocol.
   */
  public long receiveTlsInto(long address, long length) {
    TlsLayer layer = tls;
    if (layer == null || !wantsToRead()) {
      return NOTHING_TO_TELL;
    }
    if (inbound.holdsData()) {
      return takeHeldInto(layer, address, length);
    }
    if (layer.state() != TlsStream.State.OPEN) {
      return NOTHING_TO_TELL;
    }
    long ciphertext = loop.readBuffer();
    long count = 0;
    if (!layer.isUnread()) {
      long room = Math.min(length + TlsStream.LARGEST_RECORD, EventLoop.READ_BUFFER_SIZE);
      count = SysSocket.recv(fd(), ciphertext, room, 0);
      if (count <= 0) {
        return receivedInto(count);
      }
    }
    long size = layer.decryptInto(ciphertext, count, address, length);
    decrypted(layer);
    if (layer.state() == TlsStream.State.OPEN && layer.isUnread()) {
      loop.schedule(callbacks.readBuffered());
    }
    inbound.hasRead(size);
    updateInterest();
    return size > 0 ? size : NOTHING_TO_TELL;
  }

  private long takeHeldInto(TlsLayer layer, long address, long length) {
    long count = inbound.takeHeldInto(address, length);
    if (!inbound.holdsData()) {
      heldIsDelivered(layer);
    }
    return count;
  }

  @Override
  @Owned
  public long takeHeld() {
    long data = super.takeHeld();
    if (data != 0 && tls != null) {
      heldIsDelivered(tls);
    }
    return data;
  }

  /** What came behind the data that was held has waited for that. */
  private void heldIsDelivered(TlsLayer layer) {
    switch (layer.state()) {
      case HANDSHAKE -> {} // it was ciphertext, from before TLS
      case OPEN -> {
        if (layer.isUnread() && !callbacks.hasReceiver()) {
          loop.schedule(callbacks.readBuffered());
        }
      }
      case ENDED, HANDED_BACK, FAILED -> decrypted(layer);
    }
  }

  /**
   * Whether there is data from before the protocol was replaced, which has to be delivered first.
   */
  public boolean holdsData() {
    return inbound.holdsData();
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

  // ---- writing -------------------------------------------------------------------------------

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
    if (!layer.waterMarks().isAbove(waiting(layer)) && gathers()) {
      flushLater();
      return false;
    }
    sendUnlessBlocked();
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

  @Override
  protected boolean isAllSent() {
    return super.isAllSent() && (tls == null || !tls.hasOutput());
  }

  @Override
  protected void dropQueue() {
    super.dropQueue();
    dropTls();
  }

  @Override
  protected void send() {
    TlsLayer layer = tls;
    if (layer == null) {
      super.send();
      return;
    }
    if (isSslLent) {
      return; // whoever has it sends what there is then
    }
    boolean isTakenAlong = queue.bytes() <= TlsLayer.MOST_TAKEN_ALONG;
    int status = isTakenAlong ? 0 : queue.send(fd(), calls);
    if (queue.isEmpty() || isTakenAlong) {
      status = layer.send(fd(), queue);
      reportTlsFailure(layer);
    }
    resumeTlsWriter(layer);
    sent(status);
  }
}
