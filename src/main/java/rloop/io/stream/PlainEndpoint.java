package rloop.io.stream;

import static rloop.posix.Constants.EPIPE;
import static rloop.posix.Constants.SHUT_WR;

import rloop.io.Driver;
import rloop.io.Endpoint;
import rloop.io.tls.TlsStream;
import rloop.posix.SysSocket;

/**
 * A {@link StreamEndpoint} as it is without TLS: a connected socket, or one end of a pipe.
 *
 * <p>Thread rule: its {@link Driver}'s owner.
 */
public abstract class PlainEndpoint extends Endpoint {
  /** There is neither data nor an end. */
  public static final long NOTHING = Long.MIN_VALUE;

  private final StreamCalls calls;
  final StreamEvents events;
  final WriteQueue queue;
  private boolean endOfFile;

  /** The error that was the end, or 0; the kernel tells of it once. */
  private int readError;

  // Where the next bytes go, and how many have room.
  private long room;
  private long roomSize;
  private boolean hasRoomAhead;

  PlainEndpoint(
      Driver driver,
      int share,
      int fd,
      long numberAddress,
      StreamCalls calls,
      StreamEvents events) {
    super(driver, share, fd, numberAddress);
    this.calls = calls;
    this.events = events;
    this.queue = new WriteQueue(events::released);
  }

  @Override
  protected final StreamEvents events() {
    return events;
  }

  // ---- reading -------------------------------------------------------------------------------

  @Override
  protected final boolean wantsToRead() {
    return super.wantsToRead() && !endOfFile;
  }

  /**
   * Says where the next bytes go; see {@link StreamEvents#makeRoom}.
   *
   * @param size at least {@link TlsStream#LARGEST_RECORD} more than what has room of TLS
   */
  public final void offer(long address, long size) {
    room = address;
    roomSize = size;
    hasRoomAhead = false;
  }

  /** As {@link #offer}, of room that stays until something has come there. */
  public final void offerAhead(long address, long size) {
    offer(address, size);
    hasRoomAhead = true;
  }

  /** Whether {@link #offerAhead} was called, and nothing has come there. */
  public final boolean hasRoomAhead() {
    return hasRoomAhead;
  }

  /** Tells of what has come to where there was room. */
  final void tellReceived(long count) {
    hasRoomAhead = false;
    events.received(room, count);
  }

  /** Where the next bytes go. */
  public final long room() {
    return room;
  }

  /** How many bytes have room there. */
  final long roomSize() {
    return roomSize;
  }

  /** Hot: a receive; who has made the room takes what has come. */
  @Override
  protected boolean read() {
    if (calls.onlySends) {
      tellEnd(queue.isEmpty() ? 0 : -EPIPE);
      return true;
    }
    if (!events.makeRoom()) {
      return false;
    }
    long count = receive(room, Math.min(roomSize, Driver.READ_BUFFER_SIZE));
    if (count > 0) {
      tellReceived(count);
    } else {
      tellEnd(count);
    }
    return true;
  }

  final long receive(long address, long length) {
    long count = calls.receive(fd(), address, length);
    counters().received(count);
    return count;
  }

  @Override
  protected final void readFailed(int errno) {
    tellEnd(-errno);
  }

  /** Tells of what a receive that returned no data means, if anything. */
  final void tellEnd(long result) {
    long end = ended(result);
    if (end != NOTHING) {
      events.ended((int) -end);
    }
  }

  /** What a receive that returned no data means: the end (0 or {@code -errno}), or nothing. */
  private long ended(long result) {
    if (isNothing(result)) {
      return NOTHING;
    }
    endOfFile = true;
    if (result < 0) {
      readError = (int) -result;
    }
    return -readError;
  }

  /**
   * Receives to where the caller says.
   *
   * @return how many bytes; 0 at the end of the stream, or {@code -errno}, for the caller to tell;
   *     or {@link #NOTHING}
   */
  public final long receiveInto(long address, long length) {
    driver.assertOwned();
    if (!wantsToRead()) {
      return NOTHING;
    }
    long count = receive(address, length);
    if (count <= 0) {
      return endedElsewhere(count);
    }
    readElsewhere();
    return count;
  }

  /** As {@link #tellEnd}, where the caller tells. */
  final long endedElsewhere(long result) {
    long end = ended(result);
    settle();
    if (readError == 0) {
      readElsewhere();
    }
    return end;
  }

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Queues data, to be sent by the next {@link #flush}.
   *
   * @param owner what keeps the memory alive; it comes back by {@link StreamEvents#released}
   */
  public final void add(long owner, long address, long length) {
    driver.assertOwned();
    queue.add(owner, address, length);
  }

  @Override
  public boolean isAllSent() {
    return queue.isEmpty();
  }

  @Override
  public final long queuedBytes() {
    return queue.bytes();
  }

  @Override
  protected final void dropQueue() {
    queue.clear();
  }

  @Override
  protected void send() {
    sent(queue.isEmpty() ? 0 : sendQueue());
  }

  /** Sends as much of the queue as the kernel takes; returns 0 or {@code -errno}. */
  final int sendQueue() {
    return queue.send(fd(), calls, counters());
  }

  /** What follows from the result of the last call that sent, 0 or {@code -errno}. */
  final void sent(int status) {
    setBlocked(false);
    if (queue.isEmpty()) {
      events.drained();
    } else if (status == 0 || isNothing(status)) {
      setBlocked(true);
      events.progressed();
    } else {
      queue.clear();
      events.failed(-status);
    }
  }

  /**
   * Shuts the sending side down.
   *
   * @return 0 or {@code -errno}
   */
  public final int shutdownWriting() {
    driver.assertOwned();
    return SysSocket.shutdown(fd(), SHUT_WR);
  }
}
