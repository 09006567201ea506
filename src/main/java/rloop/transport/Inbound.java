package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.loop.EventLoop;

/** Data, or the end of it, on its way from a connection to its protocol: one call a batch. */
final class Inbound implements Undelivered {
  private final EventLoop loop;
  private final Callbacks callbacks;

  /** The sequence number of the last call in the pending or the running batch. */
  private long sequence = EventLoop.NO_CALL;

  /** Whether that call carries data, or else has Python read. */
  private boolean carriesData;

  /** How much a {@code BufferedProtocol} read last time, in bytes: about as much as next time. */
  private long lastRead;

  /** Data taken back. */
  private @Owned long held;

  /** The sequence number of the call that tells of the end. */
  private long endCall = EventLoop.NO_CALL;

  /** The transport may be dead by now. */
  private boolean disposed;

  Inbound(EventLoop loop, Callbacks callbacks) {
    this.loop = loop;
    this.callbacks = callbacks;
  }

  /** Whether there is data which has to be delivered before more is read. */
  boolean isWaiting() {
    return held != 0 || sequence != EventLoop.NO_CALL;
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
    carriesData = true;
    loop.delivers(this, size);
  }

  /** Has a {@code BufferedProtocol} read; nothing is read before its call. */
  void letRead() {
    sequence = loop.schedule(callbacks.readBuffered());
    carriesData = false;
    loop.delivers(this, lastRead);
  }

  /** A {@code BufferedProtocol} has read so many bytes. */
  void hasRead(long bytes) {
    lastRead = bytes;
  }

  /** Schedules the call that tells of the end. */
  void deliverEnd(@Owned long call) {
    endCall = loop.schedule(call);
  }

  /** Takes back that the stream has ended; returns whether that was not told yet. */
  boolean takeBackEnd() {
    boolean isWaiting = loop.isWaiting(endCall);
    if (isWaiting) {
      loop.takeBack(endCall);
    }
    return isWaiting;
  }

  @Override
  public void batchFinished() {
    sequence = EventLoop.NO_CALL;
    if (!disposed) {
      callbacks.forgetDelivered(loop.bytesPool());
    }
  }

  @Override
  public boolean isDelivery(long sequence) {
    return sequence == this.sequence && carriesData;
  }

  @Override
  public long transport() {
    return callbacks.transport();
  }

  @Override
  public void takeBack() {
    if (sequence != EventLoop.NO_CALL && loop.isWaiting(sequence)) {
      loop.takeBack(sequence);
      sequence = EventLoop.NO_CALL;
      if (carriesData) {
        held = Ref.take(callbacks.deliveredData());
      }
    }
  }

  @Override
  public void deliverHeld() {
    if (held != 0) {
      loop.schedule(callbacks.deliverHeld());
    }
  }

  @Override
  @Owned
  public long takeHeld() {
    long data = held;
    held = 0;
    return data;
  }

  @Override
  public void drop() {
    takeBackEnd();
    dropData();
  }

  /** As {@link #drop}, but the end will be told. */
  void dropData() {
    takeBack();
    Ref.dropIfAny(takeHeld());
  }

  @Override
  public void dispose() {
    drop();
    sequence = EventLoop.NO_CALL;
    disposed = true;
  }
}
