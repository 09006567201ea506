package rloop.transport;

import static rloop.posix.Constants.EPIPE;

import rloop.loop.EventLoop;

/** One end of a pipe. */
public final class PipeConnection extends StreamConnection {
  private final boolean writes;

  /**
   * An end that is not watched before {@link #startReading}.
   *
   * @param writes whether it is the end to write to
   */
  public PipeConnection(EventLoop loop, int fd, Callbacks callbacks, boolean writes) {
    super(loop, fd, callbacks, StreamCalls.PIPE);
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

  /** A pipe that is closed takes no more, unlike a socket. */
  @Override
  public boolean takesData() {
    return isOpen() && super.takesData();
  }
}
