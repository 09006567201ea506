package rloop.posix;

import rloop.ffi.SystemCall;

/** {@code <sys/socket.h>}. */
public final class SysSocket {
  private static final SystemCall RECV = SystemCall.of("recv");
  private static final SystemCall SEND = SystemCall.of("send");
  private static final SystemCall SENDMSG = SystemCall.of("sendmsg");
  private static final SystemCall SHUTDOWN = SystemCall.of("shutdown");

  private SysSocket() {}

  /**
   * The bytes received, 0 at the end of the stream, or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/recv.2.html">recv(2)</a>
   */
  public static long recv(int fd, long buffer, long length, int flags) {
    return SysSyscall.IS_AVAILABLE
        ? SysSyscall.call(SysSyscall.RECVFROM, fd, buffer, length, flags)
        : RECV.call(fd, buffer, length, flags);
  }

  /**
   * The bytes taken, perhaps fewer than given, or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/send.2.html">send(2)</a>
   */
  public static long send(int fd, long buffer, long length, int flags) {
    return SysSyscall.IS_AVAILABLE
        ? SysSyscall.call(SysSyscall.SENDTO, fd, buffer, length, flags)
        : SEND.call(fd, buffer, length, flags);
  }

  /**
   * The bytes taken, perhaps fewer than given, or {@code -errno}.
   *
   * @param message a {@link Msghdr}
   * @see <a href="https://man7.org/linux/man-pages/man2/send.2.html">sendmsg(2)</a>
   */
  public static long sendmsg(int fd, long message, int flags) {
    return SysSyscall.IS_AVAILABLE
        ? SysSyscall.call(SysSyscall.SENDMSG, fd, message, flags, 0)
        : SENDMSG.call(fd, message, flags);
  }

  /**
   * 0 or {@code -errno}.
   *
   * @param how {@code SHUT_RD}, {@code SHUT_WR} or {@code SHUT_RDWR}
   * @see <a href="https://man7.org/linux/man-pages/man2/shutdown.2.html">shutdown(2)</a>
   */
  public static int shutdown(int fd, int how) {
    return (int) SHUTDOWN.call(fd, how);
  }
}
