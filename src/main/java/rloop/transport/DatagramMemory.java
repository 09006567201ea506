package rloop.transport;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.ffi.Memory;
import rloop.posix.Stdlib;

/**
 * What the datagram sockets of a loop share: room to receive several datagrams with the addresses
 * of their peers, and to say where they go to.
 *
 * <p>Room for the largest datagram there is costs address space alone: memory is what the kernel
 * has written to.
 */
final class DatagramMemory {
  /** How many datagrams one call receives or sends at most. */
  static final int MOST = 16;

  /** As asyncio's {@code max_size}, of a datagram, in bytes. */
  static final int DATA_SIZE = 256 * 1024;

  private final long data = Stdlib.calloc(MOST, DATA_SIZE);
  private final DatagramMessages received = new DatagramMessages(MOST);
  private final DatagramMessages sent = new DatagramMessages(MOST);

  /** One that is received to elsewhere. */
  private final DatagramMessages single = new DatagramMessages(1);

  private final PeerAddresses addresses = new PeerAddresses();
  private final Destination destination = new Destination();

  /** Where {@link #encode} writes, until the next {@link #send}. */
  final long sockaddr = sent.name(0);

  DatagramMemory() {
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
  int receive(int fd, int count, int flags) {
    return received.receive(fd, count, flags);
  }

  long data(int index) {
    return data + (long) index * DATA_SIZE;
  }

  int length(int index) {
    return received.length(index);
  }

  /** Where it came from. */
  @Owned
  long address(int index) {
    return addresses.get(received.name(index), received.nameLength(index));
  }

  /**
   * Receives one datagram, or what there is of a stream, to where the caller says.
   *
   * @return how many bytes, or {@code -errno}
   */
  int receiveInto(int fd, long address, long length, int flags) {
    single.setData(0, address, length);
    int count = single.receive(fd, 1, flags);
    return count < 0 ? count : single.length(0);
  }

  /** Where what {@link #receiveInto} received came from. */
  @Owned
  long sender() {
    return addresses.get(single.name(0), single.nameLength(0));
  }

  /**
   * Writes a Python address as the kernel takes it to {@link #sockaddr}.
   *
   * @return its length in bytes, or {@link Destination#UNUSUAL}
   */
  int encode(long address, int family) {
    return encode(address, family, sockaddr);
  }

  private int encode(long address, int family, long to) {
    int length = addresses.write(address, family, to);
    return length > 0 ? length : destination.encode(address, family, to);
  }

  /**
   * Sends datagrams, as many as one call takes.
   *
   * @return how many were sent, at least one; or the {@code -errno} of the first
   */
  int send(int fd, DatagramQueue datagrams, int family) {
    int count = Math.min(datagrams.size(), MOST);
    for (int i = 0; i < count; i++) {
      long bytes = datagrams.dataOf(i);
      sent.setData(i, bytes + Layout.BYTES_DATA, Memory.getLong(bytes + Layout.SIZE));
      long address = datagrams.addressOf(i);
      sent.setNameLength(i, address == 0 ? 0 : encode(address, family, sent.name(i)));
    }
    return sent.send(fd, count);
  }

  void close() {
    destination.close();
    addresses.close();
    single.close();
    sent.close();
    received.close();
    Stdlib.free(data);
  }
}
