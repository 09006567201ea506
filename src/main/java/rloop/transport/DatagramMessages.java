package rloop.transport;

import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.posix.Iovec;
import rloop.posix.Mmsghdr;
import rloop.posix.Msghdr;
import rloop.posix.Sockaddr;
import rloop.posix.Stdlib;
import rloop.posix.SysSocket;

/**
 * Datagrams as one system call takes or gives them: each has its data elsewhere, its address here.
 */
final class DatagramMessages {
  /** One more zero behind an address that fills its room. */
  private static final int NAME_SIZE = Sockaddr.STORAGE_SIZE + Long.BYTES;

  private final long headers;
  private final long iovecs;
  private final long names;

  DatagramMessages(int room) {
    headers = Stdlib.calloc(room, Mmsghdr.SIZE);
    iovecs = Stdlib.calloc(room, Iovec.SIZE);
    names = Stdlib.calloc(room, NAME_SIZE);
    for (int i = 0; i < room; i++) {
      Msghdr.put(Mmsghdr.element(headers, i), iovecs + i * Iovec.SIZE, 1);
    }
  }

  /** Where the data is, or has room. */
  void setData(int index, long address, long length) {
    Iovec.put(iovecs, index, address, length);
  }

  /** Where the peer's address stands: {@link Sockaddr#STORAGE_SIZE} bytes. */
  long name(int index) {
    return names + (long) index * NAME_SIZE;
  }

  /** Says how long the peer's address is, in bytes; 0 if there is none. */
  void setNameLength(int index, int length) {
    Msghdr.putName(Mmsghdr.element(headers, index), length == 0 ? 0 : name(index), length);
  }

  /** How long the peer's address is, in bytes; 0 if it has none. */
  int nameLength(int index) {
    return Msghdr.nameLength(Mmsghdr.element(headers, index));
  }

  /** How many bytes came. */
  int length(int index) {
    return Mmsghdr.length(Mmsghdr.element(headers, index));
  }

  /**
   * Receives the first ones.
   *
   * @param count how many at most
   * @return how many there are, or {@code -errno}
   */
  int receive(int fd, int count, int flags) {
    for (int i = 0; i < count; i++) { // the kernel has written how long the last addresses were
      setNameLength(i, Sockaddr.STORAGE_SIZE);
    }
    return SysSocket.recvmmsg(fd, headers, count, flags);
  }

  /**
   * Sends the first ones.
   *
   * @return how many were sent, at least one; or the {@code -errno} of the first
   */
  int send(int fd, int count) {
    return SysSocket.sendmmsg(fd, headers, count, MSG_NOSIGNAL);
  }

  void close() {
    Stdlib.free(names);
    Stdlib.free(iovecs);
    Stdlib.free(headers);
  }
}
