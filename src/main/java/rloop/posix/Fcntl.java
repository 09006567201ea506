package rloop.posix;

import static rloop.posix.Constants.F_DUPFD_CLOEXEC;

import rloop.ffi.SystemCall;

/**
 * {@code <fcntl.h>}. Its function takes a variable number of arguments, which on Linux are passed
 * as any others are.
 */
public final class Fcntl {
  private static final SystemCall FCNTL = SystemCall.of("fcntl");

  private Fcntl() {}

  /**
   * Another descriptor of the same file, which is closed by {@code exec}; or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/F_DUPFD_CLOEXEC.2const.html">
   *     F_DUPFD_CLOEXEC(2const)</a>
   */
  public static int duplicate(int fd) {
    return (int) FCNTL.call(fd, F_DUPFD_CLOEXEC, 0);
  }
}
