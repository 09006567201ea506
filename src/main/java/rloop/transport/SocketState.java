package rloop.transport;

import static rloop.posix.Constants.MSG_DONTWAIT;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
import rloop.io.poll.Poller;
import rloop.loop.EventLoop;
import rloop.loop.FdWatch;
import rloop.posix.SysSocket;

/**
 * A socket of {@code sock_*} operations: who waits for it, and what is known of it.
 *
 * <p>Operations that cannot be done at once give a future; the poller then has them done before the
 * batch runs, and the waiting task goes on in that same batch.
 */
public final class SocketState {
  private final EventLoop loop;
  private final FdWatch watch;
  private final @Owned long weakReference;
  private final Receiver receiver;
  private final Sender sender;
  private final DatagramOperations datagrams;
  private @Nullable FileSender fileSender;

  /** The last receive took all there was: nothing comes without the poller's telling. */
  private boolean drained;

  SocketState(
      EventLoop loop, SocketOperations operations, int fd, int family, @Owned long weakReference) {
    this.loop = loop;
    this.watch = loop.fdWatches().at(fd);
    this.weakReference = weakReference;
    this.receiver = new Receiver();
    this.sender = new Sender();
    this.datagrams = new DatagramOperations(loop, operations, watch, family);
    watch.distrust();
  }

  /** Whether this is the state of that socket, and not of one that had its number before. */
  boolean belongsTo(long socket) {
    return Memory.getLong(weakReference + Layout.WEAK_REFERENCE_OBJECT) == socket;
  }

  /** What it does with the addresses of peers. */
  public DatagramOperations datagrams() {
    return datagrams;
  }

  /** Sends files to it. */
  public FileSender fileSender() {
    FileSender sender = fileSender;
    if (sender == null) {
      sender = new FileSender(loop, watch);
      fileSender = sender;
    }
    return sender;
  }

  void dispose() {
    Ref.drop(weakReference);
  }

  /**
   * Receives at most so many bytes.
   *
   * @return {@code bytes}, or a future of it
   * @throws PyException an {@code OSError}
   */
  @Owned
  public long receive(long size) {
    if (size < 0) {
      throw PyException.valueError("negative buffersize in recv");
    }
    if (size == 0 || isWorthTrying()) {
      long data = receiveNow(size);
      if (data != 0) {
        return data;
      }
    }
    return receiver.start(size, 0);
  }

  /**
   * Receives into a buffer.
   *
   * @return how many bytes, an {@code int}, or a future of it
   * @throws PyException an {@code OSError}, or a {@code TypeError} if it is no writable buffer
   */
  @Owned
  public long receiveInto(long buffer) {
    if (isWorthTrying()) {
      long count = receiveIntoNow(buffer);
      if (count != 0) {
        return count;
      }
    }
    return receiver.start(0, Ref.take(buffer));
  }

  private boolean isWorthTrying() {
    return !(drained && watch.isRegistered(Poller.READ));
  }

  /** {@code bytes}, or 0 if there is nothing yet. */
  private long receiveNow(long size) {
    long buffer = loop.readBuffer();
    long wanted = Math.min(size, EventLoop.READ_BUFFER_SIZE); // a caller may well ask for more
    long count = SysSocket.recv(watch.fd(), buffer, wanted, MSG_DONTWAIT);
    drained = count < wanted && count != 0;
    if (SocketOperation.isNothing(count)) {
      return 0;
    }
    PyException.checkErrno((int) count);
    return PyException.check(PyScalars.PyBytes_FromStringAndSize(buffer, count));
  }

  /** An {@code int}, or 0 if there is nothing yet. */
  private long receiveIntoNow(long buffer) {
    try (PyBuffer view = PyBuffer.of(buffer, PyBuffers.PyBUF_WRITABLE)) {
      long count = SysSocket.recv(watch.fd(), view.address(), view.length(), MSG_DONTWAIT);
      drained = count < view.length() && count != 0;
      if (SocketOperation.isNothing(count)) {
        return 0;
      }
      return PyScalars.PyLong_FromLongLong(PyException.checkErrno((int) count));
    }
  }

  /**
   * Sends all of a buffer.
   *
   * @return {@code None}, or a future of it
   * @throws PyException an {@code OSError}, or a {@code TypeError} if it is no buffer
   */
  @Owned
  public long sendAll(long data) {
    long rest;
    try (PyBuffer view = PyBuffer.of(data, PyBuffers.PyBUF_SIMPLE)) {
      long sent = send(view.address(), view.length());
      if (sent == view.length()) {
        return Ref.take(PyObjects.Py_None);
      }
      // The rest is copied: the caller may be cancelled, and change the buffer, while it waits.
      rest =
          PyException.check(
              PyScalars.PyBytes_FromStringAndSize(view.address() + sent, view.length() - sent));
    }
    return sender.start(rest);
  }

  /** How many bytes were sent, perhaps none. */
  private long send(long address, long length) {
    long sent = SysSocket.send(watch.fd(), address, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return SocketOperation.isNothing(sent) ? 0 : PyException.checkErrno((int) sent);
  }

  /** Waits for bytes. */
  private final class Receiver extends ReceiveOperation {
    Receiver() {
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
      return receiveIntoNow(into);
    }
  }

  /** Waits to send the rest of a buffer. */
  private final class Sender extends SocketOperation {
    private @Owned long rest;
    private long sent;

    Sender() {
      super(loop, watch, Poller.WRITE);
    }

    @Owned
    long start(@Owned long bytes) {
      long started = waitHolding(bytes);
      Ref.dropIfAny(rest);
      rest = bytes;
      sent = 0;
      return started;
    }

    @Override
    @Owned
    long proceed() {
      long length = Memory.getLong(rest + Layout.SIZE);
      sent += send(rest + Layout.BYTES_DATA + sent, length - sent);
      return sent == length ? Ref.take(PyObjects.Py_None) : 0;
    }

    @Override
    public void replaced() {
      super.replaced();
      Ref.dropIfAny(rest);
      rest = 0;
    }
  }
}
