package rloop.io;

/**
 * What an {@link Endpoint} tells whoever it works for.
 *
 * <p>Thread rule: on the thread that owns the driver. An implementation that is told on an I/O
 * thread must not touch Python; it takes notes.
 */
public interface EndpointEvents {
  /** The kernel has taken some of what is queued, not all. */
  void progressed();

  /** The kernel has taken all that was queued. */
  void drained();

  /** Sending has failed, or the descriptor can't be watched; what that was is dropped. */
  void failed(int errno);

  /** Nothing needs the memory any more that this owner keeps. */
  void released(long owner);

  /**
   * Whether somebody works on the endpoint from now on, or no longer: until then its owner lives.
   */
  void used(boolean isUsed);

  /** Whether the driver refers to the endpoint from now on, or no longer. */
  void held(boolean isHeld);

  /** The loop is being closed. */
  void driverClosed();
}
