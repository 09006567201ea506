package rloop.cpython.object;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyContainers;
import rloop.ffi.Memory;

/** Tuples that Java fills. */
public final class Tuples {
  private Tuples() {}

  /**
   * A tuple of {@code size} items, each of which the caller now sets.
   *
   * @throws PyException if there is no memory
   */
  @Owned
  public static long create(long size) {
    return PyException.check(PyContainers.PyTuple_New(size));
  }

  @Owned
  public static long of(@Owned long a, @Owned long b) {
    long tuple = create(2);
    setFirst(tuple, 0, a);
    setFirst(tuple, 1, b);
    return tuple;
  }

  @Owned
  public static long of(@Owned long a, @Owned long b, @Owned long c) {
    long tuple = create(3);
    setFirst(tuple, 0, a);
    setFirst(tuple, 1, b);
    setFirst(tuple, 2, c);
    return tuple;
  }

  @Owned
  public static long of(@Owned long a, @Owned long b, @Owned long c, @Owned long d) {
    long tuple = create(4);
    setFirst(tuple, 0, a);
    setFirst(tuple, 1, b);
    setFirst(tuple, 2, c);
    setFirst(tuple, 3, d);
    return tuple;
  }

  public static long size(long tuple) {
    return Memory.getLong(tuple + Layout.SIZE);
  }

  /** A borrowed reference. */
  public static long get(long tuple, long index) {
    return Memory.getLong(item(tuple, index));
  }

  /** Sets an item of a tuple that no one else has seen, or whose old item the caller took. */
  public static void setFirst(long tuple, long index, @Owned long object) {
    Memory.putLong(item(tuple, index), object);
  }

  private static long item(long tuple, long index) {
    return tuple + Layout.TUPLE_ITEMS + index * Long.BYTES;
  }
}
