package rloop.io.poll;

import static rloop.posix.Constants.POLLERR;
import static rloop.posix.Constants.POLLHUP;
import static rloop.posix.Constants.POLLIN;
import static rloop.posix.Constants.POLLNVAL;
import static rloop.posix.Constants.POLLOUT;

import rloop.ffi.Scratch;
import rloop.posix.Pollfd;
import rloop.posix.SysPoll;

/** What one descriptor is ready for at this moment. */
public final class Readiness {
  private static final int BROKEN = POLLERR | POLLHUP | POLLNVAL;

  private static final ThreadLocal<Scratch> POLLFD =
      ThreadLocal.withInitial(() -> new Scratch(Pollfd.SIZE));

  private Readiness() {}

  /**
   * Asks the kernel, without waiting.
   *
   * @param interest {@link Poller#READ}, {@link Poller#WRITE} or both
   * @return those of them that hold; all on an error or a hang-up
   */
  public static int of(int fd, int interest) {
    long pollfd = POLLFD.get().address();
    int reads = (interest & Poller.READ) != 0 ? POLLIN : 0;
    int writes = (interest & Poller.WRITE) != 0 ? POLLOUT : 0;
    Pollfd.put(pollfd, 0, fd, reads | writes);
    if (SysPoll.poll(pollfd, 1, 0) <= 0) {
      return 0;
    }
    int found = Pollfd.revents(pollfd, 0);
    if ((found & BROKEN) != 0) {
      return interest;
    }
    return ((found & POLLIN) != 0 ? Poller.READ : 0) | ((found & POLLOUT) != 0 ? Poller.WRITE : 0);
  }

  /** Whether any file has that number. */
  public static boolean isOpen(int fd) {
    long pollfd = POLLFD.get().address();
    Pollfd.put(pollfd, 0, fd, 0);
    return SysPoll.poll(pollfd, 1, 0) <= 0 || (Pollfd.revents(pollfd, 0) & POLLNVAL) == 0;
  }
}
