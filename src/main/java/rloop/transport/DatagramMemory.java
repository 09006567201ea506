package rloop.transport;

import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.posix.Iovec;
import rloop.posix.Mmsghdr;
import rloop.posix.Msghdr;
import rloop.posix.Sockaddr;
import rloop.posix.Stdlib;
import rloop.posix.SysSocket;
import rloop.transport.DatagramQueue.Datagram;

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
  private static final int DATA_SIZE = 256 * 1024;

  /** One more zero behind an address that fills its room. */
  private static final int NAME_SIZE = Sockaddr.STORAGE_SIZE + Long.BYTES;

  private final long data = Stdlib.calloc(MOST, DATA_SIZE);
  private final long names = Stdlib.calloc(MOST, NAME_SIZE);
  private final long iovecs = Stdlib.calloc(MOST, Iovec.SIZE);
  private final long headers = Stdlib.calloc(MOST, Mmsghdr.SIZE);
  private final PeerAddresses addresses = new PeerAddresses();
  private final Destination destination = new Destination();

  /** Where {@link #encode} writes. */
  final long sockaddr = Stdlib.calloc(1, Sockaddr.STORAGE_SIZE);

  private final long sentNames = Stdlib.calloc(MOST, Sockaddr.STORAGE_SIZE);
  private final long sentIovecs = Stdlib.calloc(MOST, Iovec.SIZE);
  private final long sentHeaders = Stdlib.calloc(MOST, Mmsghdr.SIZE);

  /** One that receives to elsewhere. */
  private final long single = Stdlib.calloc(1, Mmsghdr.SIZE + Iovec.SIZE + NAME_SIZE);

  private final long singleIovec = single + Mmsghdr.SIZE;
  private final long singleName = singleIovec + Iovec.SIZE;

  DatagramMemory() {
    Msghdr.put(single, singleIovec, 1);
    for (int i = 0; i < MOST; i++) {
      Iovec.put(iovecs, i, data + (long) i * DATA_SIZE, DATA_SIZE);
      Msghdr.put(Mmsghdr.element(headers, i), iovecs + i * Iovec.SIZE, 1);
      Msghdr.put(Mmsghdr.element(sentHeaders, i), sentIovecs + i * Iovec.SIZE, 1);
    }
  }

  /**
   * Receives datagrams.
   *
   * @param count how many at most, up to {@link #MOST}
   * @return how many there are, or {@code -errno}
   */
  int receive(int fd, int count, int flags) {
    for (int i = 0; i < count; i++) { // the kernel has written how long the last addresses were
      Msghdr.putName(
          Mmsghdr.element(headers, i), names + (long) i * NAME_SIZE, Sockaddr.STORAGE_SIZE);
    }
    return SysSocket.recvmmsg(fd, headers, count, flags);
  }

  /**
   * Receives one datagram, or what there is of a stream, to where the caller says.
   *
   * @return how many bytes, or {@code -errno}
   */
  int receiveInto(int fd, long address, long length, int flags) {
    Iovec.put(singleIovec, 0, address, length);
    Msghdr.putName(single, singleName, Sockaddr.STORAGE_SIZE);
    int count = SysSocket.recvmmsg(fd, single, 1, flags);
    return count < 0 ? count : Mmsghdr.length(single);
  }

  /** Where what {@link #receiveInto} received came from. */
  @Owned
  long sender() {
    return addresses.get(singleName, Msghdr.nameLength(single));
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
  int send(int fd, Iterable<Datagram> datagrams, int family) {
    int count = 0;
    for (Datagram datagram : datagrams) {
      long name = sentNames + (long) count * Sockaddr.STORAGE_SIZE;
      int nameLength = datagram.address() == 0 ? 0 : encode(datagram.address(), family, name);
      Msghdr.putName(
          Mmsghdr.element(sentHeaders, count), nameLength == 0 ? 0 : name, nameLength);
      Iovec.put(sentIovecs, count, datagram.data() + Layout.BYTES_DATA, datagram.length());
      if (++count == MOST) {
        break;
      }
    }
    return SysSocket.sendmmsg(fd, sentHeaders, count, MSG_NOSIGNAL);
  }

  long data(int index) {
    return data + (long) index * DATA_SIZE;
  }

  int length(int index) {
    return Mmsghdr.length(Mmsghdr.element(headers, index));
  }

  /** Where it came from. */
  @Owned
  long address(int index) {
    long header = Mmsghdr.element(headers, index);
    return addresses.get(Msghdr.name(header), Msghdr.nameLength(header));
  }

  void close() {
    destination.close();
    addresses.close();
    Stdlib.free(sentHeaders);
    Stdlib.free(sentIovecs);
    Stdlib.free(sentNames);
    Stdlib.free(sockaddr);
    Stdlib.free(single);
    Stdlib.free(headers);
    Stdlib.free(iovecs);
    Stdlib.free(names);
    Stdlib.free(data);
  }
}
