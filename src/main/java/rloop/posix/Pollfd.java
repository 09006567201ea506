package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct pollfd}: a descriptor, what to watch it for, what was found.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/poll.2.html">poll(2)</a>
 */
public final class Pollfd {
  /** {@code int fd}. */
  private static final long FD = 0;

  /** {@code short events}. */
  private static final long EVENTS = FD + Integer.BYTES;

  /** {@code short revents}. */
  private static final long REVENTS = EVENTS + Short.BYTES;

  public static final long SIZE = REVENTS + Short.BYTES;

  private Pollfd() {}

  /** The address of one element of an array. */
  public static long element(long array, int index) {
    return array + index * SIZE;
  }

  /** Fills one element of an array. */
  public static void put(long array, int index, int fd, int events) {
    long element = element(array, index);
    Memory.putInt(element + FD, fd);
    Memory.putShort(element + EVENTS, (short) events);
    Memory.putShort(element + REVENTS, (short) 0);
  }

  /** Copies one element over another. */
  public static void move(long array, int from, int to) {
    Memory.putLong(element(array, to), Memory.getLong(element(array, from)));
  }

  public static int fd(long array, int index) {
    return Memory.getInt(element(array, index) + FD);
  }

  public static int events(long array, int index) {
    return Memory.getShort(element(array, index) + EVENTS);
  }

  public static int revents(long array, int index) {
    return Memory.getShort(element(array, index) + REVENTS);
  }
}
