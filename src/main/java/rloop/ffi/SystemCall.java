package rloop.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * A libc function that reports failure by -1 and {@code errno}; here it reports {@code -errno}, as
 * the kernel itself does.
 *
 * @param address where the function is
 */
@SuppressWarnings("restricted")
public record SystemCall(MemorySegment address) implements CFunction {
  private static final StructLayout STATE = Linker.Option.captureStateLayout();

  private static final long ERRNO_OFFSET =
      STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  /** One segment a thread: the JVM writes {@code errno} there before anything can change it. */
  private static final ThreadLocal<MemorySegment> CAPTURED =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private static final MethodHandle CALL =
      Linker.nativeLinker().downcallHandle(Shape.DOWNCALL, Linker.Option.captureCallState("errno"));

  /** What {@code -1} of a function that returns a C {@code int} looks like without its sign. */
  private static final long INT_MINUS_ONE = 0xFFFF_FFFFL;

  /**
   * The function of that name.
   *
   * @throws UnsatisfiedLinkError if the process has none
   */
  public static SystemCall of(String symbol) {
    return new SystemCall(Symbols.segment(symbol));
  }

  @Override
  public long call(long a, long b, long c, long d, long e, long f) {
    MemorySegment captured = CAPTURED.get();
    long result;
    try {
      result = (long) CALL.invokeExact(address, captured, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw Unexpected.inLinkage(t);
    }
    return result == -1 || result == INT_MINUS_ONE
        ? -Memory.getInt(captured.address() + ERRNO_OFFSET)
        : result;
  }
}
