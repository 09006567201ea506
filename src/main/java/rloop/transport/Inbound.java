package rloop.transport;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
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

  /** Data taken back; as {@code bytes}. */
  private @Owned long held;

  /** How much of it a {@code BufferedProtocol} has had, in bytes. */
  private long heldTaken;

  /** The sequence number of the last call that delivers what is held. */
  private long heldCall = EventLoop.NO_CALL;

  /** The sequence number of the call that tells of the end. */
  private long endCall = EventLoop.NO_CALL;

  Inbound(EventLoop loop, Callbacks callbacks) {
    this.loop = loop;
    this.callbacks = callbacks;
  }

  /** Whether there is data which has to be delivered before more is read. */
  boolean isWaiting() {
    return held != 0 || sequence != EventLoop.NO_CALL;
  }

  /**
   * Schedules the delivery of data. Others may come in before that: the caller then asks whether it
   * still reads.
   */
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
    delivers(size);
  }

  /** Has a {@code BufferedProtocol} read; nothing is read before its call. */
  void letRead() {
    sequence = loop.schedule(callbacks.readBuffered());
    carriesData = false;
    delivers(lastRead);
  }

  private void delivers(long size) {
    callbacks.delivers();
    loop.delivers(this, size);
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
    callbacks.delivered(loop.bytesPool());
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
      if (carriesData) {
        held = Callbacks.deliveredData(loop.find(sequence));
      }
      long taken = sequence;
      sequence = EventLoop.NO_CALL;
      loop.takeBack(taken);
    }
    if (loop.isWaiting(heldCall)) {
      long taken = heldCall;
      heldCall = EventLoop.NO_CALL;
      loop.takeBack(taken);
    }
  }

  @Override
  public void deliverHeld() {
    if (held != 0 && !loop.isWaiting(heldCall)) {
      heldCall = loop.schedule(callbacks.deliverHeld());
    }
  }

  /** The data keeps its place among the calls: what comes after it may be the end of TLS. */
  @Override
  public void redirect() {
    if (carriesDataThatWaits()) {
      long call = callbacks.deliverHeld();
      if (!carriesDataThatWaits()) { // others came in
        Ref.drop(call);
        return;
      }
      held = Callbacks.deliveredData(loop.find(sequence));
      heldCall = sequence;
      sequence = EventLoop.NO_CALL;
      loop.replace(heldCall, call);
    } else if (held == 0) {
      takeBack();
    }
  }

  private boolean carriesDataThatWaits() {
    return carriesData && sequence != EventLoop.NO_CALL && loop.isWaiting(sequence);
  }

  /** Whether data was taken back that is still to be delivered. */
  boolean holdsData() {
    return held != 0;
  }

  @Override
  @Owned
  public long takeHeld() {
    long data = held;
    long taken = heldTaken;
    held = 0;
    heldTaken = 0;
    return taken == 0 ? data : rest(data, taken);
  }

  @Owned
  private static long rest(@Owned long data, long taken) {
    long rest =
        PyScalars.PyBytes_FromStringAndSize(
            data + Layout.BYTES_DATA + taken, Memory.getLong(data + Layout.SIZE) - taken);
    Ref.drop(data);
    return PyException.check(rest);
  }

  /**
   * Moves as much of the data that is held as there is room for, and has the rest delivered later:
   * one call at a time, as if it was only received now.
   *
   * @return how many bytes
   */
  long takeHeldInto(long address, long room) {
    long rest = Memory.getLong(held + Layout.SIZE) - heldTaken;
    long count = Math.min(rest, room);
    Memory.copy(held + Layout.BYTES_DATA + heldTaken, address, count);
    heldTaken += count;
    if (count == rest) {
      dropHeld();
    } else {
      deliverHeld();
    }
    return count;
  }

  private void dropHeld() {
    long data = held;
    held = 0;
    heldTaken = 0;
    Ref.dropIfAny(data);
  }

  @Override
  public void drop() {
    takeBackEnd();
    dropData();
  }

  /** As {@link #drop}, but the end will be told. */
  void dropData() {
    takeBack();
    dropHeld();
  }

  @Override
  public void dispose() {
    drop();
    sequence = EventLoop.NO_CALL;
  }
}
