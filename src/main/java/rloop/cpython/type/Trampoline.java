package rloop.cpython.type;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import rloop.cpython.api.PyErrors;
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
  /** What a slot returns on failure when it returns an object. */
  public static final long NULL = 0;

  /** What a slot returns on failure when it returns an {@code int}. */
  public static final long MINUS_ONE = -1;

  private static final MethodType TYPE =
      MethodType.methodType(long.class, long.class, long.class, long.class, long.class);

  private static final MethodHandle HANDLER;

  static {
    try {
      HANDLER =
          MethodHandles.lookup()
              .findStatic(
                  Trampoline.class,
                  "toPython",
                  MethodType.methodType(long.class, long.class, Throwable.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private Trampoline() {}

  /**
   * A function pointer to a method.
   *
   * @param lookup with access to the method's class
   * @param failure what the function returns when it fails: {@link #NULL} or {@link #MINUS_ONE}
   */
  public static long to(MethodHandles.Lookup lookup, String method, long failure) {
    try {
      MethodHandle target = lookup.findStatic(lookup.lookupClass(), method, TYPE);
      return Upcall.stub(
          MethodHandles.catchException(
              target, Throwable.class, MethodHandles.insertArguments(HANDLER, 0, failure)));
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(lookup.lookupClass() + " has no upcall " + method, e);
    }
  }

  // Reached through HANDLER.
  @SuppressWarnings("unused")
  private static long toPython(long failure, Throwable thrown) {
    switch (thrown) {
      case PyException exception -> exception.set();
      case OutOfMemoryError error ->
          PyErrors.PyErr_SetString(
              PyErrors.exception("PyExc_MemoryError"), "rloop's Java heap: " + error.getMessage());
      case StackOverflowError error ->
          PyErrors.PyErr_SetString(
              PyErrors.exception("PyExc_RecursionError"), "no stack left for Java");
      default ->
          PyErrors.PyErr_SetString(
              PyErrors.exception("PyExc_SystemError"), "in rloop's Java core: " + trace(thrown));
    }
    return failure;
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
