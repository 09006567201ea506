package rloop.io.stream;

import static rloop.posix.Constants.EPIPE;
import static rloop.posix.Constants.SHUT_WR;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import rloop.io.Driver;
import rloop.io.Endpoint;
import rloop.io.tls.TlsStream;
import rloop.posix.SysSocket;

/**
 * The I/O half of a stream transport: a connected socket, which may use TLS from {@link #startTls}
 * to {@link #stopTls}, or one end of a pipe.
 *
 * <p>Thread rule: its {@link Driver}'s owner.
 */
public final class StreamEndpoint extends Endpoint {
  /** There is neither data nor an end. */
  public static final long NOTHING = Long.MIN_VALUE;

  private final StreamCalls calls;
  private final StreamEvents events;
  private final WriteQueue queue;

  /** What comes and goes is ciphertext while there is one. */
  private @Nullable TlsLayer tls;

  /** Somebody else takes a step of the handshake: until it is done the {@code SSL} is theirs. */
  private boolean isSslLent;

  private boolean endOfFile;

  /** The error that was the end, or 0; the kernel tells of it once. */
  private int readError;

  // Where the next bytes go, and how many have room.
  private long room;
  private long roomSize;
  private boolean hasRoomAhead;

  /** One that is not read before {@link #startReading}; see {@link Endpoint}. */
  public StreamEndpoint(
      Driver driver,
      int share,
      int fd,
      long numberAddress,
      StreamCalls calls,
      StreamEvents events) {
    super(driver, share, fd, numberAddress);
    this.calls = calls;
    this.events = events;
    this.queue = new WriteQueue(events::released);
  }

  @Override
  protected StreamEvents events() {
    return events;
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  protected boolean wantsToRead() {
    return super.wantsToRead() && !endOfFile;
  }

  /**
   * Says where the next bytes go; see {@link StreamEvents#makeRoom}.
   *
   * @param size at least {@link TlsStream#LARGEST_RECORD} more than what has room of TLS
   */
  public void offer(long address, long size) {
    room = address;
    roomSize = size;
    hasRoomAhead = false;
  }

  /** As {@link #offer}, of room that stays until something has come there. */
  public void offerAhead(long address, long size) {
    offer(address, size);
    hasRoomAhead = true;
  }

  /** Whether {@link #offerAhead} was called, and nothing has come there. */
  public boolean hasRoomAhead() {
    return hasRoomAhead;
  }

  private void tellReceived(long count) {
    hasRoomAhead = false;
    events.received(room, count);
  }

  /** Where the next bytes go. */
  public long room() {
    return room;
  }

  /** Hot: a receive; who has made the room takes what has come. */
  @Override
  protected boolean read() {
    TlsLayer layer = tls;
    if (layer != null) {
      return read(layer);
    }
    if (calls.onlySends) {
      tellEnd(queue.isEmpty() ? 0 : -EPIPE);
      return true;
    }
    if (!events.makeRoom()) {
      return false;
    }
    long count = receive(room, Math.min(roomSize, Driver.READ_BUFFER_SIZE));
    if (count > 0) {
      tellReceived(count);
    } else {
      tellEnd(count);
    }
    return true;
  }

  private long receive(long address, long length) {
    long count = calls.receive(fd(), address, length);
    counters().received(count);
    return count;
  }

  @Override
  protected void readFailed(int errno) {
    tellEnd(-errno);
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

  /** Hot: what has come in is told as one piece, however many records it was. */
  private void readData(TlsLayer layer) {
    long buffer = TlsLayer.received();
    long most = Math.min(roomSize - TlsStream.LARGEST_RECORD, Driver.READ_BUFFER_SIZE);
    long count = receive(buffer, most);
    if (count <= 0) {
      tellEnd(count);
      return;
    }
    long size = layer.decrypt(buffer, count, room, roomSize);
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

  /** TLS: tells again of the end of data, for whom it came too early. */
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

  private void tellEnd(long result) {
    long end = ended(result);
    if (end != NOTHING) {
      events.ended((int) -end);
    }
  }

  /** What a receive that returned no data means: the end (0 or {@code -errno}), or nothing. */
  private long ended(long result) {
    if (isNothing(result)) {
      return NOTHING;
    }
    endOfFile = true;
    if (result < 0) {
      readError = (int) -result;
    }
    return -readError;
  }

  /**
   * Receives to where the caller says.
   *
   * @return how many bytes; 0 at the end of the stream, or {@code -errno}, for the caller to tell;
   *     or {@link #NOTHING}
   */
  public long receiveInto(long address, long length) {
    driver.assertOwned();
    if (!wantsToRead()) {
      return NOTHING;
    }
    long count = receive(address, length);
    if (count <= 0) {
      return endedElsewhere(count);
    }
    readElsewhere();
    return count;
  }

  private long endedElsewhere(long result) {
    long end = ended(result);
    settle();
    if (readError == 0) {
      readElsewhere();
    }
    return end;
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

  /** TLS: whether there may be more data without receiving anything. */
  public boolean hasUnread() {
    TlsLayer layer = tls;
    return layer != null && layer.isUnread() && layer.state() == TlsStream.State.OPEN;
  }

  /** Decrypts what {@link #hasUnread} tells of to where there is room; returns how many bytes. */
  public long decryptUnread() {
    driver.assertOwned();
    TlsLayer layer = Objects.requireNonNull(tls);
    long size = layer.decrypt(0, 0, room, roomSize);
    if (layer.state() != TlsStream.State.OPEN) {
      decrypted(layer);
    } // else what OpenSSL has to say goes with what the data's receiver writes
    return size;
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Queues data, to be sent by the next {@link #flush}.
   *
   * @param owner what keeps the memory alive; it comes back by {@link StreamEvents#released}
   */
  public void add(long owner, long address, long length) {
    driver.assertOwned();
    queue.add(owner, address, length);
  }

  /** As {@link #add}, for data to encrypt. */
  public void addPlaintext(long owner, long address, long length) {
    driver.assertOwned();
    Objects.requireNonNull(tls).add(owner, address, length);
  }

  @Override
  public boolean isAllSent() {
    return queue.isEmpty() && (tls == null || isSslLent || !tls.hasOutput());
  }

  @Override
  public long queuedBytes() {
    return queue.bytes();
  }

  /** How many bytes wait to be encrypted. */
  public long plaintextBytes() {
    return tls == null ? 0 : tls.bytes();
  }

  @Override
  protected void dropQueue() {
    queue.clear();
  }

  @Override
  public void close() {
    super.close();
    dropTls();
  }

  @Override
  protected void send() {
    TlsLayer layer = tls;
    if (layer == null || isSslLent) {
      sent(queue.isEmpty() ? 0 : queue.send(fd(), calls, counters()));
    } else {
      int status = send(layer);
      tellTlsFailure(layer);
      sent(status);
    }
  }

  private int send(TlsLayer layer) {
    boolean isTakenAlong = queue.bytes() <= TlsLayer.MOST_TAKEN_ALONG;
    int status = isTakenAlong ? 0 : queue.send(fd(), calls, counters());
    return queue.isEmpty() || isTakenAlong ? layer.send(fd(), queue, counters()) : status;
  }

  /** What follows from the result of the last call that sent, 0 or {@code -errno}. */
  private void sent(int status) {
    setBlocked(false);
    if (queue.isEmpty()) {
      events.drained();
    } else if (status == 0 || isNothing(status)) {
      setBlocked(true);
      events.progressed();
    } else {
      queue.clear();
      events.failed(-status);
    }
  }

  /**
   * Shuts the sending side down.
   *
   * @return 0 or {@code -errno}
   */
  public int shutdownWriting() {
    driver.assertOwned();
    return SysSocket.shutdown(fd(), SHUT_WR);
  }

  // ---- TLS -----------------------------------------------------------------------------------

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
}
