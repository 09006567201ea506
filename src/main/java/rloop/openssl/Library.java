package rloop.openssl;

import rloop.ffi.CriticalCall;
import rloop.ffi.Downcall;

/**
 * The OpenSSL to use: the very one that Python's {@code ssl} module is linked with, of several that
 * a process may have loaded.
 */
public final class Library {
  private static long handle;

  private Library() {}

  /**
   * Names the library, before anything else in this package is used.
   *
   * @param dlopenHandle of what is linked with it, or of itself
   */
  public static void use(long dlopenHandle) {
    handle = dlopenHandle;
  }

  static Downcall function(String symbol) {
    return Downcall.in(handle, symbol);
  }

  /** One that does no more than look something up, or copy. */
  static CriticalCall simpleFunction(String symbol) {
    return CriticalCall.in(handle, symbol);
  }
}
