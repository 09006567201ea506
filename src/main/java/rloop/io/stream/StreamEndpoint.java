package rloop.io.stream;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import rloop.io.Driver;
import rloop.io.Endpoint;
import rloop.io.tls.TlsStream;

/**
 * The I/O half of a stream transport: a connected socket, which may use TLS from {@link #startTls}
 * to {@link #stopTls}, or one end of a pipe. Here is what TLS adds; what comes and goes without it
 * is {@link PlainEndpoint}'s.
 *
 * <p>Thread rule: its {@link Driver}'s owner.
 */
public final class StreamEndpoint extends PlainEndpoint {
  // What C2 compiles while a class is not initialised, it throws away when objects of it come: at
  // the first TLS connection the whole way of a request.
  static {
    TlsLayer.initialize();
  }

  /** What comes and goes is ciphertext while there is one. */
  private @Nullable TlsLayer tls;

  /** Somebody else takes a step of the handshake: until it is done the {@code SSL} is theirs. */
  private boolean isSslLent;

  /** One that is not read before {@link #startReading}; see {@link Endpoint}. */
  public StreamEndpoint(
      Driver driver,
      int share,
      int fd,
      long numberAddress,
      StreamCalls calls,
      StreamEvents events) {
    super(driver, share, fd, numberAddress, calls, events);
  }

  // ---- from start to stop ----------------------------------------------------------------------

  /** From now on the ciphertext of a handshake of {@code ssl}, which outlives this, is moved. */
  public void startTls(long ssl) {
    driver.assertOwned();
    tls = new TlsLayer(new TlsStream(ssl), events::released);
  }

  /**
   * From now on data is encrypted and decrypted here; the handshake is done.
   *
   * @return whether it can be so
   */
  public boolean openTls() {
    returnSsl();
    if (tls == null) {
      return false;
    }
    tls.open();
    return tls.state() == TlsStream.State.OPEN;
  }

  /** Whether {@link #startTls} was called and {@link #stopTls} was not. */
  public boolean usesTls() {
    return tls != null;
  }

  /**
   * Leaves reading and writing to somebody else again.
   *
   * @param lossless whether all that was written is encrypted and queued, or only what can be sent
   *     at once
   */
  public void stopTls(boolean lossless) {
    driver.assertOwned();
    TlsLayer layer = tls;
    if (layer != null) {
      flush();
      if (lossless && isCurrent(layer) && !isSslLent) {
        layer.encryptAll(queue);
        if (!flushLater()) {
          flush();
        }
      }
      isSslLent = false;
      dropTls();
    }
  }

  private void dropTls() {
    if (tls != null) {
      tls.clear();
      tls = null;
    }
  }

  @Override
  public void close() {
    super.close();
    dropTls();
  }

  /** Somebody else uses the {@code SSL} from now on, also without the loop's lock. */
  public void lendSsl() {
    driver.assertOwned();
    isSslLent = tls != null;
  }

  /** The {@code SSL} is free again: what comes now is for the next step of the handshake. */
  public void returnSsl() {
    driver.assertOwned();
    isSslLent = false;
  }

  /** Whether somebody else uses the {@code SSL}. */
  public boolean isSslLent() {
    return isSslLent;
  }

  // ---- reading -------------------------------------------------------------------------------

  /** Hot. */
  @Override
  protected boolean read() {
    TlsLayer layer = tls;
    return layer == null ? super.read() : read(layer);
  }

  private boolean read(TlsLayer layer) {
    switch (layer.state()) {
      case HANDSHAKE -> readHandshake(layer);
      case OPEN -> {
        if (!events.makeRoom()) {
          return false;
        }
        readData(layer);
      }
      case ENDED, HANDED_BACK, FAILED -> {
        events.readable();
        return false;
      }
    }
    return true;
  }

  /** What has come in is there for the next step of the handshake, which Python takes. */
  private void readHandshake(TlsLayer layer) {
    if (isSslLent) {
      return; // what comes after its end is not for the step after it
    }
    long buffer = TlsLayer.received();
    long count = receive(buffer, Driver.READ_BUFFER_SIZE);
    if (count > 0) {
      layer.feed(buffer, (int) count);
      isSslLent = true;
      events.handshakeFed();
    } else {
      tellEnd(count);
    }
  }

  /** Hot: what has come in is told as one piece, however many records it was. */
  private void readData(TlsLayer layer) {
    long buffer = TlsLayer.received();
    long most = Math.min(roomSize() - TlsStream.LARGEST_RECORD, Driver.READ_BUFFER_SIZE);
    long count = receive(buffer, most);
    if (count <= 0) {
      tellEnd(count);
      return;
    }
    long size = layer.decrypt(buffer, count, room(), roomSize());
    if (size > 0) {
      tellReceived(size); // which may let others in
    }
    if (isCurrent(layer)) {
      decrypted(layer);
    }
  }

  /** Whether TLS was not left meanwhile: its {@code SSL} would be gone. */
  @SuppressWarnings("ReferenceEquality")
  private boolean isCurrent(TlsLayer layer) {
    return layer == tls;
  }

  /** What else there is to do after ciphertext was read. */
  private void decrypted(TlsLayer layer) {
    switch (layer.state()) {
      case HANDSHAKE -> throw new IllegalStateException("there is no data before the handshake");
      case OPEN -> {
        if (!isBlocked() && layer.hasOutput()) {
          send(); // an answer to the peer's key update, or what had to wait for the peer
        }
      }
      case ENDED -> events.tlsEnded();
      case HANDED_BACK -> events.tlsHandedBack();
      case FAILED -> tellTlsFailure(layer);
    }
  }

  /** Tells again of the end of data, for whom it came too early. */
  public void repeatTlsEnd() {
    TlsLayer layer = tls;
    if (layer != null
        && layer.state() != TlsStream.State.HANDSHAKE
        && layer.state() != TlsStream.State.OPEN) {
      decrypted(layer);
    }
  }

  private void tellTlsFailure(TlsLayer layer) {
    if (layer.hasFailedSinceAsked()) {
      events.tlsFailed(layer.error());
    }
  }

  /** As {@link #receiveInto}, what TLS makes of the data; {@link #hasUnread} tells of more. */
  public long decryptInto(long address, long length) {
    driver.assertOwned();
    TlsLayer layer = tls;
    if (layer == null || layer.state() != TlsStream.State.OPEN || !wantsToRead()) {
      return NOTHING;
    }
    long ciphertext = TlsLayer.received();
    long count = 0;
    if (!layer.isUnread()) {
      long most = Math.min(length + TlsStream.LARGEST_RECORD, Driver.READ_BUFFER_SIZE);
      count = receive(ciphertext, most);
      if (count <= 0) {
        return endedElsewhere(count);
      }
    }
    long size = layer.decrypt(ciphertext, count, address, length);
    decrypted(layer);
    settle();
    readElsewhere();
    return size > 0 ? size : NOTHING;
  }

  /** Whether there may be more data without receiving anything. */
  public boolean hasUnread() {
    TlsLayer layer = tls;
    return layer != null && layer.isUnread() && layer.state() == TlsStream.State.OPEN;
  }

  /** Decrypts what {@link #hasUnread} tells of to where there is room; returns how many bytes. */
  public long decryptUnread() {
    driver.assertOwned();
    TlsLayer layer = Objects.requireNonNull(tls);
    long size = layer.decrypt(0, 0, room(), roomSize());
    if (layer.state() != TlsStream.State.OPEN) {
      decrypted(layer);
    } // else what OpenSSL has to say goes with what the data's receiver writes
    return size;
  }

  // ---- writing -------------------------------------------------------------------------------

  /** As {@link #add}, for data to encrypt. */
  public void addPlaintext(long owner, long address, long length) {
    driver.assertOwned();
    Objects.requireNonNull(tls).add(owner, address, length);
  }

  @Override
  public boolean isAllSent() {
    return super.isAllSent() && (tls == null || isSslLent || !tls.hasOutput());
  }

  /** How many bytes wait to be encrypted. */
  public long plaintextBytes() {
    return tls == null ? 0 : tls.bytes();
  }

  @Override
  protected void send() {
    TlsLayer layer = tls;
    if (layer == null || isSslLent) {
      super.send();
    } else {
      int status = send(layer);
      tellTlsFailure(layer);
      sent(status);
    }
  }

  private int send(TlsLayer layer) {
    boolean isTakenAlong = queue.bytes() <= TlsLayer.MOST_TAKEN_ALONG;
    int status = isTakenAlong ? 0 : sendQueue();
    return queue.isEmpty() || isTakenAlong ? layer.send(fd(), queue, counters()) : status;
  }
}
