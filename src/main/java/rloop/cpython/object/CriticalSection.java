package rloop.cpython.object;

import rloop.cpython.abi.Assumptions;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.PyCriticalSections;
import rloop.ffi.Scratch;

/**
 * CPython's critical sections, the sections that a thread is in: what takes the GIL's place on
 * free-threaded builds.
 *
 * <p>As with the GIL, whoever is in one runs alone, among those who lock the same object, until it
 * leaves, waits for another lock, or has Python code run that does. So there are no deadlocks, and
 * code that was written with the GIL in mind finds what it expects.
 */
public final class CriticalSection implements AutoCloseable {
  /** More than nest: each further one is entered by a finaliser that runs within the one before. */
  private static final int DEEPEST = 256;

  private static final int SIZE = PyCriticalSections.SIZE_OF_PY_CRITICAL_SECTION2;

  /** In place of the object: two of them. */
  private static final long TWO = -1;

  private static final ThreadLocal<CriticalSection> OF_THREAD =
      ThreadLocal.withInitial(CriticalSection::new);

  private final Scratch sections = new Scratch(DEEPEST * (long) SIZE);
  private final long[] locked = new long[DEEPEST];
  private int depth;

  private CriticalSection() {}

  /** Tells of the structure. */
  public static void tell(Assumptions assumptions) {
    if (Layout.FREE_THREADED) {
      assumptions.add("sizeof(PyCriticalSection)", PyCriticalSections.SIZE_OF_PY_CRITICAL_SECTION);
      assumptions.add("sizeof(PyCriticalSection2)", SIZE);
    }
  }

  /** Locks an object until the result is closed, as the last one of this thread. */
  public static CriticalSection enter(long object) {
    CriticalSection thread = withRoom();
    PyCriticalSections.PyCriticalSection_Begin(thread.address(), object);
    thread.locked[thread.depth++] = object;
    return thread;
  }

  /**
   * As {@link #enter(long)}, of two objects: both are locked as long as nobody is let in, which to
   * lock one after the other doesn't promise.
   */
  public static CriticalSection enter(long object, long another) {
    CriticalSection thread = withRoom();
    PyCriticalSections.PyCriticalSection2_Begin(thread.address(), object, another);
    thread.locked[thread.depth++] = TWO;
    return thread;
  }

  private static CriticalSection withRoom() {
    CriticalSection thread = OF_THREAD.get();
    if (thread.depth == DEEPEST) {
      throw PyException.runtimeError("too many critical sections");
    }
    return thread;
  }

  /**
   * Unlocks what this thread locked last, for a call of Python that locks something else and then
   * comes back here. CPython sees no more than the last lock of a thread: it would wait for this
   * one as for another thread's, and give it up only after it has offered the processor to others
   * forty times.
   *
   * @return what to {@link #relock}; 0 if nothing was locked
   */
  public static long unlock() {
    if (!Layout.FREE_THREADED) {
      return 0;
    }
    CriticalSection thread = OF_THREAD.get();
    if (thread.depth == 0) {
      return 0;
    }
    thread.close();
    return thread.locked[thread.depth];
  }

  /** Locks again what {@link #unlock} has unlocked. */
  @SuppressWarnings("MustBeClosedChecker") // who locked it first closes it
  public static void relock(long object) {
    if (object != 0) {
      var _ = enter(object);
    }
  }

  @Override
  public void close() {
    depth--;
    if (locked[depth] == TWO) {
      PyCriticalSections.PyCriticalSection2_End(address());
    } else {
      PyCriticalSections.PyCriticalSection_End(address());
    }
  }

  private long address() {
    return sections.address() + (long) depth * SIZE;
  }
}
