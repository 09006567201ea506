package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.io.poll.Poller;
import rloop.loop.EventLoop;
import rloop.loop.FdWatch;

/** Waits to receive, as a new object or into a buffer. */
abstract class ReceiveOperation extends SocketOperation {
  private long size;

  /** 0 for a new object. */
  private @Owned long buffer;

  ReceiveOperation(EventLoop loop, FdWatch watch) {
    super(loop, watch, Poller.READ);
  }

  /**
   * Waits from now on; the future.
   *
   * @param atMost how many bytes
   * @param into the buffer, or 0
   */
  @Owned
  final long start(long atMost, @Owned long into) {
    long started = waitHolding(into);
    size = atMost;
    Ref.dropIfAny(buffer);
    buffer = into;
    return started;
  }

  @Override
  @Owned
  final long proceed() {
    return buffer == 0 ? receive(size) : receiveInto(buffer, size);
  }

  @Override
  public final void replaced() {
    super.replaced();
    Ref.dropIfAny(buffer);
    buffer = 0;
  }

  /** What is received, or 0 while there is nothing. */
  abstract @Owned long receive(long atMost);

  /** How much is received, or 0 while there is nothing. */
  abstract @Owned long receiveInto(long into, long atMost);
}
