package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
import rloop.loop.EventLoop;
import rloop.posix.SysSocket;

/**
 * A datagram socket, connected to a peer or not.
 *
 * <p>A datagram is sent at once and queued only if the kernel won't take it, so that its error is
 * known while its sender still has the turn, as in asyncio. But while several that came together
 * are being delivered, what is sent is gathered until all are, and goes by one system call.
 */
public final class DatagramConnection extends TransportChannel {
  /** An answer of {@link #send}: the kernel or the queue has it. */
  public static final int DONE = 0;

  /** An answer of {@link #send}: queued, and the protocol is now to be told to pause. */
  public static final int PAUSE = 1;

  /** An answer of {@link #send}: nothing was done, the rest is Python's. */
  public static final int UNUSUAL = 2;

  /**
   * One more datagram is asked for after so many receives that found the only one: to ask for one
   * that isn't there costs half as much as to receive one, to poll again for one that is, twice.
   */
  private static final int RECEIVES_BETWEEN_PROBES = 16;

  private final InboundDatagrams inbound;
  private final DatagramMemory memory;
  private final int family;
  private final boolean isConnected;
  private @Owned long onlyAddress;
  private final boolean sendsEmpty;
  private final DatagramQueue queue;

  /** How many datagrams the next receive asks for. */
  private int asked = 1;

  private int receivesSinceProbe;

  /**
   * A socket that is not read before {@link #startReading}.
   *
   * @param family of its addresses
   * @param onlyAddress a Python address, the one that is sent to, or 0 for any
   * @param headerSize what flow control counts for each datagram beside its data, in bytes; 0 in
   *     the versions of asyncio that send no empty datagrams
   */
  DatagramConnection(
      EventLoop loop,
      OpenFile file,
      DatagramCallbacks callbacks,
      DatagramMemory memory,
      int family,
      boolean isConnected,
      long onlyAddress,
      long headerSize) {
    super(loop, file, callbacks);
    this.inbound = new InboundDatagrams(loop, callbacks);
    this.memory = memory;
    this.family = family;
    this.isConnected = isConnected;
    this.onlyAddress = onlyAddress == 0 ? 0 : Ref.take(onlyAddress);
    this.sendsEmpty = headerSize > 0;
    this.queue = new DatagramQueue(headerSize);
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  InboundDatagrams undelivered() {
    return inbound;
  }

  @Override
  protected void read() {
    if (inbound.isWaiting()) {
      return;
    }
    int count = memory.receive(fd(), asked, 0);
    if (count < 0) {
      if (count != -EAGAIN && count != -EINTR) {
        loop.schedule(callbacks.readFailed(-count));
      }
      if (count == -EBADF) {
        stopReading();
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      int length = memory.length(i);
      inbound.deliver(loop.bytesPool().copyOf(memory.data(i), length), memory.address(i), length);
    }
    takeBackUnwanted();
    adapt(count);
  }

  /** Asks for more where there is more, and for no more where there isn't. */
  private void adapt(int count) {
    if (count < asked) {
      asked = Math.max(count, 1);
    } else if (asked > 1 || ++receivesSinceProbe == RECEIVES_BETWEEN_PROBES) {
      asked = Math.min(2 * asked, DatagramMemory.MOST);
      receivesSinceProbe = 0;
    }
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Sends a datagram, or queues it behind others.
   *
   * @param data {@code bytes}, of which a reference is taken if they are queued
   * @param address a Python address, or 0
   * @return {@link #DONE}, {@link #PAUSE}, {@link #UNUSUAL}, or {@code -errno}
   */
  public int send(long data, long address) {
    if (!sendsEmpty && Memory.getLong(data + Layout.SIZE) == 0) {
      return DONE;
    }
    if (isGone()
        || loop.isClosed()
        || (onlyAddress != 0 && address != 0 && address != onlyAddress)) {
      return UNUSUAL;
    }
    return isConnected ? sendTo(data, 0) : sendTo(data, address == 0 ? onlyAddress : address);
  }

  private int sendTo(long data, long address) {
    boolean gathers = inbound.areSeveral() && !blocked && isOpen() && gathers();
    if (!gathers) {
      flushGathered();
      if (isGone()) {
        return UNUSUAL; // closed by whoever came in
      }
    }
    int peerLength = encode(address);
    if (peerLength == Destination.UNUSUAL && !isConnected) {
      flushGathered();
      return UNUSUAL;
    }
    if (gathers) {
      enqueue(data, address);
      return sendSoon() ? PAUSE : DONE;
    }
    if (queue.isEmpty()) {
      int status = sendNow(data, peerLength);
      if (status != -EAGAIN && status != -EINTR) {
        return Math.min(status, DONE);
      }
    }
    enqueue(data, address);
    blocked = true;
    updateInterestSoon();
    return waterMarks.pauses(queue.bytes()) ? PAUSE : DONE;
  }

  /** Those whose turn it is before what goes another way. */
  private void flushGathered() {
    if (!blocked && !queue.isEmpty()) {
      flush();
    }
  }

  private void enqueue(long data, long address) {
    queue.add(data, address);
  }

  private int encode(long address) {
    return address == 0 ? Destination.UNUSUAL : memory.encode(address, family);
  }

  /**
   * Sends to where {@link #encode} has written, or to the peer of a connected socket.
   *
   * @return how many bytes were sent, or {@code -errno}
   */
  private int sendNow(long data, int peerLength) {
    return (int)
        SysSocket.sendto(
            fd(),
            data + Layout.BYTES_DATA,
            Memory.getLong(data + Layout.SIZE),
            MSG_NOSIGNAL,
            peerLength == 0 ? 0 : memory.sockaddr,
            peerLength);
  }

  @Override
  protected void send() {
    while (!queue.isEmpty()) {
      int sent = queue.size() == 1 ? sendFirst() : memory.send(fd(), queue, family);
      if (sent == -EAGAIN || sent == -EINTR) {
        blocked = true;
        resumeProtocol();
        return;
      }
      for (int i = 0; i < sent && !queue.isEmpty(); i++) { // what dies with one may clear it
        queue.removeFirst();
      }
      if (sent < 0) {
        queue.removeFirst();
        loop.schedule(callbacks.writeFailed(-sent));
        if (blocked) {
          return; // the protocol has its say before the others go
        }
      }
    }
    blocked = false;
    drained();
  }

  @Override
  protected void sendFailed(int errno) {
    queue.clear();
    loop.schedule(callbacks.writeFailed(errno));
  }

  /** Sends the first of the queue, for less than a call for several; 1 or {@code -errno}. */
  private int sendFirst() {
    int status = sendNow(queue.dataOf(0), encode(queue.addressOf(0)));
    return status < 0 ? status : 1;
  }

  @Override
  protected boolean isAllSent() {
    return queue.isEmpty();
  }

  @Override
  protected long queuedBytes() {
    return queue.bytes();
  }

  @Override
  protected void dropQueue() {
    queue.clear();
  }

  @Override
  public void dispose() {
    super.dispose();
    Ref.dropIfAny(onlyAddress);
    onlyAddress = 0;
  }
}
