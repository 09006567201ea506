package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.MSG_DONTWAIT;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
import rloop.io.Driver;
import rloop.io.IoCounters;
import rloop.io.poll.Poller;
import rloop.loop.EventLoop;
import rloop.posix.SysSendfile;
import rloop.posix.SysSocket;

/**
 * A socket of {@code sock_*} operations: who waits for it, and what is known of it.
 *
 * <p>What can't be done at once gives a future, and is tried again when that is done ({@link
 * Readiness}).
 */
public final class SocketState {
  private final EventLoop loop;
  private final SocketOperations operations;
  private final WatchedSocket socket;
  private final Readiness readable;
  private final Readiness writable;
  private final DatagramOperations datagrams;

  SocketState(EventLoop loop, SocketOperations operations, WatchedSocket socket, int family) {
    this.loop = loop;
    this.operations = operations;
    this.socket = socket;
    this.readable = new Readiness(loop, socket, Poller.READ);
    this.writable = new Readiness(loop, socket, Poller.WRITE);
    this.datagrams = new DatagramOperations(operations, this, family);
  }

  /** Whether the result of a system call says that there is nothing yet, or no room yet. */
  static boolean isNothing(long result) {
    return result == -EAGAIN || result == -EINTR;
  }

  /** Whether this is the state of that socket, and not of one that had its number before. */
  boolean belongsTo(long socket) {
    return this.socket.is(socket);
  }

  int fd() {
    return socket.fd();
  }

  /** Where its system calls are counted. */
  IoCounters counters() {
    return loop.driver().countersAtHome();
  }

  /** What it does with the addresses of peers. */
  public DatagramOperations datagrams() {
    return datagrams;
  }

  void dispose() {
    socket.dispose();
  }

  /** A future that is done when there may be something to receive. */
  @Owned
  public long awaitReadable() {
    return readable.await();
  }

  /** A future that is done when there may be room to send. */
  @Owned
  public long awaitWritable() {
    return writable.await();
  }

  /**
   * Receives at most so many bytes, not negative.
   *
   * @return {@code bytes}, or a future that is done when there may be some
   * @throws PyException an {@code OSError}, or a {@code MemoryError}
   */
  @Owned
  public long receive(long size) {
    if (size == 0 || readable.isWorthTrying()) {
      long data = size > Driver.READ_BUFFER_SIZE ? receiveMuch(size) : receiveAndCopy(size);
      if (data != 0) {
        return data;
      }
    }
    return readable.await();
  }

  /** {@code bytes}, or 0 if there is nothing yet. */
  @Owned
  private long receiveAndCopy(long size) {
    long buffer = loop.driver().readBuffer();
    long count = receive(buffer, size);
    return isNothing(count) ? 0 : PyException.check(bytesOf(buffer, count));
  }

  @Owned
  private static long bytesOf(long buffer, long count) {
    return PyScalars.PyBytes_FromStringAndSize(buffer, PyException.checkErrno((int) count));
  }

  /**
   * As {@link #receiveAndCopy}: a message may be as long as was asked for, and comes in one piece.
   */
  @Owned
  private long receiveMuch(long size) {
    long bytes = PyException.check(PyScalars.PyBytes_FromStringAndSize(0, size));
    long count = receive(bytes + Layout.BYTES_DATA, size);
    if (count < 0) {
      Ref.drop(bytes);
      return isNothing(count) ? 0 : PyException.checkErrno((int) count);
    }
    long place = loop.driver().readBuffer();
    Memory.putLong(place, bytes);
    PyException.checkStatus(PyScalars._PyBytes_Resize(place, count));
    @Owned long cut = Memory.getLong(place);
    return cut;
  }

  /**
   * Receives into a buffer.
   *
   * @return how many bytes, an {@code int}, or a future that is done when there may be some
   * @throws PyException an {@code OSError}
   */
  @Owned
  public long receiveInto(PyBuffer buffer) {
    if (buffer.length() == 0 || readable.isWorthTrying()) {
      long count = receive(buffer.address(), buffer.length());
      if (!isNothing(count)) {
        return PyScalars.PyLong_FromLongLong(PyException.checkErrno((int) count));
      }
    }
    return readable.await();
  }

  /** How many bytes were received, or {@code -errno}; to receive none asks nobody. */
  private long receive(long address, long room) {
    if (room == 0) {
      return 0;
    }
    long count = SysSocket.recv(socket.fd(), address, room, MSG_DONTWAIT);
    counters().received(count);
    readable.received(count, room);
    return count;
  }

  /**
   * Sends what the kernel has room for.
   *
   * @return how many bytes were sent, perhaps none
   * @throws PyException an {@code OSError}
   */
  public long send(long address, long length) {
    long sent = SysSocket.send(socket.fd(), address, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    counters().sent(sent);
    return isNothing(sent) ? 0 : PyException.checkErrno((int) sent);
  }

  /**
   * Has the kernel send from a file what it has room for: on another thread, where the loop has
   * one. Otherwise without the GIL, since it may have to wait for the disk.
   *
   * @return what the kernel has answered, an {@code int}, or a future of it: how many bytes were
   *     sent, 0 at the end of the file, or {@code -errno}
   */
  @Owned
  public long sendFile(int file, long offset, long count) {
    if (loop.io().isWorthLending(count)) {
      long sent = operations.sendBlock(socket.fd(), file, offset, count);
      if (sent != 0) {
        return sent;
      }
    }
    long sent;
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      sent = SysSendfile.sendfile(socket.fd(), file, offset, count);
    } finally {
      PyRuntime.PyEval_RestoreThread(threadState);
    }
    counters().sent(sent);
    return PyScalars.PyLong_FromLongLong(sent);
  }
}
