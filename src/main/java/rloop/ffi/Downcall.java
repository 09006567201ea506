package rloop.ffi;

import java.lang.invoke.MethodHandle;

/**
 * A C function that may block, run Python code or come back into Java. About 8 ns.
 *
 * @param address where the function is
 */
public record Downcall(long address) implements CFunction {
  private static final MethodHandle CALL = Linkage.CHOSEN.downcall(false);

  /**
   * The function of that name.
   *
   * @throws UnsatisfiedLinkError if the process has none
   */
  public static Downcall of(String symbol) {
    return new Downcall(Symbols.address(symbol));
  }

  /**
   * The function of that name in a library, or in those that it is linked with.
   *
   * @param library a {@code dlopen} handle
   * @throws UnsatisfiedLinkError if it has none
   */
  public static Downcall in(long library, String symbol) {
    return new Downcall(Symbols.address(library, symbol));
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
