package rloop.transport;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.io.stream.StreamEndpoint;
import rloop.loop.EventLoop;
import rloop.loop.Recorder;

/**
 * The Python half of a stream's TLS, in use from {@link #start} to {@link #stop}: what is written
 * waits as plaintext, with water marks of its own.
 */
public final class TlsConnection {
  private final StreamConnection connection;
  private EventLoop loop;
  private final StreamEndpoint endpoint;
  private final Callbacks callbacks;
  private final WaterMarks waterMarks = new WaterMarks();
  private boolean inUse;
  private boolean failed;

  /** The handshake that is under way, if it is recorded. */
  private Recorder.@Nullable Span handshake;

  TlsConnection(
      StreamConnection connection, EventLoop loop, StreamEndpoint endpoint, Callbacks callbacks) {
    this.connection = connection;
    this.loop = loop;
    this.endpoint = endpoint;
    this.callbacks = callbacks;
  }

  /** Whether {@link #start} was called and {@link #stop} was not. */
  boolean isInUse() {
    return inUse;
  }

  /** The connection is of no use any more: no record can be read, or written. */
  void failed() {
    failed = true;
  }

  /** Queues data that was written while the I/O was lent; returns whether that is too much. */
  boolean queue(@Owned long owner, long address, long length) {
    endpoint.addPlaintext(owner, address, length);
    return waterMarks.isAbove(bufferSize());
  }

  /**
   * From now on the ciphertext of a handshake is read and sent here.
   *
   * @param sslSocket what keeps {@code ssl} alive
   */
  public void start(long ssl, @Owned long sslSocket) {
    endpoint.startTls(ssl); // before an earlier one's SSL may die
    if (!inUse) {
      loop.counters().tls.begin();
      Recorder recorder = loop.recorder();
      handshake = recorder == null ? null : recorder.handshake(endpoint.fd());
    }
    inUse = true;
    callbacks.setSslSocket(sslSocket);
  }

  /** Python uses the {@code SSL} from now on, without the lock. */
  public void lendSsl() {
    endpoint.lendSsl();
  }

  /** Python has used it, if it did. */
  public void returnSsl() {
    if (endpoint.isSslLent()) {
      flush();
    }
  }

  /** A step of the handshake is taken: sends the ciphertext that there is, soon. */
  public void flush() {
    if (!connection.isGone()) {
      endpoint.returnSsl();
      loop.flushLater(endpoint);
    }
  }

  /**
   * From now on a receiver's data is encrypted and decrypted here; the handshake is done.
   *
   * @return whether it can be so
   */
  public boolean open() {
    boolean isOpen = endpoint.openTls();
    handshakeEnds(isOpen);
    flush();
    return isOpen;
  }

  /** Whether {@link #write} may be called. */
  public boolean takesData() {
    return inUse && !failed && connection.takesData();
  }

  /**
   * As {@link StreamConnection#write}, for data to encrypt; if {@link #takesData}.
   *
   * @return whether more waits now than the high-water mark allows
   */
  public boolean write(@Owned long owner, long address, long length) {
    if (loop.io().isLent()) {
      if (connection.outbound().hasRoom(length)) {
        connection.outbound().add(owner, address, length, true);
        return false;
      }
      if (!takesData()) { // since others were let in
        connection.released(owner);
        return false;
      }
    }
    endpoint.addPlaintext(owner, address, length);
    boolean isMuch = waterMarks.isAbove(bufferSize());
    if (!isMuch && connection.gathers()) {
      loop.flushLater(endpoint);
      return false;
    }
    if (connection.isLeftToHome(isMuch)) {
      return false;
    }
    connection.sendUnlessBlocked();
    boolean isTooMuch = waterMarks.isAbove(bufferSize());
    if (isTooMuch && loop.isAnotherWorker()) { // which doesn't call the protocol
      loop.schedule(callbacks.tlsDrained());
      loop.wakeUp();
      return false;
    }
    return isTooMuch;
  }

  /** Is at home on another loop from now on. */
  void moveTo(EventLoop other) {
    if (inUse) {
      loop.counters().tls.moveTo(other.counters().tls);
    }
    loop = other;
  }

  /** How many bytes wait to be sent, encrypted or not. */
  public long bufferSize() {
    return inUse ? endpoint.queuedBytes() + endpoint.plaintextBytes() : 0;
  }

  /** Sets the water marks of {@link #write}, in bytes. */
  public void setWaterMarks(long high, long low) {
    waterMarks.set(high, low);
  }

  /** The writer pauses: Python is to be told when no more waits than the low-water mark allows. */
  public void awaitDrain() {
    waterMarks.pause();
    resumeWriter();
  }

  void resumeWriter() {
    if (inUse && waterMarks.resumes(bufferSize())) {
      loop.schedule(callbacks.tlsDrained());
    }
  }

  /**
   * Leaves reading and writing to Python again; what was not delivered is dropped.
   *
   * @param lossless whether all that was written is encrypted and queued, or only what can be sent
   *     at once
   */
  public void stop(boolean lossless) {
    if (inUse) {
      if (!connection.isGone()) {
        endpoint.stopTls(lossless);
      }
      forget();
    }
  }

  private void handshakeEnds(boolean well) {
    if (handshake != null) {
      handshake.end(well);
      handshake = null;
    }
  }

  void forget() {
    inUse = false;
    loop.counters().tls.end();
    handshakeEnds(false);
    callbacks.setSslSocket(0); // from here on others come in
    connection.forgetReceiver();
  }
}
