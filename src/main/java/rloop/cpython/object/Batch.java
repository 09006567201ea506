package rloop.cpython.object;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyContainers;
import rloop.cpython.api.PyObjects;
import rloop.ffi.Memory;

/**
 * Calls on their way to Python, which takes them out one by one: what a call holds dies as soon as
 * the next one starts, as in asyncio.
 *
 * <p>It is a Python list, from whose end {@code iter(list.pop, ())} takes the calls, so the first
 * one stands last. The lower half of its room is filled with that {@code ()}: {@code list.pop}
 * gives no room back as long as half of it is used. Items are stored without a call, without a GIL
 * as well: no other thread has the list but those that have the loop's lock.
 */
public final class Batch {
  private static final int INITIAL_ROOM = 256;

  private static final @Owned long END = Tuples.create(0);

  private @Owned long list;

  /** {@code list.pop}, bound. */
  private @Owned long pop;

  /** How many items at the bottom are {@link #END}. */
  private long bottom;

  /** How many calls it was filled with. */
  private long count;

  /** An empty batch. */
  public Batch() {
    create(INITIAL_ROOM);
  }

  private void create(long room) {
    list = PyException.check(PyContainers.PyList_New(room));
    bottom = room / 2 + 1;
    for (long i = 0; i < bottom; i++) {
      Memory.putLong(item(i), Ref.take(END));
    }
    // What is above is still NULL, and never seen because of the size.
    Memory.putLong(list + Layout.SIZE, bottom);
    pop = PyException.check(PyObjects.PyObject_GetAttrString(list, "pop"));
  }

  /** Fills an empty batch with the first {@code count} calls, whose references it takes over. */
  public void fill(long[] calls, int count) {
    if (bottom + count > Memory.getLong(list + Layout.LIST_ALLOCATED)) {
      Ref.drop(pop);
      Ref.drop(list);
      create(4L * count);
    }
    if (size() < bottom) { // the end was taken as well
      Memory.putLong(item(bottom - 1), Ref.take(END));
    }
    long top = item(bottom + count - 1);
    for (int i = 0; i < count; i++) {
      Memory.putLong(top - (long) i * Long.BYTES, calls[i]);
    }
    Memory.putLong(list + Layout.SIZE, bottom + count);
    this.count = count;
  }

  /** An iterator that takes out what is left. */
  @Owned
  public long iterator() {
    return PyException.check(PyObjects.PyCallIter_New(pop, END));
  }

  /** How many calls it was filled with. */
  public long count() {
    return count;
  }

  /** How many calls have not been taken out. */
  public long remaining() {
    return Math.max(size() - bottom, 0);
  }

  /** A call that was not taken out, borrowed. */
  public long get(long index) {
    return Memory.getLong(item(bottom + count - 1 - index));
  }

  /** Replaces a call that was not taken out. */
  public void replace(long index, @Owned long call) {
    long item = item(bottom + count - 1 - index);
    long replaced = Memory.getLong(item);
    Memory.putLong(item, call);
    Ref.drop(replaced);
  }

  /** Drops what is left. Calls die here, and with them what they hold: that may run Python code. */
  public void clear() {
    count = 0;
    long remaining = remaining();
    if (remaining > 0) {
      Memory.putLong(list + Layout.SIZE, bottom);
      for (long i = 0; i < remaining; i++) {
        Ref.drop(Memory.getLong(item(bottom + i)));
      }
    }
  }

  /**
   * Gives its memory up, at the end of the loop; an iterator that somebody has keeps it. To whoever
   * still asks, the batch is empty.
   */
  public void close() {
    clear();
    Ref.drop(pop);
    Ref.drop(list);
    list = END; // which has its size at the same place
    bottom = 0;
  }

  private long size() {
    return Memory.getLong(list + Layout.SIZE);
  }

  private long item(long index) {
    return Memory.getLong(list + Layout.LIST_ITEMS) + index * Long.BYTES;
  }
}
