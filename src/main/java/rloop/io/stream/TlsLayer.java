package rloop.io.stream;

import static rloop.openssl.Ssl.SSL3_RT_MAX_PLAIN_LENGTH;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.ffi.Scratch;
import rloop.io.Driver;
import rloop.io.IoCounters;
import rloop.io.tls.TlsStream;
import rloop.posix.SysSocket;

/**
 * What TLS adds to a connection: plaintext that waits to be encrypted, and the buffers in between.
 *
 * <p>Plaintext is encrypted when the socket takes it and no earlier: what the peer is slow to read
 * waits as the references that were written, not as a copy in ciphertext.
 */
final class TlsLayer {
  /** So much is encrypted for one call of {@code send}, in bytes of ciphertext. */
  private static final int MOST_CIPHERTEXT = 256 * 1024;

  /** With more than that, there is no room for another record. */
  private static final int FULL = MOST_CIPHERTEXT - TlsStream.LARGEST_RECORD;

  /**
   * So much ciphertext that waits already goes by the same call, in bytes; it is copied for that.
   */
  static final int MOST_TAKEN_ALONG = 16 * 1024;

  /** Filled anew by whoever encrypts or decrypts; a thread's own. */
  private static final class Buffers {
    private final Scratch memory =
        new Scratch((long) MOST_CIPHERTEXT + Driver.READ_BUFFER_SIZE + SSL3_RT_MAX_PLAIN_LENGTH);

    final long ciphertext = memory.address();
    final long received = ciphertext + MOST_CIPHERTEXT;
    final long record = received + Driver.READ_BUFFER_SIZE;
  }

  private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

  private final TlsStream stream;
  private final WriteQueue queue;
  private boolean failureTold;

  /** Has the class initialised, if it isn't. */
  static void initialize() {}

  TlsLayer(TlsStream stream, WriteQueue.Release release) {
    this.queue = new WriteQueue(release);
    this.stream = stream;
  }

  TlsStream.State state() {
    return stream.state();
  }

  /** The handshake is done. */
  void open() {
    stream.open();
  }

  /** Takes ciphertext in, for whoever does the handshake. */
  void feed(long ciphertext, int length) {
    stream.feed(ciphertext, length);
  }

  /** OpenSSL's code of the error that made the connection unusable. */
  long error() {
    return stream.error();
  }

  /** Whether the connection has become unusable; true once. */
  boolean hasFailedSinceAsked() {
    if (failureTold || stream.state() != TlsStream.State.FAILED) {
      return false;
    }
    failureTold = true;
    return true;
  }

  /** Where this thread receives ciphertext: {@link Driver#READ_BUFFER_SIZE} bytes. */
  static long received() {
    return BUFFERS.get().received;
  }

  /** Decrypts as much as there is room for; returns how many bytes. */
  long decrypt(long ciphertext, long length, long plaintext, long room) {
    return stream.decrypt(ciphertext, length, plaintext, room);
  }

  /** Whether there may be more to decrypt without further ciphertext. */
  boolean isUnread() {
    return stream.isUnread();
  }

  /** Queues plaintext. */
  void add(long owner, long address, long length) {
    queue.add(owner, address, length);
  }

  /** How many bytes of plaintext wait. */
  long bytes() {
    return queue.bytes();
  }

  /** Whether there is something to send. */
  boolean hasOutput() {
    return !queue.isEmpty() || stream.pendingOutput() > 0;
  }

  /**
   * Encrypts and sends as much as the kernel takes.
   *
   * @param waiting ciphertext that goes first, such as session tickets, {@link #MOST_TAKEN_ALONG}
   *     at most; afterwards that which the kernel did not take
   * @return 0 or the {@code -errno} of the last call
   */
  int send(int fd, WriteQueue waiting, IoCounters counters) {
    Buffers buffers = BUFFERS.get();
    int first = waiting.copyTo(buffers.ciphertext, MOST_TAKEN_ALONG);
    waiting.clear();
    waiting.reserve(); // for what the kernel may not take
    for (; ; first = 0) {
      int size = encrypt(buffers, first);
      if (size == 0) {
        return 0;
      }
      long sent = SysSocket.send(fd, buffers.ciphertext, size, MSG_NOSIGNAL);
      counters.sent(sent);
      if (sent < size) {
        long taken = Math.max(sent, 0);
        waiting.addCopy(buffers.ciphertext + taken, size - taken);
        return (int) Math.min(sent, 0);
      }
      if (queue.isEmpty() && size <= FULL) {
        return 0;
      }
    }
  }

  /** Encrypts all that waits, however slow the peer is. */
  void encryptAll(WriteQueue to) {
    Buffers buffers = BUFFERS.get();
    for (; ; ) {
      to.reserve(); // before anything is encrypted that then had to be lost
      int size = encrypt(buffers, 0);
      if (size == 0) {
        return;
      }
      to.addCopy(buffers.ciphertext, size);
    }
  }

  /**
   * Fills the ciphertext behind the first bytes, first with what OpenSSL itself has to say; returns
   * how much there is then. Hot.
   */
  private int encrypt(Buffers buffers, int first) {
    int size = first;
    int taken;
    do {
      taken = 0;
      if (!queue.isEmpty()) {
        taken = encryptRecord(buffers.record);
        queue.advance(taken);
      }
      size += stream.takeOutput(buffers.ciphertext + size, MOST_CIPHERTEXT - size);
    } while (taken > 0 && !queue.isEmpty() && size <= FULL);
    return size;
  }

  /** One record, of one chunk where it is large or alone, otherwise of several. */
  private int encryptRecord(long record) {
    if (queue.isOneChunk() || queue.headLength() >= SSL3_RT_MAX_PLAIN_LENGTH) {
      return stream.encrypt(queue.headAddress(), queue.headLength());
    }
    return stream.encrypt(record, queue.copyTo(record, SSL3_RT_MAX_PLAIN_LENGTH));
  }

  /** Drops what was not encrypted. */
  void clear() {
    queue.clear();
  }
}
