package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct mmsghdr}: a {@link Msghdr} of several, and how many bytes came in it.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/recvmmsg.2.html">recvmmsg(2)</a>
 */
public final class Mmsghdr {
  /** {@code unsigned int msg_len}. */
  public static final long LENGTH = Msghdr.SIZE;

  /** With four bytes of padding. */
  public static final long SIZE = LENGTH + Long.BYTES;

  private Mmsghdr() {}

  /** The address of one element of an array, which starts with its {@link Msghdr}. */
  public static long element(long array, int index) {
    return array + index * SIZE;
  }

  public static int length(long element) {
    return Memory.getInt(element + LENGTH);
  }
}
