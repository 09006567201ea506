package rloop.transport;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EINTR;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;
import rloop.io.Channel;
import rloop.io.datagram.DatagramEndpoint;
import rloop.io.datagram.DatagramEvents;
import rloop.io.relay.NotedDatagrams;
import rloop.io.relay.Notes;
import rloop.loop.EventLoop;
import rloop.loop.Tally;

/**
 * The Python half of a datagram transport, connected to a peer or not.
 *
 * <p>A datagram is sent at once and queued only if the kernel won't take it, so that its error is
 * known while its sender still has the turn, as in asyncio. But while several that came together
 * are being delivered, what is sent is gathered until all are, and goes by one system call.
 */
public final class DatagramConnection extends TransportChannel implements DatagramEvents {
  /** An answer of {@link #send}: the kernel or the queue has it. */
  public static final int DONE = 0;

  /** An answer of {@link #send}: queued, and the protocol is now to be told to pause. */
  public static final int PAUSE = 1;

  /** An answer of {@link #send}: nothing was done, the rest is Python's. */
  public static final int UNUSUAL = 2;

  private final DatagramEndpoint endpoint;
  private final InboundDatagrams inbound;
  private final Reading reading;
  private final DatagramMemory memory;
  private final int family;
  private final boolean isConnected;
  private @Owned long onlyAddress;
  private final boolean sendsEmpty;

  /**
   * A socket that is not read before {@link Reading#start}.
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
    super(loop, callbacks);
    Notes notes = loop.io().notes(Channel.FIRST_SHARE);
    NotedDatagrams noted = notes == null ? null : new NotedDatagrams(notes, this);
    DatagramEvents events = noted == null ? this : noted;
    this.endpoint =
        new DatagramEndpoint(
            loop.driver(), file.fd(), keepNumberOf(file), memory.room(), headerSize, events);
    if (noted != null) {
      noted.setEndpoint(endpoint);
    }
    this.inbound = new InboundDatagrams(loop, callbacks);
    this.reading = new Reading(this, endpoint, inbound, callbacks);
    this.memory = memory;
    this.family = family;
    this.isConnected = isConnected;
    this.onlyAddress = onlyAddress == 0 ? 0 : Ref.take(onlyAddress);
    this.sendsEmpty = headerSize > 0;
    tellOfBeginning();
  }

  @Override
  String kind() {
    return "datagram";
  }

  @Override
  Tally tally() {
    return loop.counters().datagrams;
  }

  @Override
  DatagramEndpoint endpoint() {
    return endpoint;
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  public Reading reading() {
    return reading;
  }

  @Override
  public boolean mayReceive() {
    return !inbound.isWaiting();
  }

  @Override
  public void received(long data, int length, long name, int nameLength) {
    long bytes = loop.bytesPool().copyOf(data, length);
    inbound.deliver(bytes, memory.address(name, nameLength), length);
    reading.takeBackUnwanted();
  }

  @Override
  public void receiveFailed(int errno) {
    loop.schedule(callbacks.readFailed(errno));
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
    long length = Memory.getLong(data + Layout.SIZE);
    if (!sendsEmpty && length == 0) {
      return DONE;
    }
    if (isGone()
        || loop.isClosed()
        || (onlyAddress != 0 && address != 0 && address != onlyAddress)) {
      return UNUSUAL;
    }
    long to = isConnected ? 0 : address == 0 ? onlyAddress : address;
    int answer = sendTo(data, length, to);
    if (answer < 0 && loop.isAnotherWorker()) { // which doesn't call the protocol
      failed(-answer);
      loop.wakeUp();
      return DONE;
    }
    return answer;
  }

  private int sendTo(long data, long length, long to) {
    boolean gathers = inbound.areSeveral() && !endpoint.isBlocked() && isOpen() && gathers();
    if (!gathers) {
      flushGathered();
      if (isGone()) {
        return UNUSUAL; // closed by whoever came in
      }
    }
    int nameLength = to == 0 ? 0 : memory.encode(to, family);
    if (nameLength == Destination.UNUSUAL && !isConnected) {
      flushGathered();
      return UNUSUAL;
    }
    if (gathers) {
      enqueue(data, length, nameLength);
      return sendSoon() ? PAUSE : DONE;
    }
    if (endpoint.isAllSent()) {
      int status = endpoint.sendNow(data + Layout.BYTES_DATA, length, memory.sockaddr, nameLength);
      if (status != -EAGAIN && status != -EINTR) {
        return Math.min(status, DONE);
      }
    }
    enqueue(data, length, nameLength);
    endpoint.awaitRoom();
    sendUnlessBlocked(); // which tells the poller
    return pauses() ? PAUSE : DONE;
  }

  /** Those whose turn it is before what goes another way. */
  private void flushGathered() {
    if (!endpoint.isBlocked() && !endpoint.isAllSent()) {
      endpoint.flush();
    }
  }

  private void enqueue(long data, long length, int nameLength) {
    endpoint.add(Ref.take(data), data + Layout.BYTES_DATA, length, memory.sockaddr, nameLength);
  }

  @Override
  public void released(@Owned long owner) {
    Ref.drop(owner);
  }

  @Override
  public void failed(int errno) {
    loop.schedule(callbacks.writeFailed(errno));
  }

  @Override
  public void dispose() {
    super.dispose();
    Ref.dropIfAny(onlyAddress);
    onlyAddress = 0;
  }
}
