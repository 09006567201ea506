package rloop.io.tls;

import static rloop.openssl.Ssl.SSL3_RT_MAX_PLAIN_LENGTH;

import org.jspecify.annotations.Nullable;
import rloop.openssl.Bio;
import rloop.openssl.Err;
import rloop.openssl.Ssl;

/**
 * One end of a TLS connection: ciphertext in and plaintext out, and back.
 *
 * <pre>
 *               open()            close_notify
 *   HANDSHAKE ──────────► OPEN ─────────────────────────────────────► ENDED
 *                          │ │    a renegotiation
 *                          │ └──────────────────────────────────────► HANDED_BACK
 *                          │      a violation of the protocol, from either side
 *                          └────────────────────────────────────────► FAILED
 * </pre>
 *
 * Somebody else does the handshake: here the ciphertext is brought and taken. In HANDED_BACK what
 * came in and was not decrypted lies in the {@code SSL} and its BIO, for whoever reads on; writing
 * still works, as in ENDED. After FAILED nothing does.
 *
 * <p>A renegotiation, which TLS has up to 1.2, is a handshake: it may call code that must not run
 * here. So it is seen by the headers of its records, before OpenSSL sees them. In TLS 1.3 nothing
 * that comes after the handshake calls anybody.
 *
 * <p>The {@code SSL} has two memory BIOs. They stay small: ciphertext is fed and taken about a
 * record at a time, which also keeps it in the processor's nearest cache.
 *
 * <p>Thread rule: one thread at a time, and nobody else may use the {@code SSL} meanwhile.
 */
public final class TlsStream {
  /** What becomes of the reading side. */
  public enum State {
    /** It waits for a handshake that is done elsewhere. */
    HANDSHAKE,
    /** It decrypts what comes. */
    OPEN,
    /** The peer sends nothing more, and all that it sent is decrypted. */
    ENDED,
    /** Somebody else reads on. */
    HANDED_BACK,
    /** The connection is beyond use. */
    FAILED
  }

  /** A record with the most that any version adds to it (RFC 5246, 6.2.3), in bytes. */
  public static final int LARGEST_RECORD = 5 + SSL3_RT_MAX_PLAIN_LENGTH + 2048;

  private final long ssl;
  private final long incoming;
  private final long outgoing;
  private @Nullable RecordHeaders headers;
  private State state = State.HANDSHAKE;

  /** Whether the {@code SSL} or its BIO may have something to decrypt. */
  private boolean unread;

  private long error;

  /**
   * For an {@code SSL} that outlives this, with memory BIOs that report "retry" when empty; before
   * its handshake.
   */
  public TlsStream(long ssl) {
    this.ssl = ssl;
    this.incoming = Ssl.SSL_get_rbio(ssl);
    this.outgoing = Ssl.SSL_get_wbio(ssl);
  }

  /** Decrypts from now on: the handshake is done. */
  public void open() {
    headers = Ssl.SSL_version(ssl) < Ssl.TLS1_3_VERSION ? new RecordHeaders() : null;
    unread = Ssl.SSL_has_pending(ssl) || Bio.BIO_pending(incoming) > 0;
    // In HANDED_BACK because nobody has looked at the headers of what is there already.
    state = headers != null && unread ? State.HANDED_BACK : State.OPEN;
  }

  public State state() {
    return state;
  }

  /** OpenSSL's code of the error that led to FAILED, or 0 if it gave none. */
  public long error() {
    return error;
  }

  /**
   * Takes ciphertext in and decrypts what is complete of it and of what was there, as much as there
   * is room for.
   *
   * @param plaintext where the result goes
   * @param room for it, in bytes
   * @return how many bytes were decrypted, also where {@link #state} is no longer OPEN
   */
  public long decrypt(long ciphertext, long length, long plaintext, long room) {
    forgetErrorsOfOthers();
    if (headers != null && !headers.areOfDataOrAlerts(ciphertext, length)) {
      state = State.HANDED_BACK;
    }
    long decrypted = 0;
    long fed = 0;
    while (state == State.OPEN) {
      decrypted += readAll(plaintext + decrypted, room - decrypted);
      if (fed == length || decrypted == room) {
        break;
      }
      int slice = (int) Math.min(length - fed, LARGEST_RECORD);
      feed(ciphertext + fed, slice);
      unread = true;
      fed += slice;
    }
    if (fed < length) {
      feed(ciphertext + fed, (int) (length - fed));
      unread = true;
    }
    return decrypted;
  }

  /** Whether there may be more to decrypt without further ciphertext. */
  public boolean isUnread() {
    return unread;
  }

  /**
   * Hot. An {@code SSL} takes a whole record out of its BIO and, given room for it, gives it back
   * at once. So an empty BIO tells, for less than a failing read, that there is nothing more.
   */
  private long readAll(long plaintext, long room) {
    long decrypted = 0;
    while (unread && decrypted < room) {
      int wanted = (int) Math.min(room - decrypted, SSL3_RT_MAX_PLAIN_LENGTH);
      int count = Ssl.SSL_read(ssl, plaintext + decrypted, wanted);
      if (count <= 0) {
        unread = false; // the BIO is empty now, or nothing more will be read
        readFailed(count);
        break;
      }
      decrypted += count;
      boolean hasRest = count == wanted && count < SSL3_RT_MAX_PLAIN_LENGTH;
      unread = hasRest || Bio.BIO_pending(incoming) > 0;
    }
    return decrypted;
  }

  /** Takes ciphertext in, for whoever reads it. */
  public void feed(long ciphertext, int length) {
    if (Bio.BIO_write(incoming, ciphertext, length) != length) {
      throw new OutOfMemoryError("OpenSSL has no memory for what was received");
    }
  }

  private void readFailed(int result) {
    int reason = Ssl.SSL_get_error(ssl, result);
    if (reason == Ssl.SSL_ERROR_ZERO_RETURN) {
      state = State.ENDED;
    } else if (reason != Ssl.SSL_ERROR_WANT_READ && reason != Ssl.SSL_ERROR_WANT_WRITE) {
      fail();
    }
  }

  private void fail() {
    state = State.FAILED;
    error = Err.ERR_peek_last_error();
    Err.ERR_clear_error();
  }

  /**
   * Encrypts at most one record.
   *
   * @return how many bytes of the plaintext were taken; 0 if the peer has to do something first, or
   *     if {@link #state} is FAILED
   */
  public int encrypt(long plaintext, long length) {
    if (state == State.FAILED) {
      return 0;
    }
    forgetErrorsOfOthers();
    int record = (int) Math.min(length, SSL3_RT_MAX_PLAIN_LENGTH);
    int count = Ssl.SSL_write(ssl, plaintext, record);
    if (count > 0) {
      return count;
    }
    int reason = Ssl.SSL_get_error(ssl, count);
    if (reason != Ssl.SSL_ERROR_WANT_READ && reason != Ssl.SSL_ERROR_WANT_WRITE) {
      fail();
    }
    return 0;
  }

  /** What somebody else left in this thread's queue would be taken for an error of this stream. */
  private static void forgetErrorsOfOthers() {
    if (Err.ERR_peek_error() != 0) {
      Err.ERR_clear_error();
    }
  }

  /** How many bytes of ciphertext wait to be taken. */
  public long pendingOutput() {
    return Bio.BIO_pending(outgoing);
  }

  /** Takes ciphertext out, as much as there is and has room; returns how many bytes. */
  public int takeOutput(long address, int room) {
    return Math.max(0, Bio.BIO_read(outgoing, address, room));
  }
}
