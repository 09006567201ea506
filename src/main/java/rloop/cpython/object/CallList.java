package rloop.cpython.object;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyContainers;
import rloop.ffi.Memory;

/**
 * A Python list of calls, filled by Java and iterated over by Python.
 *
 * <p>Items are stored straight into the list's spare room, and a list that Python has let go is
 * emptied and used again with its room: a call costs two stores. Without a GIL as well: no other
 * thread has the list but those that have the loop's lock.
 */
public final class CallList {
  private static final int INITIAL_ROOM = 256;

  private @Owned long list = create();

  private static long create() {
    // Made with room and no items: NULL items are never seen because the size is 0 at once.
    long list = PyException.check(PyContainers.PyList_New(INITIAL_ROOM));
    Memory.putLong(list + Layout.SIZE, 0);
    return list;
  }

  /** The list itself, borrowed. */
  public long object() {
    return list;
  }

  public long size() {
    return Memory.getLong(list + Layout.SIZE);
  }

  public void append(@Owned long call) {
    long size = size();
    if (size < Memory.getLong(list + Layout.LIST_ALLOCATED)) {
      Memory.putLong(item(size), call);
      Memory.putLong(list + Layout.SIZE, size + 1);
      return;
    }
    int status = PyContainers.PyList_Append(list, call);
    Ref.drop(call);
    PyException.checkStatus(status);
  }

  /** A borrowed reference. */
  public long get(long index) {
    return Memory.getLong(item(index));
  }

  /** Replaces a call; a list iterator goes by index, so it meets the new one. */
  public void replace(long index, @Owned long call) {
    PyException.checkStatus(PyContainers.PyList_SetItem(list, index, call));
  }

  /** Empties the list. Calls die here, and with them what they hold: that may run Python code. */
  public void clear() {
    if (!Ref.isOnlyOne(list)) {
      long old = list;
      list = create();
      Ref.drop(old);
      return;
    }
    long size = size();
    Memory.putLong(list + Layout.SIZE, 0);
    long items = Memory.getLong(list + Layout.LIST_ITEMS);
    for (long i = 0; i < size; i++) {
      Ref.drop(Memory.getLong(items + i * Long.BYTES));
    }
  }

  private long item(long index) {
    return Memory.getLong(list + Layout.LIST_ITEMS) + index * Long.BYTES;
  }
}
