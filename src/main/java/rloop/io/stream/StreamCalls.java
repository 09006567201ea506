package rloop.io.stream;

import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.posix.SysSocket;
import rloop.posix.Unistd;

/** The system calls that move a stream's bytes. */
public enum StreamCalls {
  SOCKET(true, false) {
    @Override
    public long receive(int fd, long address, long length) {
      return SysSocket.recv(fd, address, length, 0);
    }

    @Override
    public long send(int fd, long address, long length) {
      return SysSocket.send(fd, address, length, MSG_NOSIGNAL);
    }
  },

  /**
   * Sends each chunk by a call of its own: several processes may write to a pipe, and as long as
   * chunks are no longer than {@code PIPE_BUF} they stay in one piece.
   */
  PIPE(false, false) {
    @Override
    public long receive(int fd, long address, long length) {
      return Unistd.read(fd, address, length);
    }

    @Override
    public long send(int fd, long address, long length) {
      return Unistd.write(fd, address, length);
    }
  },

  /** As {@link #PIPE}; readable is this end when nobody reads the other one any more. */
  PIPE_TO_WRITE(false, true) {
    @Override
    public long receive(int fd, long address, long length) {
      throw new IllegalStateException("nothing comes out of this end of a pipe");
    }

    @Override
    public long send(int fd, long address, long length) {
      return PIPE.send(fd, address, length);
    }
  };

  /** Whether several chunks may go by one {@code sendmsg}. */
  public final boolean gathers;

  /** Whether nothing ever arrives. */
  final boolean onlySends;

  StreamCalls(boolean gathers, boolean onlySends) {
    this.gathers = gathers;
    this.onlySends = onlySends;
  }

  /** The bytes received, 0 at the end of the stream, or {@code -errno}. */
  public abstract long receive(int fd, long address, long length);

  /** The bytes taken, perhaps fewer than given, or {@code -errno}. */
  public abstract long send(int fd, long address, long length);
}
