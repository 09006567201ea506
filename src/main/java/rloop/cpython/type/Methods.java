package rloop.cpython.type;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Assumptions;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/** Adds Java methods to Python classes, under Python names. */
public final class Methods {
  /** {@code METH_NOARGS}: {@code (self)}. */
  public static final int NO_ARGUMENTS = 0x4;

  /** {@code METH_O}: {@code (self, argument)}. */
  public static final int ONE_ARGUMENT = 0x8;

  /** {@code METH_FASTCALL}: {@code (self, arguments, count)}. */
  public static final int FAST = 0x80;

  /** {@code METH_FASTCALL | METH_KEYWORDS}: {@code (self, arguments, count, names)}. */
  public static final int FAST_WITH_KEYWORDS = FAST | 0x2;

  private final long type;
  private final MethodHandles.Lookup lookup;
  private final @Nullable String lock;
  private final boolean lockMoves;

  /**
   * Methods for a class.
   *
   * @param type the Python class, of any kind that allows setting attributes
   * @param lookup of the Java class that has the methods
   * @param lock the method that tells what they lock, see {@link Trampoline}; null for nothing
   */
  public Methods(long type, MethodHandles.Lookup lookup, @Nullable String lock) {
    this(type, lookup, lock, false);
  }

  private Methods(
      long type, MethodHandles.Lookup lookup, @Nullable String lock, boolean lockMoves) {
    this.type = type;
    this.lookup = lookup;
    this.lock = lock;
    this.lockMoves = lockMoves;
  }

  /** As the constructor, for what may lock something else from one moment to the next. */
  public static Methods whoseLockMoves(long type, MethodHandles.Lookup lookup, String lock) {
    return new Methods(type, lookup, lock, true);
  }

  /** Tells of flags and definitions. */
  public static void tell(Assumptions assumptions) {
    MethodDef.tell(assumptions);
    assumptions.add("METH_NOARGS", NO_ARGUMENTS);
    assumptions.add("METH_O", ONE_ARGUMENT);
    assumptions.add("METH_FASTCALL", FAST);
    assumptions.add("METH_FASTCALL | METH_KEYWORDS", FAST_WITH_KEYWORDS);
  }

  /** Adds a method; the Java method has the name in Java's way of writing. */
  public Methods add(String name, String javaName, int flags, String signature) {
    long definition = MethodDef.create(name, function(javaName), flags, signature);
    long method = PyException.check(PyTypes.PyDescr_NewMethod(type, definition));
    int status = PyObjects.PyObject_SetAttrString(type, name, method);
    var _ = Ref.immortalise(method, method); // as its class is; loops on several threads call it
    Ref.drop(method);
    PyException.checkStatus(status);
    return this;
  }

  private long function(String javaName) {
    if (lock == null) {
      return Trampoline.to(lookup, javaName);
    }
    return lockMoves
        ? Trampoline.toMoving(lookup, javaName, lock)
        : Trampoline.to(lookup, javaName, lock);
  }
}
