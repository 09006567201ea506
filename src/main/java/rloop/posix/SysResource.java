package rloop.posix;

import rloop.ffi.SystemCall;

/** {@code <sys/resource.h>}. */
public final class SysResource {
  private static final long PRIO_PROCESS = 0;
  private static final SystemCall SETPRIORITY = SystemCall.of("setpriority");

  private SysResource() {}

  /**
   * Sets the nice value of a thread, on Linux; returns 0 or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/setpriority.2.html">setpriority(2)</a>
   */
  public static int setpriority(int thread, int nice) {
    return (int) SETPRIORITY.call(PRIO_PROCESS, thread, nice);
  }
}
