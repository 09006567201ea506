package rloop.openssl;

import rloop.ffi.CriticalCall;

/** {@code <openssl/err.h>}: the queue of errors that each thread has. */
@SuppressWarnings("MemberName") // named as in the manual
public final class Err {
  private static final CriticalCall PEEK_ERROR = Library.simpleFunction("ERR_peek_error");
  private static final CriticalCall PEEK_LAST_ERROR = Library.simpleFunction("ERR_peek_last_error");
  private static final CriticalCall CLEAR_ERROR = Library.simpleFunction("ERR_clear_error");

  private Err() {}

  /**
   * The code of the oldest error, or 0 if there is none.
   *
   * @see <a href="https://docs.openssl.org/master/man3/ERR_get_error/">ERR_peek_error(3)</a>
   */
  public static long ERR_peek_error() {
    return PEEK_ERROR.call();
  }

  /** The code of the latest error, or 0 if there is none. */
  public static long ERR_peek_last_error() {
    return PEEK_LAST_ERROR.call();
  }

  /**
   * Empties the queue.
   *
   * @see <a href="https://docs.openssl.org/master/man3/ERR_clear_error/">ERR_clear_error(3)</a>
   */
  public static void ERR_clear_error() {
    CLEAR_ERROR.call();
  }
}
