package rloop.posix;

import rloop.ffi.CriticalCall;

/** {@code <arpa/inet.h>}. */
public final class ArpaInet {
  /** {@code INET6_ADDRSTRLEN}: room for the text of an address of either family. */
  public static final int TEXT_SIZE = 46;

  private static final CriticalCall INET_NTOP = CriticalCall.of("inet_ntop");
  private static final CriticalCall INET_PTON = CriticalCall.of("inet_pton");

  private ArpaInet() {}

  /**
   * Writes the text of an address; cannot fail for a known family and {@link #TEXT_SIZE} bytes.
   *
   * @see <a href="https://man7.org/linux/man-pages/man3/inet_ntop.3.html">inet_ntop(3)</a>
   */
  public static void inet_ntop(int family, long address, long text) {
    INET_NTOP.call(family, address, text, TEXT_SIZE);
  }

  /**
   * Writes the address of a text; returns whether it is one of that family.
   *
   * @see <a href="https://man7.org/linux/man-pages/man3/inet_pton.3.html">inet_pton(3)</a>
   */
  public static boolean inet_pton(int family, long text, long address) {
    return (int) INET_PTON.call(family, text, address) == 1;
  }
}
