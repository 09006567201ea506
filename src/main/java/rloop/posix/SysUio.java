package rloop.posix;

import rloop.ffi.SystemCall;

/** {@code <sys/uio.h>}. */
public final class SysUio {
  private static final SystemCall WRITEV = SystemCall.of("writev");

  private SysUio() {}

  /**
   * The bytes written, perhaps fewer than given, or {@code -errno}.
   *
   * @param iovecs an array of {@link Iovec}
   * @param count at most {@link Constants#IOV_MAX}
   * @see <a href="https://man7.org/linux/man-pages/man2/writev.2.html">writev(2)</a>
   */
  public static long writev(int fd, long iovecs, int count) {
    return WRITEV.call(fd, iovecs, count);
  }
}
