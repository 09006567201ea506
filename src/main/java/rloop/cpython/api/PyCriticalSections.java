package rloop.cpython.api;

import rloop.ffi.Downcall;

/** {@code cpython/critical_section.h}; of use on free-threaded builds alone. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyCriticalSections {
  /** {@code sizeof(PyCriticalSection)}. */
  public static final int SIZE_OF_PY_CRITICAL_SECTION = 2 * Long.BYTES;

  /** {@code sizeof(PyCriticalSection2)}. */
  public static final int SIZE_OF_PY_CRITICAL_SECTION2 = 3 * Long.BYTES;

  private static final Downcall BEGIN = Downcall.of("PyCriticalSection_Begin");
  private static final Downcall END = Downcall.of("PyCriticalSection_End");
  private static final Downcall BEGIN_TWO = Downcall.of("PyCriticalSection2_Begin");
  private static final Downcall END_TWO = Downcall.of("PyCriticalSection2_End");

  private PyCriticalSections() {}

  /**
   * Locks an object. Whenever this thread detaches from the interpreter, the lock is released, and
   * taken again when it attaches.
   *
   * @param section memory of the caller's, until the section ends
   */
  public static void PyCriticalSection_Begin(long section, long object) {
    BEGIN.call(section, object);
  }

  /** Ends the section that this thread began last. */
  public static void PyCriticalSection_End(long section) {
    END.call(section);
  }

  /** As {@link #PyCriticalSection_Begin}, of two objects at once. */
  public static void PyCriticalSection2_Begin(long section, long object, long another) {
    BEGIN_TWO.call(section, object, another);
  }

  /** Ends a section of two objects. */
  public static void PyCriticalSection2_End(long section) {
    END_TWO.call(section);
  }
}
