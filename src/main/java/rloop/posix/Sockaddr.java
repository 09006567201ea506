package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct sockaddr}: what the address of every family starts with.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sockaddr.3type.html">sockaddr(3type)</a>
 */
public final class Sockaddr {
  /** On macOS and the BSDs {@code uint8_t sa_len} comes first, and the family is a byte, too. */
  private static final boolean HAS_LENGTH = !System.getProperty("os.name").equals("Linux");

  /** {@code sa_family_t sa_family}. */
  public static final int FAMILY = HAS_LENGTH ? 1 : 0;

  /** {@code sizeof(struct sockaddr_storage)}: room for an address of any family. */
  public static final int STORAGE_SIZE = 128;

  private Sockaddr() {}

  public static int family(long address) {
    return HAS_LENGTH
        ? Byte.toUnsignedInt(Memory.getByte(address + FAMILY))
        : Short.toUnsignedInt(Memory.getShort(address + FAMILY));
  }

  /**
   * Starts an address.
   *
   * @param length of the whole, in bytes
   */
  public static void put(long address, int family, int length) {
    if (HAS_LENGTH) {
      Memory.putByte(address, (byte) length);
      Memory.putByte(address + FAMILY, (byte) family);
    } else {
      Memory.putShort(address + FAMILY, (short) family);
    }
  }

  /** A 16-bit number in network byte order. */
  static int networkShort(long address) {
    return Short.toUnsignedInt(Short.reverseBytes(Memory.getShort(address)));
  }

  static void putNetworkShort(long address, int value) {
    Memory.putShort(address, Short.reverseBytes((short) value));
  }
}
