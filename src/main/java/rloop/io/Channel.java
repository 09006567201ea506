package rloop.io;

import rloop.io.poll.Poller;

/**
 * A file descriptor that a poller watches.
 *
 * <p>Thread rule: as {@link Channels}.
 */
public abstract class Channel {
  static final int UNREGISTERED = -1;

  /** The file descriptor, open as long as the channel is. */
  protected final int fd;

  /** Where it stands in {@link Channels}. */
  int index = UNREGISTERED;

  /** The interest that the poller knows of: a union of {@link Poller#READ} and WRITE. */
  int interest;

  protected Channel(int fd) {
    this.fd = fd;
  }

  public final int fd() {
    return fd;
  }

  /** Whether the poller watches for all of these. */
  protected final boolean isWatched(int wanted) {
    return (interest & wanted) == wanted;
  }

  /**
   * The descriptor is ready; does what that asks for.
   *
   * @param readiness what for, a union of {@link Poller#READ} and WRITE
   */
  protected abstract void ready(int readiness);

  /** Nothing is watched any more. */
  protected abstract void pollerClosed();
}
