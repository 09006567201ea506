package rloop.posix;

import rloop.ffi.SystemCall;

/** {@code <sys/eventfd.h>}; Linux only. */
public final class SysEventfd {
  private static final SystemCall EVENTFD = SystemCall.of("eventfd");

  private SysEventfd() {}

  /**
   * A descriptor with a counter behind it, or {@code -errno}. Writing eight bytes adds to the
   * counter, reading eight bytes sets it back to 0.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/eventfd.2.html">eventfd(2)</a>
   */
  public static int eventfd(int initial, int flags) {
    return (int) EVENTFD.call(initial, flags);
  }
}
