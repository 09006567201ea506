package rloop.cpython.api;

import rloop.ffi.CFunction;
import rloop.ffi.Symbols;

/** {@code tupleobject.h} and {@code listobject.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyContainers {
  /** The type {@code tuple}. */
  public static final long PyTuple_Type = Symbols.address("PyTuple_Type");

  private static final CFunction TUPLE_NEW = ObjectAllocation.of("PyTuple_New");
  private static final CFunction LIST_NEW = ObjectAllocation.of("PyList_New");

  private PyContainers() {}

  /** A tuple whose items are all still {@code NULL}. */
  @Owned
  public static long PyTuple_New(long size) {
    return TUPLE_NEW.call(size);
  }

  /** A list whose items are all still {@code NULL}. */
  @Owned
  public static long PyList_New(long size) {
    return LIST_NEW.call(size);
  }
}
