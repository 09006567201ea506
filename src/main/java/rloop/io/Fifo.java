package rloop.io;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A queue that stays whole when there is no memory for it to grow: it makes room before it takes
 * anything. ({@code ArrayDeque} does so afterwards, and has lost everything if that fails.)
 */
public final class Fifo<T> {
  /** What was made larger by a rush starts anew once it is empty; in elements. */
  public static final int MOST_KEPT = 1 << 16;

  private static final int INITIAL_ROOM = 16;
  private static final @Nullable Object[] NONE = {};

  private @Nullable Object[] elements = NONE;
  private int head;
  private int tail;

  /** Makes room for more, so that {@link #add} finds it; throws before anything changes. */
  public void reserve(int count) {
    if (elements.length - tail >= count) {
      return;
    }
    int size = size();
    if (head > size && elements.length - size >= count) {
      System.arraycopy(elements, head, elements, 0, size);
      Arrays.fill(elements, size, tail, null);
    } else {
      int room = Math.max(Math.max(2 * size, size + count), INITIAL_ROOM);
      elements = Arrays.copyOfRange(elements, head, head + room);
    }
    head = 0;
    tail = size;
  }

  /** Adds one at the end. */
  public void add(T element) {
    reserve(1);
    elements[tail++] = element;
  }

  public int size() {
    return tail - head;
  }

  public boolean isEmpty() {
    return head == tail;
  }

  /** The first one, or null. */
  @SuppressWarnings("unchecked") // nothing else was put in
  public @Nullable T peek() {
    return isEmpty() ? null : (T) elements[head];
  }

  /** Takes the first one out, or returns null. */
  public @Nullable T poll() {
    T first = peek();
    if (first != null) {
      elements[head++] = null;
      if (isEmpty()) {
        head = 0;
        tail = 0;
        if (elements.length > MOST_KEPT) {
          elements = NONE;
        }
      }
    }
    return first;
  }
}
