package rloop.transport;

import static rloop.posix.Constants.AF_INET;
import static rloop.posix.Constants.AF_INET6;
import static rloop.posix.Constants.AF_UNIX;
import static rloop.posix.Constants.MSG_DONTWAIT;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Tuples;
import rloop.posix.SysSocket;

/**
 * {@code sock_recvfrom}, {@code sock_recvfrom_into} and {@code sock_sendto} of a socket.
 *
 * <p>What is rare is left to Python, which is told so by an answer of 0: other families than those
 * whose addresses are known here, and arguments that are errors.
 */
public final class DatagramOperations {
  private static final long LEFT_TO_PYTHON = 0;

  private final SocketOperations operations;
  private final SocketState socket;
  private final int family;

  DatagramOperations(SocketOperations operations, SocketState socket, int family) {
    this.operations = operations;
    this.socket = socket;
    this.family = family;
  }

  private boolean isFamilyKnown() {
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
  }

  /**
   * Receives at most so many bytes of a datagram.
   *
   * @return {@code (bytes, address)}, or a future that is done when there may be one, or 0
   * @throws PyException an {@code OSError}
   */
  @Owned
  public long receive(long size) {
    if (size <= 0 || size > DatagramMemory.DATA_SIZE || !isFamilyKnown()) {
      return LEFT_TO_PYTHON;
    }
    DatagramMemory memory = operations.datagramMemory();
    int count = memory.receiveInto(socket.fd(), memory.data(), size, MSG_DONTWAIT);
    socket.counters().received(count);
    if (SocketState.isNothing(count)) {
      return socket.awaitReadable();
    }
    PyException.checkErrno(count);
    return Tuples.of(
        PyException.check(PyScalars.PyBytes_FromStringAndSize(memory.data(), count)),
        memory.sender());
  }

  /**
   * Receives a datagram into a buffer.
   *
   * @param size how many bytes at most
   * @return {@code (int, address)}, or a future that is done when there may be one, or 0
   * @throws PyException an {@code OSError}
   */
  @Owned
  public long receiveInto(PyBuffer buffer, long size) {
    if (size <= 0 || size > buffer.length() || !isFamilyKnown()) {
      return LEFT_TO_PYTHON;
    }
    DatagramMemory memory = operations.datagramMemory();
    int count = memory.receiveInto(socket.fd(), buffer.address(), size, MSG_DONTWAIT);
    socket.counters().received(count);
    if (SocketState.isNothing(count)) {
      return socket.awaitReadable();
    }
    PyException.checkErrno(count);
    return Tuples.of(PyScalars.PyLong_FromLongLong(count), memory.sender());
  }

  /**
   * Sends a datagram.
   *
   * @return how many bytes, an {@code int}, or a future that is done when there may be room, or 0
   * @throws PyException an {@code OSError}
   */
  @Owned
  public long send(PyBuffer data, long address) {
    int peerLength = isFamilyKnown() ? encode(address) : Destination.UNUSUAL;
    if (peerLength == Destination.UNUSUAL) {
      return LEFT_TO_PYTHON;
    }
    long sent =
        SysSocket.sendto(
            socket.fd(),
            data.address(),
            data.length(),
            MSG_DONTWAIT | MSG_NOSIGNAL,
            operations.datagramMemory().sockaddr,
            peerLength);
    socket.counters().sent(sent);
    return SocketState.isNothing(sent)
        ? socket.awaitWritable()
        : PyScalars.PyLong_FromLongLong(PyException.checkErrno((int) sent));
  }

  private int encode(long address) {
    return operations.datagramMemory().encode(address, family);
  }
}
