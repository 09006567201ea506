package rloop.loop;

import java.util.ArrayList;

/**
 * The threads, other than the one that runs the loop, that have used the loop's I/O.
 *
 * <p>A method of theirs may have let the loop's thread in, and goes on with the I/O afterwards: so
 * that must not be somebody else's by then. Whether a method has ended shows in the thread's stack,
 * which has no Java frames then: to look there is dear, but that other threads come at all is rare,
 * and it costs the methods of a loop's own thread nothing.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class Visitors {
  private final ArrayList<Thread> threads = new ArrayList<>();

  Visitors() {}

  /** This thread uses the I/O from now on, until its method ends. */
  void come() {
    Thread thread = Thread.currentThread();
    if (!threads.contains(thread)) {
      threads.add(thread);
    }
  }

  /** Whether one of them, other than this thread, may be in a method. */
  boolean areInside() {
    if (!threads.isEmpty()) {
      threads.removeIf(Visitors::isOutside);
    }
    return !threads.isEmpty();
  }

  @SuppressWarnings("ReferenceEquality")
  private static boolean isOutside(Thread thread) {
    return thread == Thread.currentThread() || thread.getStackTrace().length == 0;
  }
}
