package rloop.posix;

import org.jspecify.annotations.Nullable;
import rloop.ffi.Memory;
import rloop.ffi.Symbols;
import rloop.ffi.SystemCall;

/** {@code <unistd.h>}. */
public final class Unistd {
  private static final SystemCall READ = SystemCall.of("read");
  private static final SystemCall WRITE = SystemCall.of("write");
  private static final SystemCall CLOSE = SystemCall.of("close");
  private static final SystemCall PIPE = SystemCall.of("pipe");

  /** Not on macOS. */
  private static final long PIPE2_ADDRESS = Symbols.addressOrZero("pipe2");

  private static final @Nullable SystemCall PIPE2 =
      PIPE2_ADDRESS == 0 ? null : new SystemCall(PIPE2_ADDRESS);

  private Unistd() {}

  /**
   * The bytes read, 0 at the end, or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/read.2.html">read(2)</a>
   */
  public static long read(int fd, long buffer, long count) {
    return READ.call(fd, buffer, count);
  }

  /**
   * The bytes written or {@code -errno}.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/write.2.html">write(2)</a>
   */
  public static long write(int fd, long buffer, long count) {
    return WRITE.call(fd, buffer, count);
  }

  /**
   * 0 or {@code -errno}; the descriptor is gone in either case.
   *
   * @see <a href="https://man7.org/linux/man-pages/man2/close.2.html">close(2)</a>
   */
  public static int close(int fd) {
    return (int) CLOSE.call(fd);
  }

  /**
   * Makes a pipe; where the system has no {@code pipe2}, the flags are not honoured.
   *
   * @param fds where the two {@code int}s go: the end to read from, the end to write to
   * @return 0 or {@code -errno}
   * @see <a href="https://man7.org/linux/man-pages/man2/pipe.2.html">pipe2(2)</a>
   */
  public static int pipe2(long fds, int flags) {
    SystemCall pipe2 = PIPE2;
    return (int) (pipe2 == null ? PIPE.call(fds) : pipe2.call(fds, flags));
  }

  /** The end of a pipe to read from, from what {@link #pipe2} filled in. */
  public static int readEnd(long fds) {
    return Memory.getInt(fds);
  }

  /** The end of a pipe to write to, from what {@link #pipe2} filled in. */
  public static int writeEnd(long fds) {
    return Memory.getInt(fds + Integer.BYTES);
  }
}
