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
  private EventLoop loop;
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

  /** What the end was: 0 or an {@code errno}. */
  private int end;

  private boolean isEndHeld;

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
      hold(data); // the protocol has no data_received: Python reports it
      return;
    }
    Ref.drop(data);
    sequence = loop.schedule(call);
    carriesData = true;
    delivers(size);
  }

  /** Has data wait behind what is held. */
  void hold(@Owned long data) {
    held = held == 0 ? data : joined(takeHeld(), data);
    deliverHeld();
  }

  @Owned
  private static long joined(@Owned long first, @Owned long second) {
    long size = Memory.getLong(first + Layout.SIZE);
    long more = Memory.getLong(second + Layout.SIZE);
    long both = PyScalars.PyBytes_FromStringAndSize(0, size + more);
    if (both != 0) {
      Memory.copy(first + Layout.BYTES_DATA, both + Layout.BYTES_DATA, size);
      Memory.copy(second + Layout.BYTES_DATA, both + Layout.BYTES_DATA + size, more);
    }
    Ref.drop(first);
    Ref.drop(second);
    return PyException.check(both);
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

  /** Tells of the end: 0, or the {@code errno} of the error that was it. */
  void deliverEnd(int errno) {
    end = errno;
    isEndHeld = holdsData(); // which comes first
    if (!isEndHeld) {
      endCall = loop.schedule(errno == 0 ? callbacks.endOfFile() : callbacks.readFailed(errno));
    }
  }

  /** A call has another number now. */
  void renumber(long from, long to) {
    if (from == sequence) {
      sequence = to;
    } else if (from == heldCall) {
      heldCall = to;
    } else if (from == endCall) {
      endCall = to;
    }
  }

  /**
   * Delivers on another loop from now on, where the calls that waited are.
   *
   * @return whether {@link #batchFinished} is to be called, which may let others in
   */
  boolean moveTo(EventLoop other) {
    loop.deliversNoMore(this);
    loop = other;
    boolean waits = sequence != EventLoop.NO_CALL && loop.isWaiting(sequence);
    if (waits) {
      loop.delivers(this, 0);
    }
    return !waits;
  }

  /** Takes back that the stream has ended; returns whether that was not told yet. */
  private boolean takeBackEnd() {
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
    takeBackData();
    isEndHeld |= takeBackEnd();
  }

  private void takeBackData() {
    if (sequence != EventLoop.NO_CALL && loop.isWaiting(sequence)) {
      if (carriesData) {
        holdDelivered();
      }
      long taken = sequence;
      sequence = EventLoop.NO_CALL;
      loop.takeBack(taken);
    }
    takeBackHeldCall();
  }

  private void takeBackHeldCall() {
    if (loop.isWaiting(heldCall)) {
      long taken = heldCall;
      heldCall = EventLoop.NO_CALL;
      loop.takeBack(taken);
    }
  }

  /** Holds what the waiting call carries, before what came later. */
  private void holdDelivered() {
    long data = Callbacks.deliveredData(loop.find(sequence));
    held = held == 0 ? data : joined(data, takeHeld());
  }

  @Override
  public void deliverHeld() {
    if (held != 0 && !loop.isWaiting(heldCall)) {
      heldCall = loop.schedule(callbacks.deliverHeld());
    }
    if (isEndHeld) {
      isEndHeld = false;
      deliverEnd(end);
    }
  }

  /** The data keeps its place among the calls: what comes after it may be the end of TLS. */
  @Override
  public void redirect() {
    if (carriesDataThatWaits()) {
      long call = callbacks.deliverHeld();
      takeBackHeldCall();
      if (!carriesDataThatWaits()) { // others came in
        Ref.drop(call);
        return;
      }
      holdDelivered();
      isEndHeld |= takeBackEnd(); // which comes after the last buffer
      heldCall = sequence;
      sequence = EventLoop.NO_CALL;
      loop.replace(heldCall, call);
    } else if (held == 0) {
      takeBackData();
    }
  }

  private boolean carriesDataThatWaits() {
    return carriesData && sequence != EventLoop.NO_CALL && loop.isWaiting(sequence);
  }

  /** The end, which a call was to tell: 0 or {@code -errno}; or that there is nothing to tell. */
  long takeEnd() {
    return takeBackEnd() ? -end : StreamReading.NOTHING_TO_TELL;
  }

  /** How many bytes are held. */
  long heldBytes() {
    return held == 0 ? 0 : Memory.getLong(held + Layout.SIZE) - heldTaken;
  }

  @Override
  public boolean holdsData() {
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
    isEndHeld = false;
    takeBackEnd();
    dropData();
  }

  /** As {@link #drop}, but the end will be told. */
  void dropData() {
    takeBackData();
    dropHeld();
  }

  @Override
  public void dispose() {
    drop();
    sequence = EventLoop.NO_CALL;
  }
}
