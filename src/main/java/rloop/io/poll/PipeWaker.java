package rloop.io.poll;

import static rloop.posix.Constants.O_CLOEXEC;
import static rloop.posix.Constants.O_NONBLOCK;

import rloop.ffi.Memory;
import rloop.posix.ErrnoException;
import rloop.posix.Stdlib;
import rloop.posix.Unistd;

/**
 * A wake-up by a byte in a pipe: for systems without {@code eventfd}.
 *
 * <p>Works with a blocking pipe as well, which is what there is without {@code pipe2}: {@link
 * Waker} signals at most once a poll, so that the pipe never fills, and drains only what is
 * readable.
 *
 * @param fd the end to read from
 * @param writeEnd the end to write to
 */
record PipeWaker(int fd, int writeEnd) implements WakeFd {
  /** More bytes than signals can come together; a rest would be reported by the next poll. */
  private static final int CAPACITY = 64;

  /** What is written, and where it is read to. Nobody looks at it: all threads can share it. */
  private static final long BYTES = Memory.allocate(CAPACITY);

  static PipeWaker open() {
    long fds = Stdlib.calloc(2, Integer.BYTES);
    try {
      ErrnoException.check("pipe2", Unistd.pipe2(fds, O_CLOEXEC | O_NONBLOCK));
      return new PipeWaker(Unistd.readEnd(fds), Unistd.writeEnd(fds));
    } finally {
      Stdlib.free(fds);
    }
  }

  @Override
  public void signal() {
    Unistd.write(writeEnd, BYTES, 1);
  }

  @Override
  public void drain() {
    Unistd.read(fd, BYTES, CAPACITY);
  }

  @Override
  public void close() {
    Unistd.close(writeEnd);
    Unistd.close(fd);
  }
}
