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

  private static final int SIZE = PyCriticalSections.SIZE_OF_PY_CRITICAL_SECTION;

  private static final ThreadLocal<CriticalSection> OF_THREAD =
      ThreadLocal.withInitial(CriticalSection::new);

  private final Scratch sections = new Scratch(DEEPEST * (long) SIZE);
  private int depth;

  private CriticalSection() {}

  /** Tells of the structure. */
  public static void tell(Assumptions assumptions) {
    if (Layout.FREE_THREADED) {
      assumptions.add("sizeof(PyCriticalSection)", SIZE);
    }
  }

  /** Locks an object until the result is closed, as the last one of this thread. */
  public static CriticalSection enter(long object) {
    CriticalSection thread = OF_THREAD.get();
    if (thread.depth == DEEPEST) {
      throw PyException.runtimeError("too many critical sections");
    }
    PyCriticalSections.PyCriticalSection_Begin(thread.address(), object);
    thread.depth++;
    return thread;
  }

  @Override
  public void close() {
    depth--;
    PyCriticalSections.PyCriticalSection_End(address());
  }

  private long address() {
    return sections.address() + (long) depth * SIZE;
  }
}
