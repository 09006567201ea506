package rloop.loop;

import java.util.Arrays;
import rloop.cpython.api.Owned;
import rloop.io.Fifo;

/**
 * Pending timers: a binary heap by deadline, equal deadlines in the order in which they were added.
 *
 * <p>Parallel arrays instead of objects, so that a timer costs the Java collector nothing. Every
 * timer knows its index (the {@link Index} is told of each move), so a cancelled one leaves at
 * once; most are set, cancelled and never fire.
 */
final class Timers {
  /** Remembers where a timer stands. */
  interface Index {
    void moved(long timer, int index);
  }

  private static final int INITIAL_ROOM = 64;

  /** With two children each, twice as many timers would have to be told that they have moved. */
  private static final int ARITY = 4;

  private static final long[] NO_LONGS = {};
  private static final double[] NO_DOUBLES = {};

  private final Index index;
  private @Owned long[] timers = NO_LONGS;
  private double[] deadlines = NO_DOUBLES;
  private long[] orders = NO_LONGS;
  private int size;
  private long nextOrder;

  Timers(Index index) {
    this.index = index;
  }

  int size() {
    return size;
  }

  /** Seconds on the loop's clock; there must be a timer. */
  double firstDeadline() {
    return deadlines[0];
  }

  /** Makes room for one more, so that {@link #add} finds it; throws before anything changes. */
  void reserve() {
    if (size == timers.length) {
      int room = Math.max(size * 2, INITIAL_ROOM);
      long[] largerTimers = Arrays.copyOf(timers, room);
      double[] largerDeadlines = Arrays.copyOf(deadlines, room);
      orders = Arrays.copyOf(orders, room);
      timers = largerTimers;
      deadlines = largerDeadlines;
    }
  }

  void add(@Owned long timer, double deadline) {
    reserve();
    // NaN has no order, and asyncio's heap calls such a timer at once.
    siftUp(
        size++, timer, Double.isNaN(deadline) ? Double.NEGATIVE_INFINITY : deadline, nextOrder++);
  }

  /** Takes out the timer with the earliest deadline and returns it. */
  @Owned
  long removeFirst() {
    return remove(0);
  }

  /** Takes out the timer at an index and returns it. */
  @Owned
  long remove(int at) {
    long removed = timers[at];
    int last = --size;
    if (last == 0 && timers.length > Fifo.MOST_KEPT) {
      timers = NO_LONGS;
      deadlines = NO_DOUBLES;
      orders = NO_LONGS;
    } else if (at != last) {
      long timer = timers[last];
      double deadline = deadlines[last];
      long order = orders[last];
      if (at > 0 && before(deadline, order, parent(at))) {
        siftUp(at, timer, deadline, order);
      } else {
        siftDown(at, timer, deadline, order);
      }
    }
    return removed;
  }

  private static int parent(int at) {
    return (at - 1) / ARITY;
  }

  private boolean before(double deadline, long order, int other) {
    return deadline < deadlines[other] || (deadline == deadlines[other] && order < orders[other]);
  }

  private void siftUp(int from, long timer, double deadline, long order) {
    int at = from;
    while (at > 0 && before(deadline, order, parent(at))) {
      move(parent(at), at);
      at = parent(at);
    }
    set(at, timer, deadline, order);
  }

  private void siftDown(int from, long timer, double deadline, long order) {
    int at = from;
    for (int child; (child = ARITY * at + 1) < size; at = child) {
      int end = Math.min(child + ARITY, size);
      for (int other = child + 1; other < end; other++) {
        if (before(deadlines[other], orders[other], child)) {
          child = other;
        }
      }
      if (before(deadline, order, child)) {
        break;
      }
      move(child, at);
    }
    set(at, timer, deadline, order);
  }

  private void move(int from, int to) {
    set(to, timers[from], deadlines[from], orders[from]);
  }

  private void set(int at, long timer, double deadline, long order) {
    timers[at] = timer;
    deadlines[at] = deadline;
    orders[at] = order;
    index.moved(timer, at);
  }
}
