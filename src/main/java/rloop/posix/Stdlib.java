package rloop.posix;

import rloop.ffi.CriticalCall;

/** {@code <stdlib.h>}: memory whose end somebody decides. */
public final class Stdlib {
  private static final CriticalCall MALLOC = CriticalCall.of("malloc");
  private static final CriticalCall CALLOC = CriticalCall.of("calloc");
  private static final CriticalCall REALLOC = CriticalCall.of("realloc");
  private static final CriticalCall FREE = CriticalCall.of("free");

  private Stdlib() {}

  /**
   * Memory that holds anything.
   *
   * @throws OutOfMemoryError if there is none
   * @see <a href="https://man7.org/linux/man-pages/man3/malloc.3.html">malloc(3)</a>
   */
  public static long malloc(long size) {
    return memory(MALLOC.call(size), size);
  }

  /**
   * Zeroed memory.
   *
   * @throws OutOfMemoryError if there is none
   * @see <a href="https://man7.org/linux/man-pages/man3/malloc.3.html">calloc(3)</a>
   */
  public static long calloc(long count, long size) {
    return memory(CALLOC.call(count, size), count * size);
  }

  /**
   * The same memory with another size, perhaps elsewhere; what is new is not zeroed.
   *
   * @throws OutOfMemoryError if there is none; the old memory is then still there
   * @see <a href="https://man7.org/linux/man-pages/man3/malloc.3.html">realloc(3)</a>
   */
  public static long realloc(long address, long size) {
    return memory(REALLOC.call(address, size), size);
  }

  /**
   * Gives memory back.
   *
   * @see <a href="https://man7.org/linux/man-pages/man3/malloc.3.html">free(3)</a>
   */
  public static void free(long address) {
    FREE.call(address);
  }

  private static long memory(long address, long bytes) {
    if (address == 0) {
      throw new OutOfMemoryError("the C library has no " + bytes + " bytes");
    }
    return address;
  }
}
