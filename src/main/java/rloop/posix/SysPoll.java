package rloop.posix;

import rloop.ffi.SystemCall;

/** {@code <poll.h>}. */
public final class SysPoll {
  private static final SystemCall POLL = SystemCall.of("poll");

  private SysPoll() {}

  /**
   * How many of the descriptors have something to report, 0 on time-out, or {@code -errno}.
   *
   * @param fds an array of {@link Pollfd}
   * @param timeout in milliseconds; negative: for ever
   * @see <a href="https://man7.org/linux/man-pages/man2/poll.2.html">poll(2)</a>
   */
  public static int poll(long fds, int count, int timeout) {
    return (int) POLL.call(fds, count, timeout);
  }
}
