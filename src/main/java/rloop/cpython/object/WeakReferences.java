package rloop.cpython.object;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyWeakReferences;
import rloop.ffi.Memory;
import rloop.ffi.Scratch;

/** Python's weak references. */
public final class WeakReferences {
  /** Where CPython writes what it found; a thread's own. */
  private static final ThreadLocal<Scratch> FOUND =
      ThreadLocal.withInitial(() -> new Scratch(Long.BYTES));

  private WeakReferences() {}

  /**
   * What a weak reference refers to, or 0 if that is dead. Without a GIL it may die at any moment:
   * only CPython can tell, and takes the reference in the same step.
   */
  @Owned
  public static long get(long reference) {
    if (!Layout.FREE_THREADED) {
      long object = Memory.getLong(reference + Layout.WEAK_REFERENCE_OBJECT);
      return object == PyObjects.Py_None ? 0 : Ref.take(object);
    }
    long found = FOUND.get().address();
    PyException.checkStatus(PyWeakReferences.PyWeakref_GetRef(reference, found));
    @Owned long object = Memory.getLong(found);
    return object;
  }
}
