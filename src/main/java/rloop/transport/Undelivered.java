package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.loop.Reader;

/**
 * Data on its way from a channel to its protocol.
 *
 * <p>Between the read and the call the data can be taken back: a channel that is paused in the
 * meantime holds it, and one that is closed drops it.
 */
interface Undelivered extends Reader {
  /** Takes data back that was not delivered yet, and holds it. */
  void takeBack();

  /** Whether something was taken back that is still to be delivered. */
  boolean holdsData();

  /** Schedules the delivery of what is held. */
  void deliverHeld();

  /** Has data that was not delivered yet go to whoever is the receiver by then. */
  void redirect();

  /** What is held for one delivery, which is no longer held, or 0. */
  @Owned
  long takeHeld();

  /** What was not delivered never will be. */
  void drop();

  /** The transport is about to die. */
  void dispose();
}
