package rloop.transport;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
import rloop.io.Driver;
import rloop.io.stream.StreamEndpoint;
import rloop.io.tls.TlsStream;
import rloop.loop.EventLoop;

/**
 * Makes {@code bytes} of the exact size of what a stream has.
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

  private EventLoop loop;
  private final StreamEndpoint endpoint;
  private long lastCount;

  /** {@code bytes} to receive into, or 0. */
  private @Owned long object;

  private long objectSize;

  StreamReceiver(EventLoop loop, StreamEndpoint endpoint) {
    this.loop = loop;
    this.endpoint = endpoint;
  }

  /** Offers the endpoint room for what comes next. */
  void makeRoom() {
    if (lastCount < MUCH) {
      endpoint.offer(loop.driver().readBuffer(), Driver.READ_BUFFER_SIZE);
      return;
    }
    if (object == 0) {
      long expected = Math.min((lastCount / STEP + 1) * STEP, Driver.READ_BUFFER_SIZE);
      objectSize = expected + TlsStream.LARGEST_RECORD;
      object = PyException.check(PyScalars.PyBytes_FromStringAndSize(0, objectSize));
    }
    endpoint.offer(object + Layout.BYTES_DATA, objectSize);
  }

  /** Offers it ahead of time, if much came last time. */
  void prepareRoom() {
    if (lastCount >= MUCH) {
      makeRoom();
      endpoint.offerAhead(object + Layout.BYTES_DATA, objectSize);
    }
  }

  /** As {@code bytes}, what has come to where there was room. */
  @Owned
  long take(long address, long count) {
    lastCount = count;
    long bytes = object;
    if (bytes == 0 || address != bytes + Layout.BYTES_DATA) {
      return loop.bytesPool().copyOf(address, count);
    }
    object = 0;
    return count == objectSize ? bytes : cut(bytes, count);
  }

  @Owned
  private long cut(@Owned long bytes, long size) {
    long place = loop.driver().readBuffer();
    Memory.putLong(place, bytes);
    PyException.checkStatus(PyScalars._PyBytes_Resize(place, size));
    @Owned long cut = Memory.getLong(place);
    return cut;
  }

  /**
   * Takes its memory from another loop from now on: objects are cut by the thread that made them.
   */
  void moveTo(EventLoop other) {
    close();
    loop = other;
  }

  void close() {
    Ref.dropIfAny(object);
    object = 0;
  }
}
