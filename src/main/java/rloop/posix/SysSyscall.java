package rloop.posix;

import rloop.ffi.SystemCall;

/**
 * {@code <sys/syscall.h>}: Linux's system calls by number, past libc's functions of the same name.
 *
 * <p>glibc's functions that may block are cancellation points of POSIX threads. In a process with
 * several threads, as one with a JVM is, each call then pays for two atomic operations, together 2
 * % of what a small echo costs; {@code syscall(2)} is no cancellation point.
 */
final class SysSyscall {
  private static final SystemCall SYSCALL = SystemCall.of("syscall");

  private static final String MACHINE =
      System.getProperty("os.name").equals("Linux") ? System.getProperty("os.arch") : "";

  // arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
  static final int SENDTO = number(44, 206);
  static final int RECVFROM = number(45, 207);
  static final int SENDMSG = number(46, 211);
  static final int RECVMMSG = number(299, 243);
  static final int SENDMMSG = number(307, 269);
  static final int ACCEPT4 = number(288, 242);

  private static final int UNKNOWN = -1;

  /** Whether the numbers are known here; elsewhere libc's functions do it. */
  static final boolean IS_AVAILABLE = SENDTO != UNKNOWN;

  private SysSyscall() {}

  private static int number(int amd64, int aarch64) {
    return switch (MACHINE) {
      case "amd64" -> amd64;
      case "aarch64" -> aarch64;
      default -> UNKNOWN;
    };
  }

  /**
   * What the system call returns, or {@code -errno}.
   *
   * <p>It has up to four arguments here, and a fifth of 0. {@code sendto} and {@code recvfrom} have
   * a sixth, a length of the address that the fifth points to: without an address it is not looked
   * at.
   */
  static long call(int number, long a, long b, long c, long d) {
    return SYSCALL.call(number, a, b, c, d, 0);
  }
}
