package rloop.transport;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;

/** Datagrams that are to be sent, in order. */
final class DatagramQueue implements Iterable<DatagramQueue.Datagram> {
  /**
   * A datagram.
   *
   * @param data {@code bytes}
   * @param address a Python address that {@link Destination} encodes, or 0 for the connected peer
   */
  record Datagram(@Owned long data, @Owned long address) {
    long length() {
      return Memory.getLong(data + Layout.SIZE);
    }
  }

  private final Deque<Datagram> datagrams = new ArrayDeque<>(0);
  private final long headerSize;
  private long bytes;

  /**
   * An empty queue.
   *
   * @param headerSize what flow control counts for each datagram beside its data, in bytes
   */
  DatagramQueue(long headerSize) {
    this.headerSize = headerSize;
  }

  boolean isEmpty() {
    return datagrams.isEmpty();
  }

  /** Whether there is exactly one. */
  boolean isOne() {
    return datagrams.size() == 1;
  }

  @Override
  public Iterator<Datagram> iterator() {
    return datagrams.iterator();
  }

  /** How much waits, headers included. */
  long bytes() {
    return bytes;
  }

  void add(Datagram datagram) {
    datagrams.addLast(datagram);
    bytes += datagram.length() + headerSize;
  }

  /** The one whose turn it is; there must be one. */
  Datagram first() {
    return datagrams.getFirst();
  }

  void removeFirst() {
    Datagram datagram = datagrams.removeFirst();
    bytes -= datagram.length() + headerSize;
    Ref.drop(datagram.data());
    Ref.dropIfAny(datagram.address());
  }

  void clear() {
    while (!isEmpty()) {
      removeFirst();
    }
  }
}
