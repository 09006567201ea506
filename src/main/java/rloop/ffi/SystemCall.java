package rloop.ffi;

import java.lang.invoke.MethodHandle;

/**
 * A libc function that reports failure by -1 and {@code errno}; here it reports {@code -errno}, as
 * the kernel itself does.
 *
 * @param address where the function is
 */
public record SystemCall(long address) implements CFunction {
  /** An {@code int} a thread: the JVM writes {@code errno} there before anything can change it. */
  private static final ThreadLocal<Scratch> CAPTURED =
      ThreadLocal.withInitial(() -> new Scratch(Integer.BYTES));

  private static final MethodHandle CALL = Linkage.CHOSEN.downcallWithErrno();

  /** What {@code -1} of a function that returns a C {@code int} looks like without its sign. */
  private static final long INT_MINUS_ONE = 0xFFFF_FFFFL;

  /**
   * The function of that name.
   *
   * @throws UnsatisfiedLinkError if the process has none
   */
  public static SystemCall of(String symbol) {
    return new SystemCall(Symbols.address(symbol));
  }

  @Override
  public long call(long a, long b, long c, long d, long e, long f) {
    long captured = CAPTURED.get().address();
    long result;
    try {
      result = (long) CALL.invokeExact(address, captured, a, b, c, d, e, f, 0L);
    } catch (Throwable t) {
      throw Unexpected.inLinkage(t);
    }
    return result == -1 || result == INT_MINUS_ONE ? -Memory.getInt(captured) : result;
  }
}
