package rloop.transport;

import static rloop.posix.Constants.EPIPE;

import rloop.cpython.api.Owned;
import rloop.io.stream.StreamCalls;
import rloop.loop.EventLoop;

/** One end of a pipe. */
public final class PipeConnection extends StreamConnection {
  private final boolean writes;

  /**
   * An end that is not watched before {@link #startReading}.
   *
   * @param writes whether it is the end to write to
   */
  public PipeConnection(EventLoop loop, OpenFile file, Callbacks callbacks, boolean writes) {
    super(loop, file, callbacks, StreamCalls.PIPE);
    this.writes = writes;
  }

  /** The end to write to gets readable when nobody reads the other one any more. */
  @Override
  protected void read() {
    if (writes) {
      received(queue.isEmpty() ? 0 : -EPIPE);
    } else {
      super.read();
    }
  }

  /** Sends at once: others may write to the pipe as well, or wait for what is in it. */
  @Override
  public boolean write(@Owned long owner, long address, long length) {
    queue.add(owner, address, length);
    return sendNow();
  }

  /** A pipe that is closed takes no more, unlike a socket. */
  @Override
  public boolean takesData() {
    return isOpen() && super.takesData();
  }
}
