package rloop.ffi;

/**
 * A C function, callable with up to six integer or pointer arguments.
 *
 * <p>Keep the implementing record in a {@code static final} field: the JIT trusts both as
 * constants, so that a call compiles to a call of the address. A C {@code int} result stands in the
 * lower half of the {@code long}: cast it.
 */
public sealed interface CFunction permits Downcall, CriticalCall, SystemCall {
  long call(long a, long b, long c, long d, long e, long f);

  default long call() {
    return call(0, 0, 0, 0, 0, 0);
  }

  default long call(long a) {
    return call(a, 0, 0, 0, 0, 0);
  }

  default long call(long a, long b) {
    return call(a, b, 0, 0, 0, 0);
  }

  default long call(long a, long b, long c) {
    return call(a, b, c, 0, 0, 0);
  }

  default long call(long a, long b, long c, long d) {
    return call(a, b, c, d, 0, 0);
  }

  default long call(long a, long b, long c, long d, long e) {
    return call(a, b, c, d, e, 0);
  }
}
