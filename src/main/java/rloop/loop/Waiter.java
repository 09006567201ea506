package rloop.loop;

/** Who waits for a watched descriptor, in one direction. */
public interface Waiter {
  /** The descriptor is ready. */
  void ready();

  /** Somebody else waits in its place now, or nobody; it is not called any more. */
  void replaced();
}
