package rloop.io.datagram;

import java.util.Arrays;
import rloop.ffi.Memory;
import rloop.io.stream.WriteQueue;
import rloop.posix.Sockaddr;
import rloop.posix.Stdlib;

/** Datagrams that are to be sent, in order, each with where it goes to and what keeps it alive. */
final class DatagramQueue {
  private static final int INITIAL_ROOM = 4;

  /** What was made larger by a rush starts anew once it is empty; in datagrams. */
  private static final int MOST_KEPT = 1 << 12;

  private static final long[] NONE = {};
  private static final int[] NO_LENGTHS = {};

  private final WriteQueue.Release release;
  private final long headerSize;
  private long[] owners = NONE;
  private long[] addresses = NONE;
  private long[] lengths = NONE;
  private int[] nameLengths = NO_LENGTHS;

  /** Memory of libc's, {@link Sockaddr#STORAGE_SIZE} bytes each; 0 before the first datagram. */
  private long names;

  private int head;
  private int tail;
  private long bytes;

  /**
   * An empty queue.
   *
   * @param headerSize what flow control counts for each datagram beside its data, in bytes
   */
  DatagramQueue(WriteQueue.Release release, long headerSize) {
    this.release = release;
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

  /**
   * Adds a datagram at the end.
   *
   * @param name the peer's address as the kernel takes it, which is copied
   * @param nameLength its length, 0 for the peer of a connected socket
   */
  void add(long owner, long address, long length, long name, int nameLength) {
    try {
      reserve();
    } catch (OutOfMemoryError e) {
      release.release(owner);
      throw e;
    }
    Memory.copy(name, name(tail), nameLength);
    owners[tail] = owner;
    addresses[tail] = address;
    lengths[tail] = length;
    nameLengths[tail] = nameLength;
    tail++;
    bytes += length + headerSize;
  }

  /** Makes room for one more; throws before anything changes. */
  private void reserve() {
    if (tail < owners.length && names != 0) {
      return;
    }
    int count = size();
    int room = Math.max(2 * count, INITIAL_ROOM);
    long[] newOwners = Arrays.copyOfRange(owners, head, head + room);
    long[] newAddresses = Arrays.copyOfRange(addresses, head, head + room);
    long[] newLengths = Arrays.copyOfRange(lengths, head, head + room);
    int[] newNameLengths = Arrays.copyOfRange(nameLengths, head, head + room);
    long newNames = Stdlib.malloc((long) room * Sockaddr.STORAGE_SIZE);
    Memory.copy(name(head), newNames, (long) count * Sockaddr.STORAGE_SIZE);
    Stdlib.free(names);
    owners = newOwners;
    addresses = newAddresses;
    lengths = newLengths;
    nameLengths = newNameLengths;
    names = newNames;
    head = 0;
    tail = count;
  }

  private long name(int index) {
    return names + (long) index * Sockaddr.STORAGE_SIZE;
  }

  // Of a datagram, counted from the one whose turn it is.

  long address(int index) {
    return addresses[head + index];
  }

  long length(int index) {
    return lengths[head + index];
  }

  long nameOf(int index) {
    return name(head + index);
  }

  int nameLength(int index) {
    return nameLengths[head + index];
  }

  /** Takes the one off whose turn it is. Its owner's end may let others in. */
  void removeFirst() {
    long owner = owners[head];
    bytes -= lengths[head] + headerSize;
    head++;
    if (isEmpty()) {
      startAnew();
    }
    release.release(owner);
  }

  private void startAnew() {
    head = 0;
    tail = 0;
    if (owners.length > MOST_KEPT) {
      giveBack();
    }
  }

  private void giveBack() {
    owners = NONE;
    addresses = NONE;
    lengths = NONE;
    nameLengths = NO_LENGTHS;
    Stdlib.free(names);
    names = 0;
  }

  /** Drops all, and gives the memory back. */
  void clear() {
    while (!isEmpty()) {
      removeFirst();
    }
    giveBack();
  }
}
