package rloop.loop;

import java.util.ArrayList;
import java.util.function.Predicate;

/**
 * The threads, other than the one that runs the loop, that have used the loop's I/O, or one of its
 * connections.
 *
 * <p>A method of theirs may have let the loop's thread in, and goes on with the I/O afterwards: so
 * that must not be somebody else's by then. Whether a method has ended shows in the thread's stack,
 * which has no Java frames then: to look there is dear, but that other threads come at all is rare,
 * and it costs the methods of a loop's own thread nothing.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class Visitors {
  private final Predicate<StackTraceElement[]> areInside;
  private final ArrayList<Thread> threads = new ArrayList<>();

  /** Nobody yet; a method is whatever is Java. */
  Visitors() {
    this(frames -> frames.length > 0);
  }

  /**
   * Nobody yet.
   *
   * @param areInside whether a thread with these frames may be in such a method
   */
  public Visitors(Predicate<StackTraceElement[]> areInside) {
    this.areInside = areInside;
  }

  /** This thread uses the I/O from now on, until its method ends. */
  public void come() {
    Thread thread = Thread.currentThread();
    if (!threads.contains(thread)) {
      threads.add(thread);
    }
  }

  /** Whether one of them, other than this thread, may be in a method. */
  public boolean areInside() {
    if (!threads.isEmpty()) {
      threads.removeIf(this::isOutside);
    }
    return !threads.isEmpty();
  }

  @SuppressWarnings("ReferenceEquality")
  private boolean isOutside(Thread thread) {
    return thread == Thread.currentThread() || !areInside.test(thread.getStackTrace());
  }
}
