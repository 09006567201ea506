package rloop.loop;

/** Who waits for a watched descriptor, in one direction. */
public interface Waiter {
  /** The descriptor is ready. */
  void ready();

  /** Somebody else waits in its place now, or nobody; it is not called any more. */
  void replaced();

  /** Whether anybody would hear of it: not where an operation was given up. */
  boolean isHeard();

  /** Whether a number is all that is known of what it waits for. */
  boolean isByNumber();

  /** Whether it waits for the file that has this number now, rather than for one that had it. */
  boolean isFor(int fd);
}
