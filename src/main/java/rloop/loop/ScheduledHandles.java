package rloop.loop;

import java.util.Arrays;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.io.Fifo;

/**
 * Handles that somebody keeps while their calls are scheduled: when a call fails, its handle is
 * part of the report. In the order of their sequence numbers but for one: a {@code call_soon} is
 * noted when the next one comes, and goes when the handles after it do.
 */
final class ScheduledHandles {
  private static final int INITIAL_ROOM = 16;
  private static final long[] NONE = {};

  private long[] sequences = NONE;
  private @Owned long[] handles = NONE;
  private int head;
  private int tail;

  /** Makes room for more, so that {@link #add} finds it; throws before anything changes. */
  void reserve(int count) {
    if (handles.length - tail >= count) {
      return;
    }
    int size = tail - head;
    if (head >= count && head > size) {
      System.arraycopy(sequences, head, sequences, 0, size);
      System.arraycopy(handles, head, handles, 0, size);
    } else {
      int end = head + Math.max(2 * size + count, INITIAL_ROOM);
      long[] larger = Arrays.copyOfRange(sequences, head, end);
      handles = Arrays.copyOfRange(handles, head, end);
      sequences = larger;
    }
    head = 0;
    tail = size;
  }

  void add(long sequence, @Owned long handle) {
    reserve(1);
    sequences[tail] = sequence;
    handles[tail++] = handle;
  }

  /** A borrowed reference, or 0. */
  long find(long sequence) {
    for (int i = head; i < tail; i++) {
      if (sequences[i] == sequence) {
        return handles[i];
      }
    }
    return 0;
  }

  /** Gives up the handles of all calls before that one; may run Python code, which may add some. */
  void dropBefore(long end) {
    while (head < tail && sequences[head] < end) {
      Ref.drop(handles[head++]);
    }
    if (head == tail) {
      clear();
    }
  }

  private void clear() {
    head = 0;
    tail = 0;
    if (handles.length > Fifo.MOST_KEPT) {
      handles = NONE;
      sequences = NONE;
    }
  }
}
