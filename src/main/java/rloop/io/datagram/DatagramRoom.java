package rloop.io.datagram;

import rloop.posix.Stdlib;

/**
 * What the datagram sockets of a loop share: room to receive several datagrams with the addresses
 * of their peers.
 *
 * <p>Room for the largest datagram there is costs address space alone: memory is what the kernel
 * has written to.
 *
 * <p>Thread rule: the driver's owner.
 */
public final class DatagramRoom {
  /** How many datagrams one call receives or sends at most. */
  public static final int MOST = 16;

  /** As asyncio's {@code max_size}, of a datagram, in bytes. */
  public static final int DATA_SIZE = 256 * 1024;

  private final long data = Stdlib.calloc(MOST, DATA_SIZE);
  private final DatagramMessages received = new DatagramMessages(MOST);
  private final DatagramMessages sent = new DatagramMessages(MOST);

  public DatagramRoom() {
    for (int i = 0; i < MOST; i++) {
      received.setData(i, data(i), DATA_SIZE);
    }
  }

  /**
   * Receives datagrams.
   *
   * @param count how many at most, up to {@link #MOST}
   * @return how many there are, or {@code -errno}
   */
  int receive(int fd, int count) {
    return received.receive(fd, count, 0);
  }

  // Of a datagram that the last receive() brought.

  /** Where it is. */
  public long data(int index) {
    return data + (long) index * DATA_SIZE;
  }

  /** How many bytes it has. */
  int length(int index) {
    return received.length(index);
  }

  /** Where it came from, as the kernel says it. */
  long name(int index) {
    return received.name(index);
  }

  /** How long that is, in bytes; 0 if it has no address. */
  int nameLength(int index) {
    return received.nameLength(index);
  }

  /**
   * Sends the first datagrams of a queue, as many as one call takes.
   *
   * @return how many were sent, at least one; or the {@code -errno} of the first
   */
  int send(int fd, DatagramQueue queue) {
    int count = Math.min(queue.size(), MOST);
    for (int i = 0; i < count; i++) {
      sent.setData(i, queue.address(i), queue.length(i));
      sent.setName(i, queue.nameOf(i), queue.nameLength(i));
    }
    return sent.send(fd, count);
  }

  /** Gives the memory back. */
  public void close() {
    sent.close();
    received.close();
    Stdlib.free(data);
  }
}
