package rloop.posix;

import static rloop.posix.Constants.AF_UNIX;
import static rloop.posix.Constants.O_CLOEXEC;
import static rloop.posix.Constants.O_NONBLOCK;
import static rloop.posix.Constants.SOCK_DGRAM;
import static rloop.posix.Constants.SOCK_STREAM;

import rloop.ffi.Memory;
import rloop.ffi.SystemCall;

/**
 * Two descriptors that are connected. Closing a half is by {@link #closeFirst} and {@link
 * #closeSecond}, once; {@link #close} closes what is left.
 */
public final class Pair implements AutoCloseable {
  private static final SystemCall SOCKETPAIR = SystemCall.of("socketpair");
  private static final int CLOSED = -1;

  private int first;
  private int second;

  private Pair(long fds) {
    first = Memory.getInt(fds);
    second = Memory.getInt(fds + Integer.BYTES);
  }

  /** The first end is to read from, the second to write to. */
  public static Pair pipe() {
    long fds = Memory.allocate(2 * Integer.BYTES);
    ErrnoException.check("pipe2", Unistd.pipe2(fds, O_NONBLOCK | O_CLOEXEC));
    return new Pair(fds);
  }

  /** Both ends are to read from and to write to; both block. */
  public static Pair sockets() {
    return sockets(SOCK_STREAM);
  }

  /** As {@link #sockets}, but each message is a datagram. */
  public static Pair datagramSockets() {
    return sockets(SOCK_DGRAM);
  }

  /** As {@link #sockets}, but neither end blocks. */
  public static Pair nonBlockingSockets() {
    return sockets(SOCK_STREAM | O_NONBLOCK); // which is SOCK_NONBLOCK on Linux
  }

  private static Pair sockets(int type) {
    long fds = Memory.allocate(2 * Integer.BYTES);
    ErrnoException.check("socketpair", (int) SOCKETPAIR.call(AF_UNIX, type, 0, fds));
    return new Pair(fds);
  }

  public int first() {
    return first;
  }

  public int second() {
    return second;
  }

  /** Makes the first end readable. */
  public void writeToSecond(int bytes) {
    ErrnoException.check("write", (int) Unistd.write(second, Memory.allocate(bytes), bytes));
  }

  /** The bytes read, or {@code -errno}. */
  public int readFromFirst(int bytes) {
    return (int) Unistd.read(first, Memory.allocate(bytes), bytes);
  }

  public void closeFirst() {
    Unistd.close(first);
    first = CLOSED;
  }

  public void closeSecond() {
    Unistd.close(second);
    second = CLOSED;
  }

  @Override
  public void close() {
    if (first != CLOSED) {
      closeFirst();
    }
    if (second != CLOSED) {
      closeSecond();
    }
  }
}
