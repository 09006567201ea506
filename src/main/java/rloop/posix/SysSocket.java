package rloop.posix;

import rloop.ffi.Memory;
import rloop.ffi.SystemCall;

/** {@code <sys/socket.h>}. */
public final class SysSocket {
  private static final SystemCall RECV = SystemCall.of("recv");
  private static final SystemCall SEND = SystemCall.of("send");
  private static final SystemCall SENDTO = SystemCall.of("sendto");
  private static final SystemCall SENDMSG = SystemCall.of("sendmsg");
  private static final SystemCall RECVMSG = SystemCall.of("recvmsg");
  private static final SystemCall SHUTDOWN = SystemCall.of("shutdown");
  private static final SystemCall GETSOCKNAME = SystemCall.of("getsockname");

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
   * The bytes sent, or {@code -errno}.
   *
   * @param address where to, or 0 for a connected socket
   * @param addressLength in bytes
   * @see <a href="https://man7.org/linux/man-pages/man2/send.2.html">sendto(2)</a>
   */
  public static long sendto(
      int fd, long buffer, long length, int flags, long address, int addressLength) {
    return SENDTO.call(fd, buffer, length, flags, address, addressLength);
  }

  /**
   * Receives several messages, waiting if the socket and the flags allow it; one where the system
   * can't do several.
   *
   * @param messages an array of {@link Mmsghdr}
   * @return how many came, or {@code -errno}
   * @see <a href="https://man7.org/linux/man-pages/man2/recvmmsg.2.html">recvmmsg(2)</a>
   */
  public static int recvmmsg(int fd, long messages, int count, int flags) {
    if (SysSyscall.IS_AVAILABLE) {
      return (int) SysSyscall.call(SysSyscall.RECVMMSG, fd, messages, count, flags);
    }
    long length = RECVMSG.call(fd, messages, flags);
    if (length < 0) {
      return (int) length;
    }
    Memory.putInt(messages + Mmsghdr.LENGTH, (int) length);
    return 1;
  }

  /**
   * Sends several messages, or the first where the system can't send several.
   *
   * @param messages an array of {@link Mmsghdr}
   * @return how many were sent, at least one; or the {@code -errno} of the first
   * @see <a href="https://man7.org/linux/man-pages/man2/sendmmsg.2.html">sendmmsg(2)</a>
   */
  public static int sendmmsg(int fd, long messages, int count, int flags) {
    if (SysSyscall.IS_AVAILABLE) {
      return (int) SysSyscall.call(SysSyscall.SENDMMSG, fd, messages, count, flags);
    }
    long length = SENDMSG.call(fd, messages, flags);
    return length < 0 ? (int) length : 1;
  }

  /** Whether the system has {@link #accept4}, and it is known how to call it. */
  public static boolean hasAccept4() {
    return SysSyscall.IS_AVAILABLE;
  }

  /**
   * A descriptor for the next connection that waits, or {@code -errno}.
   *
   * @param address where the peer's address goes: {@link Sockaddr#STORAGE_SIZE} bytes
   * @param addressLength where its length stands, an {@code int}: in, how much room there is
   * @see <a href="https://man7.org/linux/man-pages/man2/accept.2.html">accept4(2)</a>
   */
  public static int accept4(int fd, long address, long addressLength, int flags) {
    return (int) SysSyscall.call(SysSyscall.ACCEPT4, fd, address, addressLength, flags);
  }

  /**
   * 0 or {@code -errno}.
   *
   * @param address where the socket's own address goes: {@link Sockaddr#STORAGE_SIZE} bytes
   * @param addressLength where its length stands, an {@code int}: in, how much room there is
   * @see <a href="https://man7.org/linux/man-pages/man2/getsockname.2.html">getsockname(2)</a>
   */
  public static int getsockname(int fd, long address, long addressLength) {
    return (int) GETSOCKNAME.call(fd, address, addressLength);
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
