package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct msghdr}: what one {@code sendmsg} sends or one {@code recvmsg} fills. Without
 * control data, so that those fields stay as zeroed memory has them.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/send.2.html">sendmsg(2)</a>
 */
public final class Msghdr {
  /** {@code void *msg_name}: an address. */
  public static final long NAME = 0;

  /** {@code socklen_t msg_namelen}, with four bytes of padding. */
  public static final long NAME_LENGTH = NAME + Long.BYTES;

  /** {@code struct iovec *msg_iov}. */
  public static final long IOV = NAME_LENGTH + Long.BYTES;

  /** {@code size_t msg_iovlen}; macOS has an {@code int} and four bytes of padding. */
  public static final long IOVLEN = IOV + Long.BYTES;

  /** With pointer and length of control data and the flags behind, as on Linux; macOS has less. */
  public static final long SIZE = IOVLEN + 4 * Long.BYTES;

  private Msghdr() {}

  /** Says what to send: {@code count} {@link Iovec}s. */
  public static void put(long header, long iovecs, int count) {
    Memory.putLong(header + IOV, iovecs);
    Memory.putLong(header + IOVLEN, count);
  }

  /** Says where the address of a peer stands, or is to be written. */
  public static void putName(long header, long name, int length) {
    Memory.putLong(header + NAME, name);
    Memory.putInt(header + NAME_LENGTH, length);
  }

  /** The length that the peer's address really has, in bytes; 0 if it has none. */
  public static int nameLength(long header) {
    return Memory.getInt(header + NAME_LENGTH);
  }
}
