package rloop.loop;

import rloop.loop.poll.Poller;

/**
 * A file descriptor that a loop watches.
 *
 * <p>Thread rule: with the loop's lock, on the thread that runs the loop or while no thread does.
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
   * The descriptor is ready; adds calls to the loop's pending batch.
   *
   * @param readiness what for, a union of {@link Poller#READ} and WRITE
   */
  protected abstract void ready(int readiness);

  /** The loop is being closed: gives up all references to Python objects. */
  protected abstract void loopClosed();
}
