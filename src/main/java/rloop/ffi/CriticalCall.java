package rloop.ffi;

import java.lang.invoke.MethodHandle;

/**
 * A C function called without telling the JVM. About 3 ns.
 *
 * <p>Only for functions that return soon, never run Python code, never trigger Python's garbage
 * collector and never come back into Java: during the call this thread holds up every safepoint,
 * and an upcall from it ends the process.
 *
 * @param address where the function is
 */
public record CriticalCall(long address) implements CFunction {
  private static final MethodHandle CALL = Linkage.CHOSEN.downcall(true);

  /**
   * The function of that name.
   *
   * @throws UnsatisfiedLinkError if the process has none
   */
  public static CriticalCall of(String symbol) {
    return new CriticalCall(Symbols.address(symbol));
  }

  /**
   * The function of that name in a library; see {@link Downcall#in}.
   *
   * @throws UnsatisfiedLinkError if it has none
   */
  public static CriticalCall in(long library, String symbol) {
    return new CriticalCall(Symbols.address(library, symbol));
  }

  @Override
  public long call(long a, long b, long c, long d, long e, long f) {
    try {
      return (long) CALL.invokeExact(address, a, b, c, d, e, f, 0L);
    } catch (Throwable t) {
      throw Unexpected.inLinkage(t);
    }
  }
}
