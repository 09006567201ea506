package rloop.cpython.api;

import rloop.ffi.CFunction;
import rloop.ffi.Downcall;

/** {@code typeobject.c}'s part of {@code object.h}, and {@code descrobject.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyTypes {
  private static final CFunction GENERIC_ALLOC = ObjectAllocation.of("PyType_GenericAlloc");
  private static final Downcall FROM_SPEC = Downcall.of("PyType_FromSpecWithBases");
  private static final Downcall IS_SUBTYPE = Downcall.of("PyType_IsSubtype");
  private static final Downcall NEW_METHOD = Downcall.of("PyDescr_NewMethod");

  private static final Downcall NEW_FUNCTION = Downcall.of("PyCFunction_New");

  private PyTypes() {}

  /** A new, zeroed instance of a type of fixed size. */
  @Owned
  public static long PyType_GenericAlloc(long type) {
    return GENERIC_ALLOC.call(type, 0);
  }

  /**
   * A new heap type.
   *
   * @param bases the base type or a tuple of them, 0 for {@code object}
   */
  @Owned
  public static long PyType_FromSpecWithBases(long spec, long bases) {
    return FROM_SPEC.call(spec, bases);
  }

  /** Whether a type is another one, or derives from it. */
  public static boolean PyType_IsSubtype(long type, long base) {
    return (int) IS_SUBTYPE.call(type, base) != 0;
  }

  /** A method descriptor of {@code type} for a {@code PyMethodDef}, which must outlive it. */
  @Owned
  public static long PyDescr_NewMethod(long type, long methodDef) {
    return NEW_METHOD.call(type, methodDef);
  }

  /** A function for a {@code PyMethodDef}, which must outlive it; {@code self} is its first. */
  @Owned
  public static long PyCFunction_New(long methodDef, long self) {
    return NEW_FUNCTION.call(methodDef, self);
  }
}
