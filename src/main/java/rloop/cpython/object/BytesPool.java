package rloop.cpython.object;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.ffi.Memory;

/**
 * {@code bytes} objects that nobody but Java has any more, to be filled again.
 *
 * <p>Most protocols look at what they receive and let it go, and a copy of what they write is let
 * go when it is sent. With 1 KB a message, to take the memory from malloc and to give it back costs
 * three times the copy between them.
 *
 * <p>Thread rule: a loop's own, with the loop's lock.
 */
public final class BytesPool {
  /** A busy batch reads and writes some 50 of them each. */
  private static final int MOST_OBJECTS = 128;

  /** Larger objects are rare enough to pay for themselves, in bytes. */
  private static final long LARGEST = 16 * 1024;

  /** Less than that share of an object is not worth keeping the rest of it alive. */
  private static final double LEAST_SHARE = 0.75;

  /** {@code PyBytesObject.ob_shash} where nobody has asked for the hash. */
  private static final long NO_HASH = -1;

  private final @Owned long[] objects = new long[MOST_OBJECTS];
  private int size;
  private boolean isClosed;

  /** A copy of some memory. */
  @Owned
  public long copyOf(long address, long length) {
    if (size > 0 && length <= LARGEST) {
      long object = objects[--size];
      long room = Memory.getLong(object + Layout.SIZE);
      if (length <= room && length >= room * LEAST_SHARE) {
        fill(object, address, length);
        return object;
      }
      Ref.drop(object); // or objects of a size that is out of use would fill the pool for good
    }
    return PyException.check(PyScalars.PyBytes_FromStringAndSize(address, length));
  }

  private static void fill(long object, long address, long length) {
    long data = object + Layout.BYTES_DATA;
    Memory.copy(address, data, length);
    Memory.putByte(data + length, (byte) 0); // the NUL that C expects behind the data
    Memory.putLong(object + Layout.BYTES_HASH, NO_HASH);
    Memory.putLong(object + Layout.SIZE, length);
  }

  /** Takes over a reference to {@code bytes}, to use the object again if it is the last one. */
  public void giveBack(@Owned long object) {
    if (isClosed
        || size == MOST_OBJECTS
        || !Ref.isOnlyOne(object)
        || Memory.getLong(object + Layout.SIZE) > LARGEST) {
      Ref.drop(object);
    } else {
      objects[size++] = object;
    }
  }

  /** Lets all objects go, and keeps none from now on. */
  public void close() {
    isClosed = true;
    while (size > 0) {
      Ref.drop(objects[--size]);
    }
  }
}
