package rloop.loop;

import org.jspecify.annotations.Nullable;

/**
 * Writes down what one loop does. It exists while that is recorded.
 *
 * <p>Thread rule: the thread that runs the loop; {@link #waitEnds} without the loop's lock, all
 * else with it.
 */
public interface Recorder {
  /** Something that lasts, such as a connection. */
  interface Span {
    /** It is over; whether well. */
    void end(boolean well);
  }

  /** The loop begins to work: to run a batch, or to look at what has come. */
  void workBegins();

  /** The loop has worked, and has run so many calls. */
  void workEnds(long calls);

  /** The loop begins to wait for the poller. */
  void waitBegins();

  /** The wait is over; {@link #waitIsTold} follows. */
  void waitEnds();

  /** The loop's thread has the lock again. */
  void waitIsTold();

  /** A call starts. */
  void callStarts();

  /** The call has ended; returns whether it was slow: {@link #describeSlowCall} may follow. */
  boolean callEnds();

  /** What the last slow call was. */
  void describeSlowCall(String description);

  /** A connection begins, or another transport. */
  Span transportOpened(String kind, int fd);

  /** One ends of which {@link #transportOpened} has not told: null, or what it has returned. */
  void transportClosed(@Nullable Span span, String kind, int fd);

  /** A handshake begins. */
  Span handshake(int fd);
}
