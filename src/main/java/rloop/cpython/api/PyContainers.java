package rloop.cpython.api;

import rloop.ffi.CFunction;
import rloop.ffi.Downcall;
import rloop.ffi.Symbols;

/** {@code tupleobject.h} and {@code dictobject.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyContainers {
  /** The type {@code tuple}. */
  public static final long PyTuple_Type = Symbols.address("PyTuple_Type");

  private static final CFunction TUPLE_NEW = ObjectAllocation.of("PyTuple_New");
  private static final Downcall DICT_SET_ITEM = Downcall.of("PyDict_SetItem");
  private static final Downcall DICT_DEL_ITEM = Downcall.of("PyDict_DelItem");

  private PyContainers() {}

  /** A tuple whose items are all still {@code NULL}. */
  @Owned
  public static long PyTuple_New(long size) {
    return TUPLE_NEW.call(size);
  }

  /** Returns 0, or -1 with an exception set. */
  public static int PyDict_SetItem(long dict, long key, long value) {
    return (int) DICT_SET_ITEM.call(dict, key, value);
  }

  /** Returns 0, or -1 with an exception set. */
  public static int PyDict_DelItem(long dict, long key) {
    return (int) DICT_DEL_ITEM.call(dict, key);
  }
}
