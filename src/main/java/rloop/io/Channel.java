package rloop.io;

import rloop.ffi.Memory;
import rloop.io.poll.Poller;
import rloop.io.poll.Readiness;

/**
 * A file that a poller watches by its descriptor.
 *
 * <p>A descriptor's number is not the file: the file may be closed by whoever shares it, and the
 * number given to another. So the number is read anew for each use from where its owner keeps it,
 * an object of Python's that has -1 there once it is closed.
 *
 * <p>Thread rule: as {@link Channels}.
 */
public abstract class Channel {
  /** The number of what is closed: every system call answers {@code EBADF}. */
  public static final int CLOSED = -1;

  /** Of what is no endpoint, and of datagrams, which use one memory. */
  public static final int FIRST_SHARE = 0;

  /** Where the number stands in memory, or 0. */
  private long address;

  /** The number, where it stands nowhere else; there, what it was in the beginning. */
  private int number;

  /** The interest that the poller knows of: a union of {@link Poller#READ} and WRITE. */
  int interest;

  /** The number under which the poller knows it, while there is an interest. */
  int registeredFd;

  /** What a shared step has found it ready for. */
  private int readiness;

  /** How many times the poller got to know it. */
  int registrations;

  /** For a descriptor that is open as long as the channel is in use. */
  protected Channel(int fd) {
    this.number = fd;
  }

  /**
   * For a descriptor whose number stands somewhere else.
   *
   * @param address of an {@code int} in memory, or 0
   */
  protected Channel(int fd, long address) {
    this.number = fd;
    this.address = address;
  }

  /** The file is not this channel's any more, or closed. */
  protected final void forgetFd() {
    address = 0;
    number = CLOSED;
  }

  /** The descriptor, or {@link #CLOSED}. */
  public final int fd() {
    return address == 0 ? number : Memory.getInt(address);
  }

  /** Whether the file was closed where its number stands, and another one has the number. */
  protected final boolean isNumberAnothers() {
    return fd() == CLOSED && number != CLOSED && Readiness.isOpen(number);
  }

  /** Whether the poller watches it. */
  protected final boolean isWatched() {
    return interest != 0;
  }

  /** Whether the poller watches for all of these. */
  protected final boolean isWatched(int wanted) {
    return (interest & wanted) == wanted;
  }

  /** Changes whenever the poller gets to know the channel anew. */
  protected final int registration() {
    return registrations;
  }

  /**
   * The descriptor is ready; does what that asks for.
   *
   * @param readiness what for, a union of {@link Poller#READ} and WRITE
   */
  protected abstract void ready(int readiness);

  // ---- where the driver is lent to several threads, see SharedStep -----------------------------

  /** Which of them uses this. */
  int share() {
    return FIRST_SHARE;
  }

  final void setReadiness(int readiness) {
    this.readiness = readiness;
  }

  final int readiness() {
    return readiness;
  }

  /** As {@link #ready}, but for what {@link #settleShared} does. */
  void readyShared() {
    ready(readiness);
  }

  /** Tells the poller what has changed, if there is still something to tell. */
  void settleShared() {}

  // ---- what happens to it ----------------------------------------------------------------------

  /** Another channel of the same file has these directions from now on. */
  protected abstract void displaced(int directions);

  /** What was registered is a file that is gone: another one has its number. */
  protected abstract void fileGone();

  /** Nothing is watched any more. */
  protected abstract void pollerClosed();
}
