package rloop.loop;

/** A connection that goes where those are who use it. */
public interface Follower {
  /** Goes on, unless it has; by the thread of the loop where it was told to, between two calls. */
  void goOn(EventLoop from);
}
