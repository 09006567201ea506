package rloop.transport;

import static rloop.posix.Constants.AF_INET;
import static rloop.posix.Constants.AF_INET6;
import static rloop.posix.Constants.AF_UNIX;
import static rloop.posix.Constants.MSG_DONTWAIT;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.ffi.Memory;
import rloop.io.poll.Poller;
import rloop.loop.EventLoop;
import rloop.loop.FdWatch;
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
  private final FdWatch watch;
  private final int family;
  private final Receiver receiver;
  private final Sender sender;

  DatagramOperations(EventLoop loop, SocketOperations operations, FdWatch watch, int family) {
    this.operations = operations;
    this.watch = watch;
    this.family = family;
    this.receiver = new Receiver(loop);
    this.sender = new Sender(loop);
  }

  private boolean isFamilyKnown() {
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
  }

  /**
   * Receives at most so many bytes of a datagram.
   *
   * @return {@code (bytes, address)}, or a future of it, or 0
   * @throws PyException an {@code OSError}
   */
  @Owned
  public long receive(long size) {
    if (size <= 0 || size > DatagramMemory.DATA_SIZE || !isFamilyKnown()) {
      return LEFT_TO_PYTHON;
    }
    long received = receiveNow(size);
    return received != 0 ? received : receiver.start(size, 0);
  }

  /**
   * Receives a datagram into a buffer.
   *
   * @param size how many bytes at most; 0: as many as the buffer has room for
   * @return {@code (int, address)}, or a future of it, or 0
   * @throws PyException an {@code OSError}, or a {@code TypeError} if it is no writable buffer
   */
  @Owned
  public long receiveInto(long buffer, long size) {
    if (!isFamilyKnown() || !hasRoom(buffer, size)) {
      return LEFT_TO_PYTHON;
    }
    long received = receiveIntoNow(buffer, size);
    return received != 0 ? received : receiver.start(size, Ref.take(buffer));
  }

  private static boolean hasRoom(long buffer, long size) {
    try (PyBuffer view = PyBuffer.of(buffer, PyBuffers.PyBUF_WRITABLE)) {
      return view.length() > 0 && size >= 0 && size <= view.length();
    }
  }

  /** {@code (bytes, address)}, or 0 if there is nothing yet. */
  private long receiveNow(long size) {
    DatagramMemory memory = operations.datagramMemory();
    int count = memory.receiveInto(watch.fd(), memory.data(0), size, MSG_DONTWAIT);
    if (SocketOperation.isNothing(count)) {
      return 0;
    }
    PyException.checkErrno(count);
    return Tuples.of(
        PyException.check(PyScalars.PyBytes_FromStringAndSize(memory.data(0), count)),
        memory.sender());
  }

  /** {@code (int, address)}, or 0 if there is nothing yet. */
  private long receiveIntoNow(long buffer, long size) {
    DatagramMemory memory = operations.datagramMemory();
    int count;
    try (PyBuffer view = PyBuffer.of(buffer, PyBuffers.PyBUF_WRITABLE)) {
      long room = size == 0 ? view.length() : Math.min(size, view.length());
      count = memory.receiveInto(watch.fd(), view.address(), room, MSG_DONTWAIT);
    }
    if (SocketOperation.isNothing(count)) {
      return 0;
    }
    PyException.checkErrno(count);
    return Tuples.of(PyScalars.PyLong_FromLongLong(count), memory.sender());
  }

  /**
   * Sends a datagram.
   *
   * @return how many bytes, an {@code int}, or a future of it, or 0
   * @throws PyException an {@code OSError}, or a {@code TypeError} if it is no buffer
   */
  @Owned
  public long send(long data, long address) {
    if (!isFamilyKnown() || encode(address) == Destination.UNUSUAL) {
      return LEFT_TO_PYTHON;
    }
    long copy;
    try (PyBuffer view = PyBuffer.of(data, PyBuffers.PyBUF_SIMPLE)) {
      long sent = sendNow(view.address(), view.length(), address);
      if (sent != 0) {
        return sent;
      }
      // A copy: the caller may be cancelled, and change the buffer, while it waits.
      copy = PyException.check(PyScalars.PyBytes_FromStringAndSize(view.address(), view.length()));
    }
    return sender.start(copy, address);
  }

  private int encode(long address) {
    return operations.datagramMemory().encode(address, family);
  }

  /** An {@code int}, or 0 if there is no room yet. */
  private long sendNow(long start, long length, long address) {
    int peerLength = encode(address);
    long peer = operations.datagramMemory().sockaddr;
    long sent =
        SysSocket.sendto(watch.fd(), start, length, MSG_DONTWAIT | MSG_NOSIGNAL, peer, peerLength);
    return SocketOperation.isNothing(sent)
        ? 0
        : PyScalars.PyLong_FromLongLong(PyException.checkErrno((int) sent));
  }

  /** Waits for a datagram. */
  private final class Receiver extends ReceiveOperation {
    Receiver(EventLoop loop) {
      super(loop, watch);
    }

    @Override
    @Owned
    long receive(long atMost) {
      return receiveNow(atMost);
    }

    @Override
    @Owned
    long receiveInto(long into, long atMost) {
      return receiveIntoNow(into, atMost);
    }
  }

  /** Waits to send a datagram. */
  private final class Sender extends SocketOperation {
    private @Owned long data;
    private @Owned long address;

    Sender(EventLoop loop) {
      super(loop, watch, Poller.WRITE);
    }

    @Owned
    long start(@Owned long bytes, long to) {
      long started = waitHolding(bytes);
      release();
      data = bytes;
      address = Ref.take(to);
      return started;
    }

    @Override
    @Owned
    long proceed() {
      return sendNow(data + Layout.BYTES_DATA, Memory.getLong(data + Layout.SIZE), address);
    }

    @Override
    public void replaced() {
      super.replaced();
      release();
    }

    private void release() {
      Ref.dropIfAny(data);
      Ref.dropIfAny(address);
      data = 0;
      address = 0;
    }
  }
}
