package rloop.transport;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
import rloop.io.stream.StreamCalls;
import rloop.loop.EventLoop;

/**
 * Receives what a stream has as {@code bytes} of the exact size.
 *
 * <p>A little is received into the loop's buffer and copied. Where much came last time, it goes
 * straight into an object with room for as much again, which is then cut to size: to copy 100 KB
 * costs a sixth of what the kernel takes for them.
 */
final class StreamReceiver {
  /** From here on a copy costs more than to cut an object to size, in bytes. */
  private static final long MUCH = 32 * 1024;

  /** A little more than last time, so that growing messages are soon received in one piece. */
  private static final long STEP = 16 * 1024;

  private final EventLoop loop;
  private final StreamCalls calls;
  private long lastCount;

  StreamReceiver(EventLoop loop, StreamCalls calls) {
    this.loop = loop;
    this.calls = calls;
  }

  /**
   * Receives.
   *
   * @return {@code bytes}, or 0 where {@link #result} is not positive
   */
  @Owned
  long receive(int fd) {
    return lastCount < MUCH ? receiveAndCopy(fd) : receiveMuch(fd);
  }

  /** What the receive returned: how many bytes, 0 at the end of the stream, or {@code -errno}. */
  long result() {
    return lastCount;
  }

  private long receiveAndCopy(int fd) {
    long buffer = loop.readBuffer();
    lastCount = calls.receive(fd, buffer, EventLoop.READ_BUFFER_SIZE);
    return lastCount > 0 ? loop.bytesPool().copyOf(buffer, lastCount) : 0;
  }

  private long receiveMuch(int fd) {
    long room = Math.min((lastCount / STEP + 1) * STEP, EventLoop.READ_BUFFER_SIZE);
    long bytes = PyException.check(PyScalars.PyBytes_FromStringAndSize(0, room));
    lastCount = calls.receive(fd, bytes + Layout.BYTES_DATA, room);
    if (lastCount <= 0) {
      Ref.drop(bytes);
      return 0;
    }
    return lastCount == room ? bytes : cut(bytes, lastCount);
  }

  private long cut(@Owned long bytes, long size) {
    long place = loop.readBuffer();
    Memory.putLong(place, bytes);
    PyException.checkStatus(PyScalars._PyBytes_Resize(place, size));
    return Memory.getLong(place);
  }
}
