package rloop.transport;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.loop.EventLoop;

/**
 * {@code sock_recv}, {@code sock_sendall} and their siblings, of a loop.
 *
 * <p>A socket stays registered with the poller from one operation to the next: so an operation that
 * has to wait costs the receive or send itself and nothing else. The loop isn't told when the
 * socket is closed, and its number may come back as another one's, so the Python object is what
 * counts ({@link WatchedSocket}).
 */
public final class SocketOperations {
  private static final int INITIAL_ROOM = 64;

  private final EventLoop loop;

  /** The type of sockets that are adopted: Python knows which; 0 before the first. */
  private long socketType;

  private @Nullable SocketState[] states = new SocketState[INITIAL_ROOM];

  /** Made for the first datagram; null before. */
  private @Nullable DatagramMemory datagramMemory;

  /** Made for the first file that another thread sends; null before. */
  private @Nullable FileBlocks fileBlocks;

  /** Made for the first connection; null before. */
  private @Nullable Acceptor acceptor;

  /** For a loop. */
  public SocketOperations(EventLoop loop) {
    this.loop = loop;
  }

  /**
   * Gets to know a socket, if it doesn't yet.
   *
   * @param family of the socket
   * @param weakReference to the socket
   * @return whether Java can work with it: where it can't read its descriptor, the standard library
   *     has to do
   */
  public boolean adopt(long socket, int fd, int family, @Owned long weakReference) {
    socketType = Ref.type(socket);
    boolean isKnown = find(socket) != null;
    if (isKnown || WatchedSocket.fd(socket) != fd) {
      Ref.drop(weakReference);
      return isKnown;
    }
    SocketState adopted;
    try {
      if (fd >= states.length) {
        states = Arrays.copyOf(states, Math.max(fd + 1, states.length * 2));
      }
      var watched = new WatchedSocket(socket, loop.fdWatches().at(fd), weakReference);
      adopted = new SocketState(loop, this, watched, family);
    } catch (OutOfMemoryError | PyException e) {
      Ref.drop(weakReference);
      throw e;
    }
    SocketState last = states[fd];
    states[fd] = adopted;
    if (last != null) {
      last.dispose();
    }
    return true;
  }

  /** The descriptor is a transport's from now on. */
  public void forget(int fd) {
    if (fd < states.length) {
      SocketState state = states[fd];
      if (state != null) {
        states[fd] = null;
        state.dispose();
      }
    }
  }

  /** The state of a socket that was adopted, or null for any other object. */
  public @Nullable SocketState find(long socket) {
    if (Ref.type(socket) != socketType) {
      return null;
    }
    int fd = WatchedSocket.fd(socket);
    SocketState state = fd >= 0 && fd < states.length ? states[fd] : null;
    return state != null && state.belongsTo(socket) ? state : null;
  }

  /** A datagram socket for a transport; see {@link DatagramConnection}. */
  public DatagramConnection openDatagrams(
      OpenFile file,
      DatagramCallbacks callbacks,
      int family,
      boolean isConnected,
      long onlyAddress,
      long headerSize) {
    forget(file.fd());
    return new DatagramConnection(
        loop, file, callbacks, datagramMemory(), family, isConnected, onlyAddress, headerSize);
  }

  DatagramMemory datagramMemory() {
    DatagramMemory memory = datagramMemory;
    if (memory == null) {
      memory = new DatagramMemory();
      datagramMemory = memory;
    }
    return memory;
  }

  /**
   * Has another thread send from a file; see {@link FileBlocks#send}.
   *
   * @return 0 also if there are no descriptors left for that
   */
  @Owned
  long sendBlock(int socket, int file, long offset, long count) {
    FileBlocks blocks = fileBlocks;
    if (blocks == null) {
      blocks = FileBlocks.open(loop);
      fileBlocks = blocks;
    }
    return blocks == null ? 0 : blocks.send(socket, file, offset, count);
  }

  /**
   * Waits for a block of a file that another thread sends; returns what the kernel answers.
   *
   * @param future what {@link SocketState#sendFile} has returned
   */
  public long awaitBlock(long future) {
    return fileBlocks == null ? 0 : fileBlocks.await(future);
  }

  /** Accepts a connection; see {@link Acceptor#accept}. */
  @Owned
  public long accept(int listener) {
    if (acceptor == null) {
      acceptor = new Acceptor();
    }
    long accepted = acceptor.accept(listener);
    if (accepted != 0) {
      loop.counters().accepted();
    }
    return accepted;
  }

  /** The loop is being closed. */
  public void close() {
    @Nullable SocketState[] last = states;
    states = new SocketState[0];
    for (SocketState state : last) {
      if (state != null) {
        state.dispose();
      }
    }
    FileBlocks blocks = fileBlocks;
    fileBlocks = null;
    if (blocks != null) {
      blocks.close();
    }
  }

  /** Nobody can be in a method any more: gives the memory back that they use. */
  public void free() {
    if (acceptor != null) {
      acceptor.close();
      acceptor = null;
    }
    if (datagramMemory != null) {
      datagramMemory.close();
      datagramMemory = null;
    }
  }
}
