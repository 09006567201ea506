package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.io.Fifo;
import rloop.io.datagram.DatagramRoom;
import rloop.loop.EventLoop;

/** Datagrams on their way from a socket to its protocol: a call each, several in a batch. */
final class InboundDatagrams implements Undelivered {
  private final EventLoop loop;
  private final DatagramCallbacks callbacks;

  /**
   * The sequence numbers of the first {@link #count} calls in a batch: the pending or the running
   * one, or both, where an I/O thread has read ahead.
   */
  private final long[] sequences = new long[DatagramRoom.MOST];

  private int count;

  /** Tuples {@code (data, address)}, taken back; owned. */
  private final Fifo<Long> held = new Fifo<>();

  InboundDatagrams(EventLoop loop, DatagramCallbacks callbacks) {
    this.loop = loop;
    this.callbacks = callbacks;
  }

  /** Whether there are datagrams which have to be delivered before more are received. */
  boolean isWaiting() {
    return count > 0 || !held.isEmpty();
  }

  /** Whether this batch delivers more than one. */
  boolean areSeveral() {
    return count > 1;
  }

  @Override
  public boolean holdsData() {
    return !held.isEmpty();
  }

  /** Schedules the delivery of a datagram; see {@link Inbound#deliver}. */
  void deliver(@Owned long data, @Owned long address, long size) {
    if (!held.isEmpty() || count == sequences.length) {
      hold(Tuples.of(data, address)); // an I/O thread has read ahead
      return;
    }
    long call = callbacks.delivery(data, address);
    if (call == 0) {
      hold(Tuples.of(data, address)); // no datagram_received: Python reports it
      return;
    }
    Ref.drop(data);
    Ref.drop(address);
    sequences[count++] = loop.schedule(call);
    callbacks.delivers();
    loop.delivers(this, size);
  }

  private void hold(@Owned long datagram) {
    held.add(datagram);
    loop.schedule(callbacks.deliverHeld());
  }

  @Override
  public void batchFinished() {
    int waiting = 0;
    for (int i = 0; i < count; i++) {
      if (loop.isWaiting(sequences[i])) {
        sequences[waiting++] = sequences[i];
      }
    }
    count = waiting;
    callbacks.delivered(loop.bytesPool());
  }

  /** A protocol's error is a callback's like any other: it doesn't end the transport. */
  @Override
  public boolean isDelivery(long sequence) {
    return false;
  }

  @Override
  public long transport() {
    return callbacks.transport();
  }

  @Override
  public void takeBack() {
    int behind = held.size(); // what an I/O thread has read ahead
    held.reserve(behind + count);
    int taken = count;
    count = 0;
    for (int i = 0; i < taken; i++) {
      long sequence = sequences[i];
      if (loop.isWaiting(sequence)) {
        held.add(DatagramCallbacks.delivered(loop.find(sequence)));
        loop.takeBack(sequence);
      }
    }
    for (int i = 0; i < behind; i++) {
      Long datagram = held.poll();
      if (datagram != null) {
        held.add(datagram);
      }
    }
  }

  @Override
  public void deliverHeld() {
    for (int i = 0; i < held.size(); i++) { // one a call, so that each may fail by itself
      loop.schedule(callbacks.deliverHeld());
    }
  }

  @Override
  public void redirect() {
    takeBack();
    deliverHeld();
  }

  @Override
  @Owned
  public long takeHeld() {
    @Owned Long first = held.poll();
    return first == null ? 0 : first;
  }

  @Override
  public void drop() {
    takeBack();
    for (long datagram = takeHeld(); datagram != 0; datagram = takeHeld()) {
      Ref.drop(datagram);
    }
  }

  @Override
  public void dispose() {
    drop();
  }
}
