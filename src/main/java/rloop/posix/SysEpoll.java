package rloop.posix;

import org.jspecify.annotations.Nullable;
import rloop.ffi.Symbols;
import rloop.ffi.SystemCall;

/** {@code <sys/epoll.h>}; Linux only. */
public final class SysEpoll {
  /** The operations of {@link #epoll_ctl}; the same numbers on every Linux, unknown to Python. */
  public static final int EPOLL_CTL_ADD = 1;

  public static final int EPOLL_CTL_DEL = 2;
  public static final int EPOLL_CTL_MOD = 3;

  private static final SystemCall EPOLL_CREATE1 = SystemCall.of("epoll_create1");
  private static final SystemCall EPOLL_CTL = SystemCall.of("epoll_ctl");
  private static final SystemCall EPOLL_WAIT = SystemCall.of("epoll_wait");

  /** Since glibc 2.35 and Linux 5.11. */
  private static final long EPOLL_PWAIT2_ADDRESS = Symbols.addressOrZero("epoll_pwait2");

  private static final @Nullable SystemCall EPOLL_PWAIT2 =
      EPOLL_PWAIT2_ADDRESS == 0 ? null : new SystemCall(EPOLL_PWAIT2_ADDRESS);

  private SysEpoll() {}

  /**
   * A new epoll descriptor or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/epoll_create.2.html">epoll_create1(2)</a>
   */
  public static int epoll_create1(int flags) {
    return (int) EPOLL_CREATE1.call(flags);
  }

  /**
   * 0 or {@code -errno}.
   *
   * @param event an {@link EpollEvent}; not read by {@code EPOLL_CTL_DEL}
   * @see <a href="https://man7.org/linux/man-pages/man2/epoll_ctl.2.html">epoll_ctl(2)</a>
   */
  public static int epoll_ctl(int epoll, int operation, int fd, long event) {
    return (int) EPOLL_CTL.call(epoll, operation, fd, event);
  }

  /**
   * How many events there are, 0 on time-out, or {@code -errno}.
   *
   * @param events where they go: an array of {@link EpollEvent}
   * @param timeout in milliseconds; negative: for ever
   * @see <a href="https://man7.org/linux/man-pages/man2/epoll_wait.2.html">epoll_wait(2)</a>
   */
  public static int epoll_wait(int epoll, long events, int capacity, int timeout) {
    return (int) EPOLL_WAIT.call(epoll, events, capacity, timeout);
  }

  /** Whether the C library has {@link #epoll_pwait2}; the kernel may lack it all the same. */
  public static boolean hasEpollPwait2() {
    return EPOLL_PWAIT2 != null;
  }

  /**
   * As {@link #epoll_wait}, with a time-out in nanoseconds and the signal mask left as it is.
   *
   * @param timeout a {@link Timespec}, or 0: for ever
   * @throws UnsupportedOperationException if the C library does not have it
   * @see <a href="https://man7.org/linux/man-pages/man2/epoll_wait.2.html">epoll_pwait2(2)</a>
   */
  public static int epoll_pwait2(int epoll, long events, int capacity, long timeout) {
    SystemCall call = EPOLL_PWAIT2;
    if (call == null) {
      throw new UnsupportedOperationException("this C library has no epoll_pwait2");
    }
    return (int) call.call(epoll, events, capacity, timeout, 0);
  }
}
