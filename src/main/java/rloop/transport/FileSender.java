package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.Tuples;
import rloop.ffi.Memory;
import rloop.io.poll.Poller;
import rloop.loop.EventLoop;
import rloop.loop.FdWatch;
import rloop.posix.Stdlib;
import rloop.posix.SysSendfile;

/** {@code sock_sendfile} of a socket: the kernel sends from the file, block after block. */
public final class FileSender extends SocketOperation {
  private final FdWatch watch;
  private int file;
  private long offset;
  private long rest;
  private long sent;

  FileSender(EventLoop loop, FdWatch watch) {
    super(loop, watch, Poller.WRITE);
    this.watch = watch;
  }

  /**
   * Sends a part of a file.
   *
   * @param count how many bytes at most
   * @return {@code (how many bytes were sent, errno or 0)}, or a future of it
   */
  @Owned
  public long send(int file, long offset, long count) {
    this.file = file;
    this.offset = offset;
    this.rest = count;
    this.sent = 0;
    long result = proceed();
    return result != 0 ? result : waitHolding(0);
  }

  /** How many bytes the last {@link #send} has sent so far. */
  public long sent() {
    return sent;
  }

  @Override
  @Owned
  long proceed() {
    long count = sendBlock();
    if (isNothing(count)) {
      return 0;
    }
    if (count < 0) {
      return result((int) -count);
    }
    offset += count;
    sent += count;
    rest -= count;
    return count == 0 || rest == 0 ? result(0) : 0; // or there is more, and room for it later
  }

  @Owned
  private long result(int errno) {
    return Tuples.of(PyScalars.PyLong_FromLongLong(sent), PyScalars.PyLong_FromLongLong(errno));
  }

  /** As much as the socket takes. Without the GIL, since it may have to wait for the disk. */
  private long sendBlock() {
    long position = Stdlib.calloc(1, Long.BYTES);
    Memory.putLong(position, offset);
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      return SysSendfile.sendfile(watch.fd(), file, position, rest);
    } finally {
      PyRuntime.PyEval_RestoreThread(threadState);
      Stdlib.free(position);
    }
  }
}
