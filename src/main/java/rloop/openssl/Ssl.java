package rloop.openssl;

import rloop.ffi.Downcall;

/** {@code <openssl/ssl.h>}. */
@SuppressWarnings("MemberName") // named as in the manual
public final class Ssl {
  /** {@code SSL3_RT_MAX_PLAIN_LENGTH}: the most that one record carries, in bytes. */
  public static final int SSL3_RT_MAX_PLAIN_LENGTH = 16384;

  /** {@code TLS1_3_VERSION}. */
  public static final int TLS1_3_VERSION = 0x0304;

  /** {@code SSL_ERROR_WANT_READ}. */
  public static final int SSL_ERROR_WANT_READ = 2;

  /** {@code SSL_ERROR_WANT_WRITE}. */
  public static final int SSL_ERROR_WANT_WRITE = 3;

  /** {@code SSL_ERROR_ZERO_RETURN}: the peer has sent its {@code close_notify}. */
  public static final int SSL_ERROR_ZERO_RETURN = 6;

  private static final Downcall READ = Library.function("SSL_read");
  private static final Downcall WRITE = Library.function("SSL_write");
  private static final Downcall GET_ERROR = Library.function("SSL_get_error");
  private static final Downcall GET_RBIO = Library.function("SSL_get_rbio");
  private static final Downcall GET_WBIO = Library.function("SSL_get_wbio");

  private static final Downcall VERSION = Library.function("SSL_version");
  private static final Downcall HAS_PENDING = Library.function("SSL_has_pending");

  private Ssl() {}

  /**
   * The bytes read, from one record, or a number that is not positive.
   *
   * @see <a href="https://docs.openssl.org/master/man3/SSL_read/">SSL_read(3)</a>
   */
  public static int SSL_read(long ssl, long buffer, int length) {
    return (int) READ.call(ssl, buffer, length);
  }

  /**
   * The bytes written, or a number that is not positive.
   *
   * @see <a href="https://docs.openssl.org/master/man3/SSL_write/">SSL_write(3)</a>
   */
  public static int SSL_write(long ssl, long buffer, int length) {
    return (int) WRITE.call(ssl, buffer, length);
  }

  /**
   * Why the last call failed; looks at this thread's error queue, which has to be empty before it.
   *
   * @see <a href="https://docs.openssl.org/master/man3/SSL_get_error/">SSL_get_error(3)</a>
   */
  public static int SSL_get_error(long ssl, int result) {
    return (int) GET_ERROR.call(ssl, result);
  }

  /** The version that was negotiated; later ones are larger numbers. */
  public static int SSL_version(long ssl) {
    return (int) VERSION.call(ssl);
  }

  /**
   * Whether it has taken bytes from its BIO that it has not processed.
   *
   * @see <a href="https://docs.openssl.org/master/man3/SSL_pending/">SSL_has_pending(3)</a>
   */
  public static boolean SSL_has_pending(long ssl) {
    return (int) HAS_PENDING.call(ssl) != 0;
  }

  /** The BIO that ciphertext is read from. */
  public static long SSL_get_rbio(long ssl) {
    return GET_RBIO.call(ssl);
  }

  /** The BIO that ciphertext is written to. */
  public static long SSL_get_wbio(long ssl) {
    return GET_WBIO.call(ssl);
  }
}
