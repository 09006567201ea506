package rloop.posix;

import org.jspecify.annotations.Nullable;
import rloop.ffi.Memory;
import rloop.ffi.SystemCall;

/** {@code <sys/sendfile.h>}, of Linux; what other systems call so takes other arguments. */
public final class SysSendfile {
  private static final @Nullable SystemCall SENDFILE =
      System.getProperty("os.name").equals("Linux") ? SystemCall.of("sendfile") : null;

  private SysSendfile() {}

  /**
   * Sends from a file to a socket; may wait for the disk. The file's own position stays.
   *
   * @return how many bytes were sent, 0 at the end of the file, or {@code -errno}
   * @see <a href="https://man7.org/linux/man-pages/man2/sendfile.2.html">sendfile(2)</a>
   */
  public static long sendfile(int socket, int file, long offset, long count) {
    SystemCall sendfile = SENDFILE;
    if (sendfile == null) {
      throw new UnsupportedOperationException("sendfile of Linux");
    }
    long position = Stdlib.calloc(1, Long.BYTES); // an off_t
    try {
      Memory.putLong(position, offset);
      return sendfile.call(socket, file, position, count);
    } finally {
      Stdlib.free(position);
    }
  }
}
