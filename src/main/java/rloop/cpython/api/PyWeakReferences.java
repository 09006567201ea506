package rloop.cpython.api;

import rloop.ffi.Downcall;

/** {@code weakrefobject.h}, from 3.13 on; of use on free-threaded builds alone. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyWeakReferences {
  private static final Downcall GET_REF = Downcall.of("PyWeakref_GetRef");

  private PyWeakReferences() {}

  /**
   * Writes a new reference to what a weak reference refers to, or 0 if that is dead.
   *
   * @return negative with an exception set if it is no weak reference
   */
  public static int PyWeakref_GetRef(long reference, long found) {
    return (int) GET_REF.call(reference, found);
  }
}
