package rloop.transport;

import java.util.Arrays;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;

/**
 * Datagrams that are to be sent, in order: {@code bytes}, and Python addresses that {@link
 * Destination} encodes, or 0 for the connected peer.
 *
 * <p>Parallel arrays instead of objects, as in {@link rloop.io.stream.WriteQueue}.
 */
final class DatagramQueue {
  private static final int INITIAL_ROOM = 16;

  /** What was made larger by a rush starts anew once it is empty; in datagrams. */
  private static final int MOST_KEPT = 1 << 12;

  private static final long[] NONE = {};

  private @Owned long[] data = NONE;
  private @Owned long[] addresses = NONE;
  private int head;
  private int tail;
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
    return head == tail;
  }

  int size() {
    return tail - head;
  }

  /** How much waits, headers included. */
  long bytes() {
    return bytes;
  }

  /** Adds one, and takes references to what it consists of. */
  void add(long datagram, long address) {
    reserve();
    data[tail] = Ref.take(datagram);
    addresses[tail] = address == 0 ? 0 : Ref.take(address);
    tail++;
    bytes += Memory.getLong(datagram + Layout.SIZE) + headerSize;
  }

  /** Makes room for one more; throws before anything changes. */
  private void reserve() {
    if (tail < data.length) {
      return;
    }
    int count = size();
    if (head > count) {
      System.arraycopy(data, head, data, 0, count);
      System.arraycopy(addresses, head, addresses, 0, count);
    } else {
      int end = head + Math.max(2 * count, INITIAL_ROOM);
      long[] larger = Arrays.copyOfRange(data, head, end);
      addresses = Arrays.copyOfRange(addresses, head, end);
      data = larger;
    }
    head = 0;
    tail = count;
  }

  /** What one consists of, by its place from the first that waits: {@code bytes}, borrowed. */
  long dataOf(int index) {
    return data[head + index];
  }

  /** Where it goes, borrowed. */
  long addressOf(int index) {
    return addresses[head + index];
  }

  void removeFirst() {
    long datagram = data[head];
    long address = addresses[head];
    bytes -= Memory.getLong(datagram + Layout.SIZE) + headerSize;
    head++;
    if (isEmpty()) {
      startAnew();
    }
    Ref.drop(datagram);
    Ref.dropIfAny(address);
  }

  private void startAnew() {
    head = 0;
    tail = 0;
    if (data.length > MOST_KEPT) {
      data = NONE;
      addresses = NONE;
    }
  }

  void clear() {
    while (!isEmpty()) {
      removeFirst();
    }
  }
}
