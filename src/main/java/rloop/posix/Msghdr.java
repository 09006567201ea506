package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct msghdr}: what one {@code sendmsg} sends. Without an address and without control
 * data, so that all its other fields stay as zeroed memory has them.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/send.2.html">sendmsg(2)</a>
 */
public final class Msghdr {
  /** {@code struct iovec *msg_iov}, after the pointer and length of an address. */
  private static final long IOV = 2 * Long.BYTES;

  /** {@code size_t msg_iovlen}; macOS has an {@code int} and four bytes of padding. */
  private static final long IOVLEN = IOV + Long.BYTES;

  /** With pointer and length of control data and the flags behind, as on Linux; macOS has less. */
  public static final long SIZE = IOVLEN + 4 * Long.BYTES;

  private Msghdr() {}

  /** Says what to send: {@code count} {@link Iovec}s. */
  public static void put(long header, long iovecs, int count) {
    Memory.putLong(header + IOV, iovecs);
    Memory.putLong(header + IOVLEN, count);
  }
}
