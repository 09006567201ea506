package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.SOCK_CLOEXEC;
import static rloop.posix.Constants.SOCK_NONBLOCK;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.ffi.Memory;
import rloop.posix.Sockaddr;
import rloop.posix.Stdlib;
import rloop.posix.SysSocket;
import rloop.posix.Unistd;

/** Accepts the connections that wait at the listening sockets of a loop. */
public final class Acceptor {
  private static final long NOTHING = 0;

  /** An address, one more zero behind one that fills its room, and its length. */
  private final long name = Stdlib.calloc(1, Sockaddr.STORAGE_SIZE + 2 * Long.BYTES);

  private final long nameLength = name + Sockaddr.STORAGE_SIZE + Long.BYTES;
  private final PeerAddresses addresses = new PeerAddresses();

  Acceptor() {}

  /**
   * Accepts a connection at an IP or Unix socket that does not block.
   *
   * @return {@code (fd, peer's address, own address)} of one that does not block either and is
   *     closed by {@code exec}; 0 if none waits
   * @throws PyException an {@code OSError}
   */
  @Owned
  long accept(int listener) {
    Memory.putInt(nameLength, Sockaddr.STORAGE_SIZE);
    int fd = SysSocket.accept4(listener, name, nameLength, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd == -EAGAIN || fd == -EINTR) {
      return NOTHING;
    }
    PyException.checkErrno(fd);
    try {
      long peer = addresses.get(name, Memory.getInt(nameLength));
      return Tuples.of(PyScalars.PyLong_FromLongLong(fd), peer, ownAddress(fd));
    } catch (PyException e) { // a path that Python can't decode
      Unistd.close(fd);
      throw e;
    }
  }

  /** Of a socket; {@code None} where the kernel doesn't tell. */
  @Owned
  private long ownAddress(int fd) {
    Memory.putInt(nameLength, Sockaddr.STORAGE_SIZE);
    return SysSocket.getsockname(fd, name, nameLength) < 0
        ? Ref.take(PyObjects.Py_None)
        : addresses.get(name, Memory.getInt(nameLength));
  }

  void close() {
    addresses.close();
    Stdlib.free(name);
  }
}
