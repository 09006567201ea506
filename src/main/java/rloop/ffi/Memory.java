package rloop.ffi;

import java.nio.charset.StandardCharsets;
import jdk.internal.misc.Unsafe;

/**
 * Raw memory of the process, by address. Nothing is checked: a wrong address ends the process.
 *
 * <p>By the JDK's own {@code Unsafe}, which its boot loader's classes may use once the package is
 * exported to them: as long as Java interprets the code, and to its compilers, an access is then
 * one call of a known method, where a {@code MemorySegment} of everything takes fifteen. A young
 * process spends a fifth less on its first ten thousand requests.
 *
 * <p>Addresses need not be aligned, because some kernel structures are packed ({@code struct
 * epoll_event}); on the supported machines that costs nothing.
 */
public final class Memory {
  private static final Unsafe UNSAFE = Unsafe.getUnsafe();

  private Memory() {}

  public static long getLong(long address) {
    return UNSAFE.getLong(address);
  }

  public static void putLong(long address, long value) {
    UNSAFE.putLong(address, value);
  }

  public static int getInt(long address) {
    return UNSAFE.getInt(address);
  }

  public static void putInt(long address, int value) {
    UNSAFE.putInt(address, value);
  }

  public static short getShort(long address) {
    return UNSAFE.getShort(address);
  }

  public static void putShort(long address, short value) {
    UNSAFE.putShort(address, value);
  }

  public static byte getByte(long address) {
    return UNSAFE.getByte(address);
  }

  public static void putByte(long address, byte value) {
    UNSAFE.putByte(address, value);
  }

  public static double getDouble(long address) {
    return UNSAFE.getDouble(address);
  }

  public static void putDouble(long address, double value) {
    UNSAFE.putDouble(address, value);
  }

  /** Copies bytes; the ranges may overlap. */
  public static void copy(long from, long to, long bytes) {
    UNSAFE.copyMemory(from, to, bytes);
  }

  /**
   * Zeroed memory, aligned for any C type, that stays until it is freed.
   *
   * @throws OutOfMemoryError if the C library has none
   */
  public static long allocate(long bytes) {
    long address = UNSAFE.allocateMemory(Math.max(bytes, 1));
    UNSAFE.setMemory(address, bytes, (byte) 0);
    return address;
  }

  /** Gives back what {@link #allocate} or {@link #cString} returned. */
  static void free(long address) {
    UNSAFE.freeMemory(address);
  }

  /** A NUL-terminated copy in UTF-8 that is never freed; see {@link CString}. */
  public static long cString(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long address = allocate(bytes.length + 1L);
    UNSAFE.copyMemory(bytes, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, address, bytes.length);
    return address;
  }

  /** The NUL-terminated UTF-8 string at an address. */
  public static String string(long address) {
    int length = 0;
    while (getByte(address + length) != 0) {
      length++;
    }
    byte[] bytes = new byte[length];
    UNSAFE.copyMemory(null, address, bytes, Unsafe.ARRAY_BYTE_BASE_OFFSET, length);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
