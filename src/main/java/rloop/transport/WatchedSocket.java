package rloop.transport;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.cpython.object.WeakReferences;
import rloop.ffi.Memory;
import rloop.loop.FdWatch;
import rloop.loop.Waiter;

/**
 * A Python socket for which operations wait.
 *
 * <p>Its number is read from the object for each system call, as the object's own methods do: -1
 * once it is closed, which the kernel answers with {@code EBADF}. The {@link FdWatch} is that of
 * the number and may have been another socket's meanwhile, so it is remembered which registration
 * was this one's.
 */
final class WatchedSocket {
  private static final int NONE = -1;

  /** Borrowed: to be used by whoever has the socket. */
  private final long socket;

  /** 0 when the number is known to be another socket's. */
  private @Owned long weakReference;

  private final FdWatch watch;
  private int registration = NONE;

  WatchedSocket(long socket, FdWatch watch, @Owned long weakReference) {
    this.socket = socket;
    this.watch = watch;
    this.weakReference = weakReference;
  }

  /** The number in a socket object. */
  static int fd(long socket) {
    return Memory.getInt(socket + Layout.SOCKET_FD);
  }

  /** Its number; for whoever has the socket. */
  int fd() {
    return fd(socket);
  }

  /** Whether this is that socket, and not one that had its number before. */
  boolean is(long other) {
    return Memory.getLong(weakReference + Layout.WEAK_REFERENCE_OBJECT) == other;
  }

  /** Whether it lives, and has that number. */
  boolean isOpenAs(int fd) {
    if (weakReference == 0) {
      return false;
    }
    long alive = WeakReferences.get(weakReference);
    if (alive == 0) {
      return false;
    }
    boolean isOpen = fd(alive) == fd;
    Ref.drop(alive);
    return isOpen;
  }

  /** Whether the poller watches that direction, as far as is known: it then tells of all new. */
  boolean isRegistered(int direction) {
    return registration == watch.registrationNumber() && watch.isRegistered(direction);
  }

  /**
   * Has somebody wait, in place of who did.
   *
   * @throws rloop.cpython.object.PyException if the kernel refuses, an {@code OSError}
   */
  void await(int direction, Waiter waiter) {
    if (isRegistered(direction)) {
      watch.awaitAgain(direction, waiter);
    } else {
      watch.await(direction, waiter);
      registration = watch.registrationNumber();
    }
  }

  /** The waiter has got what it waited for. */
  void satisfied(int direction) {
    watch.satisfied(direction);
  }

  void dispose() {
    long reference = weakReference;
    weakReference = 0;
    Ref.drop(reference);
  }
}
