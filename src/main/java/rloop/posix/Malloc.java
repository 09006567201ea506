package rloop.posix;

import rloop.ffi.Symbols;
import rloop.ffi.SystemCall;

/** {@code <malloc.h>}, which not every system has. */
public final class Malloc {
  private Malloc() {}

  /**
   * Gives free memory back to the system, if the C library can. Takes longer the more free pieces
   * there are, and keeps others from allocating meanwhile.
   *
   * @see <a href="https://man7.org/linux/man-pages/man3/malloc_trim.3.html">malloc_trim(3)</a>
   */
  public static void malloc_trim(long pad) {
    long address = Symbols.addressOrZero("malloc_trim");
    if (address != 0) {
      new SystemCall(address).call(pad);
    }
  }
}
