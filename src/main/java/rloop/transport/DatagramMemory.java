package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.io.datagram.DatagramMessages;
import rloop.io.datagram.DatagramRoom;
import rloop.posix.Sockaddr;
import rloop.posix.Stdlib;

/** What datagram sockets of a loop share: room for datagrams, and the addresses of their peers. */
final class DatagramMemory {
  /** As asyncio's {@code max_size}, of a datagram, in bytes. */
  static final int DATA_SIZE = DatagramRoom.DATA_SIZE;

  private final DatagramRoom room = new DatagramRoom();

  /** One that is received to elsewhere. */
  private final DatagramMessages single = new DatagramMessages(1);

  private final PeerAddresses addresses = new PeerAddresses();
  private final Destination destination = new Destination();

  /** Where {@link #encode} writes; one more zero behind an address that fills its room. */
  final long sockaddr = Stdlib.calloc(1, Sockaddr.STORAGE_SIZE + Long.BYTES);

  /** Where transports receive. */
  DatagramRoom room() {
    return room;
  }

  /** Room for {@link #DATA_SIZE} bytes, until somebody receives. */
  long data() {
    return room.data(0);
  }

  /** An address as Python has it. */
  @Owned
  long address(long name, int nameLength) {
    return addresses.get(name, nameLength);
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
    int length = addresses.write(address, family, sockaddr);
    return length > 0 ? length : destination.encode(address, family, sockaddr);
  }

  void close() {
    Stdlib.free(sockaddr);
    destination.close();
    addresses.close();
    single.close();
    room.close();
  }
}
