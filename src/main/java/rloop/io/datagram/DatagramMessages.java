package rloop.io.datagram;

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
public final class DatagramMessages {
  /** One more zero behind an address that fills its room. */
  private static final int NAME_SIZE = Sockaddr.STORAGE_SIZE + Long.BYTES;

  private final long headers;
  private final long iovecs;
  private final long names;

  /** Room for so many. */
  public DatagramMessages(int room) {
    headers = Stdlib.calloc(room, Mmsghdr.SIZE);
    iovecs = Stdlib.calloc(room, Iovec.SIZE);
    names = Stdlib.calloc(room, NAME_SIZE);
    for (int i = 0; i < room; i++) {
      Msghdr.put(Mmsghdr.element(headers, i), iovecs + i * Iovec.SIZE, 1);
    }
  }

  /** Where the data is, or has room. */
  public void setData(int index, long address, long length) {
    Iovec.put(iovecs, index, address, length);
  }

  /** Where the peer's address stands: {@link Sockaddr#STORAGE_SIZE} bytes. */
  public long name(int index) {
    return names + (long) index * NAME_SIZE;
  }

  /** Says where the peer's address stands and how long it is, in bytes; 0 if there is none. */
  void setName(int index, long name, int length) {
    Msghdr.putName(Mmsghdr.element(headers, index), length == 0 ? 0 : name, length);
  }

  /** How long the peer's address is, in bytes; 0 if it has none. */
  public int nameLength(int index) {
    return Msghdr.nameLength(Mmsghdr.element(headers, index));
  }

  /** How many bytes came. */
  public int length(int index) {
    return Mmsghdr.length(Mmsghdr.element(headers, index));
  }

  /**
   * Receives the first ones.
   *
   * @param count how many at most
   * @return how many there are, or {@code -errno}
   */
  public int receive(int fd, int count, int flags) {
    for (int i = 0; i < count; i++) { // the kernel has written how long the last addresses were
      setName(i, name(i), Sockaddr.STORAGE_SIZE);
    }
    return SysSocket.recvmmsg(fd, headers, count, flags);
  }

  /**
   * Sends the first ones.
   *
   * @return how many were sent, at least one; or the {@code -errno} of the first
   */
  public int send(int fd, int count) {
    return SysSocket.sendmmsg(fd, headers, count, MSG_NOSIGNAL);
  }

  public void close() {
    Stdlib.free(names);
    Stdlib.free(iovecs);
    Stdlib.free(headers);
  }
}
