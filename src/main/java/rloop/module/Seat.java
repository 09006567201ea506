package rloop.module;

/**
 * Which worker of which loop this thread is, for the workers beside the first.
 *
 * <p>Whoever asks a loop for something on such a thread means that worker. Another thread may sit
 * down in a worker's place for the time of a call.
 */
final class Seat {
  private static final ThreadLocal<Seat> OF_THREAD = ThreadLocal.withInitial(Seat::new);

  private long loop;
  private long state;

  private Seat() {}

  /** The state object of the worker of a loop that this thread is, borrowed; 0 if it is none. */
  static long state(long pythonLoop) {
    Seat seat = OF_THREAD.get();
    return seat.loop == pythonLoop ? seat.state : 0;
  }

  /** From now on this thread is that worker; 0 for none. The loop keeps its state objects. */
  static void take(long pythonLoop, long state) {
    Seat seat = OF_THREAD.get();
    seat.loop = state == 0 ? 0 : pythonLoop;
    seat.state = state;
  }
}
