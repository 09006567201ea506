package rloop.openssl;

import rloop.ffi.CriticalCall;

/** {@code <openssl/bio.h>}, for memory BIOs and no more than some records at a time. */
@SuppressWarnings("MemberName") // named as in the manual
public final class Bio {
  /** {@code BIO_CTRL_PENDING}. */
  private static final int BIO_CTRL_PENDING = 10;

  private static final CriticalCall READ = Library.simpleFunction("BIO_read");
  private static final CriticalCall WRITE = Library.simpleFunction("BIO_write");
  private static final CriticalCall CTRL = Library.simpleFunction("BIO_ctrl");

  private Bio() {}

  /**
   * The bytes read, or a number that is not positive if there are none.
   *
   * @see <a href="https://docs.openssl.org/master/man3/BIO_read/">BIO_read(3)</a>
   */
  public static int BIO_read(long bio, long buffer, int length) {
    return (int) READ.call(bio, buffer, length);
  }

  /**
   * The bytes written: all, to a memory BIO, unless there is no memory.
   *
   * @see <a href="https://docs.openssl.org/master/man3/BIO_read/">BIO_write(3)</a>
   */
  public static int BIO_write(long bio, long buffer, int length) {
    return (int) WRITE.call(bio, buffer, length);
  }

  /**
   * How many bytes there are to read.
   *
   * @see <a href="https://docs.openssl.org/master/man3/BIO_ctrl/">BIO_pending(3)</a>
   */
  public static long BIO_pending(long bio) {
    return CTRL.call(bio, BIO_CTRL_PENDING, 0, 0);
  }
}
