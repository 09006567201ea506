package rloop.cpython.api;

import rloop.ffi.CFunction;
import rloop.ffi.CriticalCall;
import rloop.ffi.Downcall;

/**
 * Functions that allocate an object which the cycle collector tracks.
 *
 * <p>Up to 3.11 such an allocation may run the collector right away, and with it finalisers and
 * weak reference callbacks: Python code. From 3.12 on it only asks the interpreter to run it later,
 * and the cheaper kind of call is safe.
 */
final class ObjectAllocation {
  private ObjectAllocation() {}

  static CFunction of(String symbol) {
    return Version.isAtLeast(12) ? CriticalCall.of(symbol) : Downcall.of(symbol);
  }
}
