package rloop.cpython.type;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.PyErrors;
import rloop.cpython.object.CriticalSection;
import rloop.cpython.object.PyException;
import rloop.ffi.Upcall;

/**
 * Makes C function pointers of Java methods in such a way that nothing that is thrown leaves them:
 * an exception that leaves an upcall ends the process. It becomes a Python exception.
 *
 * <p>Each method is {@code static long name(long, long, long, long)}. What the C side passes less,
 * it ignores.
 */
public final class Trampoline {
  private static final MethodType TYPE =
      MethodType.methodType(long.class, long.class, long.class, long.class, long.class);

  /** Of what tells which object to lock: {@code static long name(long, long)}. */
  private static final MethodType LOCK_TYPE =
      MethodType.methodType(long.class, long.class, long.class);

  /** Of a method here. */
  private static final String CALL_MOVING = "callLockedByThen";

  private static final MethodHandle CALL = own("call", MethodHandle.class);

  private Trampoline() {}

  private static MethodHandle own(String method, Class<?>... bound) {
    try {
      return MethodHandles.lookup()
          .findStatic(Trampoline.class, method, TYPE.insertParameterTypes(0, bound));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /**
   * A function pointer to a method, which returns an object, or {@code NULL} when it fails.
   *
   * @param lookup with access to the method's class
   */
  public static long to(MethodHandles.Lookup lookup, String method) {
    return Upcall.stub(MethodHandles.insertArguments(CALL, 0, find(lookup, method, TYPE)));
  }

  /**
   * As {@link #to(MethodHandles.Lookup, String)}; on free-threaded builds the method holds the lock
   * of an object, while it runs, in the GIL's place.
   *
   * @param lock the method, {@code static long name(long, long)}, that has the upcall's first two
   *     arguments and returns the object, borrowed
   */
  public static long to(MethodHandles.Lookup lookup, String method, String lock) {
    return toLocked(lookup, method, lock, "callLocked");
  }

  /** As {@link #to(MethodHandles.Lookup, String, String)}, of an object that changes its lock. */
  public static long toMoving(MethodHandles.Lookup lookup, String method, String lock) {
    return toLocked(lookup, method, lock, CALL_MOVING);
  }

  private static long toLocked(
      MethodHandles.Lookup lookup, String method, String lock, String caller) {
    if (!Layout.FREE_THREADED) {
      return to(lookup, method);
    }
    return Upcall.stub(
        MethodHandles.insertArguments(
            own(caller, MethodHandle.class, MethodHandle.class),
            0,
            find(lookup, method, TYPE),
            find(lookup, lock, LOCK_TYPE)));
  }

  private static MethodHandle find(MethodHandles.Lookup lookup, String method, MethodType type) {
    try {
      return lookup.findStatic(lookup.lookupClass(), method, type);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(lookup.lookupClass() + " has no upcall " + method, e);
    }
  }

  /**
   * Reached through CALL. {@code MethodHandles.catchException} would do the same with 18 classes
   * more that Java makes at each start, about half a millisecond each. To the JIT the target of a
   * hot upcall is a constant in either case.
   */
  @SuppressWarnings("unused")
  private static long call(MethodHandle target, long a, long b, long c, long d) {
    try {
      return (long) target.invokeExact(a, b, c, d);
    } catch (Throwable thrown) {
      toPython(thrown);
      return 0;
    }
  }

  /** As {@link #call}, holding the lock. */
  @SuppressWarnings("unused")
  private static long callLocked(
      MethodHandle target, MethodHandle lock, long a, long b, long c, long d) {
    try (var _ = CriticalSection.enter((long) lock.invokeExact(a, b))) {
      return (long) target.invokeExact(a, b, c, d);
    } catch (Throwable thrown) {
      toPython(thrown);
      return 0;
    }
  }

  /** As {@link #callLocked}, holding the lock that it is once that is held. */
  @SuppressWarnings("unused")
  private static long callLockedByThen(
      MethodHandle target, MethodHandle lock, long a, long b, long c, long d) {
    try (var _ = enter(lock, a, b)) {
      return (long) target.invokeExact(a, b, c, d);
    } catch (Throwable thrown) {
      toPython(thrown);
      return 0;
    }
  }

  /** Whether a thread with these frames is in a function of {@link #toMoving}. */
  public static boolean areInMoving(StackTraceElement[] frames) {
    for (StackTraceElement frame : frames) {
      if (frame.getMethodName().equals(CALL_MOVING)) {
        return true;
      }
    }
    return false;
  }

  private static CriticalSection enter(MethodHandle lock, long a, long b) throws Throwable {
    long object = (long) lock.invokeExact(a, b);
    CriticalSection entered = CriticalSection.enter(object);
    long now;
    while ((now = (long) lock.invokeExact(a, b)) != object) {
      entered.close();
      object = now;
      entered = CriticalSection.enter(object);
    }
    return entered;
  }

  private static void toPython(Throwable thrown) {
    try {
      raise(thrown);
    } catch (OutOfMemoryError error) { // for a message
      PyErrors.PyErr_NoMemory();
    }
  }

  private static void raise(Throwable thrown) {
    switch (thrown) {
      case PyException exception -> exception.set();
      case OutOfMemoryError error ->
          PyErrors.PyErr_SetString(
              PyErrors.exception("PyExc_MemoryError"),
              "in rloop's Java core: " + error.getMessage() + " (see RLOOP_JAVA_HEAP)");
      case StackOverflowError error ->
          PyErrors.PyErr_SetString(
              PyErrors.exception("PyExc_RecursionError"), "no stack left for Java");
      default ->
          PyErrors.PyErr_SetString(
              PyErrors.exception("PyExc_SystemError"), "in rloop's Java core: " + trace(thrown));
    }
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
