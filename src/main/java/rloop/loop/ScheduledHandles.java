package rloop.loop;

import java.util.Arrays;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;

/**
 * Handles that somebody keeps while their calls are scheduled: when a call fails, its handle is
 * part of the report. In the order of their sequence numbers but for one: a {@code call_soon} is
 * noted when the next one comes, and goes when the handles after it do.
 */
final class ScheduledHandles {
  private static final int INITIAL_ROOM = 16;

  private long[] sequences = new long[INITIAL_ROOM];
  private long[] handles = new long[INITIAL_ROOM];
  private int size;

  void add(long sequence, @Owned long handle) {
    if (size == handles.length) {
      sequences = Arrays.copyOf(sequences, size * 2);
      handles = Arrays.copyOf(handles, size * 2);
    }
    sequences[size] = sequence;
    handles[size++] = handle;
  }

  /** A borrowed reference, or 0. */
  long find(long sequence) {
    for (int i = 0; i < size; i++) {
      if (sequences[i] == sequence) {
        return handles[i];
      }
    }
    return 0;
  }

  /** Gives up the handles of all calls before that one; may run Python code. */
  void dropBefore(long end) {
    int count = 0;
    while (count < size && sequences[count] < end) {
      count++;
    }
    if (count == 0) {
      return;
    }
    long[] dropped = Arrays.copyOf(handles, count);
    size -= count;
    System.arraycopy(sequences, count, sequences, 0, size);
    System.arraycopy(handles, count, handles, 0, size);
    for (long handle : dropped) {
      Ref.drop(handle);
    }
  }
}
