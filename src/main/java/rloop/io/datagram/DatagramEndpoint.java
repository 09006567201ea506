package rloop.io.datagram;

import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import rloop.io.Driver;
import rloop.io.Endpoint;
import rloop.posix.SysSocket;

/**
 * The I/O half of a datagram transport.
 *
 * <p>Thread rule: its {@link Driver}'s owner.
 */
public final class DatagramEndpoint extends Endpoint {
  /**
   * One more datagram is asked for after so many receives that found the only one: to ask for one
   * that isn't there costs half as much as to receive one, to poll again for one that is, twice.
   */
  private static final int RECEIVES_BETWEEN_PROBES = 16;

  private final DatagramEvents events;
  private final DatagramRoom room;
  private final DatagramQueue queue;

  /** How many datagrams the next receive asks for. */
  private int asked = 1;

  private int receivesSinceProbe;

  /**
   * One that is not read before {@link #startReading}.
   *
   * @param headerSize what {@link #queuedBytes} counts for each datagram beside its data, in bytes
   */
  public DatagramEndpoint(
      Driver driver,
      int fd,
      long numberAddress,
      DatagramRoom room,
      long headerSize,
      DatagramEvents events) {
    super(driver, FIRST_SHARE, fd, numberAddress);
    this.events = events;
    this.room = room;
    this.queue = new DatagramQueue(events::released, headerSize);
  }

  @Override
  protected DatagramEvents events() {
    return events;
  }

  @Override
  protected boolean read() {
    if (!events.mayReceive()) {
      return true;
    }
    int count = room.receive(fd(), asked);
    counters().receivedMessages();
    if (count > 0) {
      for (int i = 0; i < count; i++) {
        counters().receivedBytes(room.length(i));
        events.received(room.data(i), room.length(i), room.name(i), room.nameLength(i));
      }
      adapt(count);
    } else if (!isNothing(count)) {
      readFailed(-count);
    }
    return true;
  }

  @Override
  protected void readFailed(int errno) {
    events.receiveFailed(errno);
    if (errno == EBADF) {
      stopReading(); // a duplicate of what was closed may go on to get ready
    }
  }

  /** Asks for more where there is more, and for no more where there isn't. */
  private void adapt(int count) {
    if (count < asked) {
      asked = count;
    } else if (asked > 1 || ++receivesSinceProbe == RECEIVES_BETWEEN_PROBES) {
      asked = Math.min(2 * asked, DatagramRoom.MOST);
      receivesSinceProbe = 0;
    }
  }

  /**
   * Sends a datagram past the queue.
   *
   * @param name where to, as the kernel takes it
   * @param nameLength its length in bytes, 0 for the peer of a connected socket
   * @return how many bytes were sent, or {@code -errno}
   */
  public int sendNow(long address, long length, long name, int nameLength) {
    driver.assertOwned();
    long sent =
        SysSocket.sendto(
            fd(), address, length, MSG_NOSIGNAL, nameLength == 0 ? 0 : name, nameLength);
    counters().sent(sent);
    return (int) sent;
  }

  /**
   * Queues a datagram.
   *
   * @param owner what keeps the memory alive; it comes back by {@link DatagramEvents#released}
   */
  public void add(long owner, long address, long length, long name, int nameLength) {
    driver.assertOwned();
    queue.add(owner, address, length, name, nameLength);
  }

  @Override
  protected void send() {
    boolean wasBlocked = isBlocked();
    while (!queue.isEmpty()) {
      int sent = queue.size() == 1 ? sendFirst() : sendSeveral();
      if (isNothing(sent)) {
        setBlocked(true);
        events.progressed();
        return;
      }
      for (int i = 0; i < sent && !queue.isEmpty(); i++) { // what dies with one may clear it
        queue.removeFirst();
      }
      if (sent < 0) {
        queue.removeFirst();
        events.failed(-sent);
        if (wasBlocked) {
          return; // the protocol has its say before the others go
        }
      }
    }
    setBlocked(false);
    events.drained();
  }

  private int sendSeveral() {
    int sent = room.send(fd(), queue);
    long bytes = 0;
    for (int i = 0; i < sent; i++) {
      bytes += queue.length(i);
    }
    counters().sent(bytes);
    return sent;
  }

  /** Sends the first of the queue, for less than a call for several; 1 or {@code -errno}. */
  private int sendFirst() {
    int status = sendNow(queue.address(0), queue.length(0), queue.nameOf(0), queue.nameLength(0));
    return status < 0 ? status : 1;
  }

  @Override
  public boolean isAllSent() {
    return queue.isEmpty();
  }

  @Override
  public long queuedBytes() {
    return queue.bytes();
  }

  @Override
  protected void dropQueue() {
    queue.clear();
  }
}
