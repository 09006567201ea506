package rloop.io.poll;

import static rloop.posix.Constants.EFD_NONBLOCK;

/**
 * A descriptor that a poller watches so that another thread can end its waiting, or tell something.
 *
 * <p>Thread rule: {@link #signal} may run beside {@link #drain}, but neither beside nor after
 * {@link #close}, as {@link Waker} sees to.
 */
public sealed interface WakeFd permits Eventfd, PipeWaker {
  /** The best that this system has. */
  static WakeFd open() {
    return EFD_NONBLOCK != 0 ? Eventfd.open() : PipeWaker.open();
  }

  /** What to watch for reading. */
  int fd();

  /** Makes the descriptor readable. */
  void signal();

  /** Makes it unreadable again. */
  void drain();

  void close();
}
