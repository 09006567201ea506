package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.loop.EventLoop;
import rloop.loop.Reader;

/**
 * Data on its way from a connection to its protocol.
 *
 * <p>The call {@code (context, protocol.data_received, data)} is a tuple that is used again when its
 * batch is over and nobody else holds it. Between the read and the call, the data can be taken
 * back: a connection that is paused in the meantime holds it, and one that is closed drops it.
 */
final class Inbound implements Reader {
  private static final int DATA = 2;
  private static final long NOTHING = -1;

  private final EventLoop loop;
  private final Callbacks callbacks;

  /** {@code protocol.data_received}; 0 for a {@code BufferedProtocol}, which brings its buffers. */
  private @Owned long receiver;

  /** The tuple of the last delivery. */
  private @Owned long call;

  /** The sequence number of that delivery. */
  private long sequence = NOTHING;

  /** Data taken back. */
  private @Owned long held;

  Inbound(EventLoop loop, Callbacks callbacks) {
    this.loop = loop;
    this.callbacks = callbacks;
  }

  boolean isBuffered() {
    return receiver == 0;
  }

  /** Whether there is data which has to be delivered before more is read. */
  boolean isWaiting() {
    return held != 0 || sequence != NOTHING;
  }

  /** Schedules the delivery of data. */
  void deliver(@Owned long data, long size) {
    if (call != 0 && Ref.isOnlyOne(call)) {
      Tuples.setFirst(call, DATA, data);
    } else {
      Ref.dropIfAny(call);
      call = Tuples.of(Ref.take(callbacks.context()), Ref.take(receiver), data);
    }
    sequence = loop.schedule(Ref.take(call));
    loop.delivers(this, size);
  }

  /** The batch is over: data that was delivered is let go now, not when more arrives. */
  @Override
  public void batchFinished() {
    sequence = NOTHING;
    if (call != 0 && Ref.isOnlyOne(call)) {
      long data = Tuples.get(call, DATA);
      Tuples.setFirst(call, DATA, Ref.take(PyObjects.Py_None));
      Ref.drop(data);
    }
  }

  @Override
  public boolean isDelivery(long sequence) {
    return sequence == this.sequence;
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
      held = Ref.take(Tuples.get(call, DATA));
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

  /**
   * Sets whom data goes to from now on, also data that was read before.
   *
   * @param receiver {@code protocol.data_received}, or 0 for a {@code BufferedProtocol}
   */
  void setReceiver(long receiver) {
    takeBack();
    deliverHeld();
    Ref.dropIfAny(this.receiver);
    Ref.dropIfAny(call);
    call = 0;
    this.receiver = receiver == 0 ? 0 : Ref.take(receiver);
  }

  /** Gives up all references. */
  void dispose() {
    drop();
    setReceiver(0);
  }
}
