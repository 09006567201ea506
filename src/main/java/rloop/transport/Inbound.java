package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.loop.EventLoop;
import rloop.loop.Reader;

/**
 * Data on its way from a connection to its protocol.
 *
 * <p>Between the read and the call the data can be taken back: a connection that is paused in the
 * meantime holds it, and one that is closed drops it.
 */
final class Inbound implements Reader {
  private static final long NOTHING = -1;

  private final EventLoop loop;
  private final Callbacks callbacks;

  /** The sequence number of the last call in the pending or the running batch. */
  private long sequence = NOTHING;

  /** Data taken back. */
  private @Owned long held;

  /** The transport may be dead by now. */
  private boolean disposed;

  Inbound(EventLoop loop, Callbacks callbacks) {
    this.loop = loop;
    this.callbacks = callbacks;
  }

  /** Whether there is data which has to be delivered before more is read. */
  boolean isWaiting() {
    return held != 0 || sequence != NOTHING;
  }

  /** Schedules the delivery of data. */
  void deliver(@Owned long data, long size) {
    long call = callbacks.delivery(data);
    if (call == 0) {
      held = data;
      deliverHeld(); // the protocol has no data_received: Python reports it
      return;
    }
    Ref.drop(data);
    sequence = loop.schedule(call);
    loop.delivers(this, size);
  }

  /** Has a {@code BufferedProtocol} read; nothing is read before its call. */
  void letRead() {
    sequence = loop.schedule(callbacks.readBuffered());
    loop.delivers(this, 0);
  }

  @Override
  public void batchFinished() {
    sequence = NOTHING;
    if (!disposed) {
      callbacks.forgetDelivered(loop.bytesPool());
    }
  }

  @Override
  public boolean isDelivery(long sequence) {
    return sequence == this.sequence && callbacks.hasReceiver();
  }

  @Override
  public long transport() {
    return callbacks.transport();
  }

  /** Takes data back that was not delivered yet, and holds it. */
  void takeBack() {
    if (sequence != NOTHING && loop.isWaiting(sequence)) {
      loop.takeBack(sequence);
      sequence = NOTHING;
      if (callbacks.hasReceiver()) {
        held = Ref.take(callbacks.deliveredData());
      }
    }
  }

  /** Schedules the delivery of what is held. */
  void deliverHeld() {
    if (held != 0) {
      loop.schedule(callbacks.deliverHeld());
    }
  }

  /** What is held, which is no longer held. */
  @Owned
  long takeHeld() {
    long data = held;
    held = 0;
    return data;
  }

  /** What was not delivered never will be. */
  void drop() {
    takeBack();
    Ref.dropIfAny(takeHeld());
  }

  /** The transport is about to die. */
  void dispose() {
    drop();
    sequence = NOTHING;
    disposed = true;
  }

  /**
   * Sets whom data goes to from now on, also data that was read before.
   *
   * @param receiver a protocol, or 0 for a {@code BufferedProtocol}
   */
  void setReceiver(long receiver) {
    takeBack();
    deliverHeld();
    callbacks.setReceiver(receiver);
  }
}
