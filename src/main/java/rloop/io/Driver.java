package rloop.io;

import static rloop.posix.Constants.EBADF;

import java.util.Arrays;
import java.util.List;
import rloop.io.poll.Poller;
import rloop.posix.Stdlib;

/**
 * What a loop asks the kernel for: its poller, what that watches, and who has something to send.
 *
 * <p>Thread rule: everything but {@link #wakeUp} belongs to one thread at a time, its owner: who
 * holds the loop's lock, or the I/O thread that it was lent to. {@link #assertOwned} checks it.
 */
public final class Driver {
  /** As asyncio's {@code max_size}, the most that one read takes, in bytes. */
  public static final int READ_BUFFER_SIZE = 256 * 1024;

  private final Poller poller;
  private final Channels channels;
  private final Fifo<Endpoint> writers = new Fifo<>();

  private final IoCounters atHome = new IoCounters();
  private final IoCounters[] lent;

  /** Memory of libc's, 0 before the first read. */
  private long readBuffer;

  /**
   * Whether it is lent, to threads that are no others'; else it is whoever holds the loop's lock.
   */
  private boolean isLent;

  private int nextShare;

  private boolean closed;

  /**
   * Watches nothing; the poller is closed with it.
   *
   * @param shares how many threads it may be lent to at once
   */
  public Driver(Poller poller, int shares) {
    this.poller = poller;
    this.channels = new Channels(poller);
    this.lent = new IoCounters[shares];
    Arrays.setAll(lent, share -> new IoCounters());
  }

  /** Checks that this thread may use what belongs to the driver. */
  public void assertOwned() {
    assert isOwned()
        : "the I/O is" + (isLent ? "" : " not") + " lent, and " + Thread.currentThread() + " came";
  }

  private boolean isOwned() {
    return isLent == Thread.currentThread() instanceof IoThread;
  }

  /** From now on everything here is an {@link IoThread}'s, or the loop's again. */
  public void lend(boolean isLent) {
    this.isLent = isLent;
  }

  // ---- what was asked of the kernel ----------------------------------------------------------

  /** Where counts who has a share of it now. */
  IoCounters counters(int share) {
    return isLent ? lent[share] : atHome;
  }

  /** Where who holds the loop's lock counts, whoever owns this. */
  public IoCounters countersAtHome() {
    return atHome;
  }

  /** Where those count whom it was lent to, by share. */
  public IoCounters[] countersLent() {
    return lent;
  }

  /** How many descriptors the poller watches; while this is lent, about. */
  public int watched() {
    return channels.watched();
  }

  /** How often {@link #wakeUp} has ended a wait. */
  public long wakeUps() {
    return poller.wakeUps();
  }

  // ---- for endpoints -------------------------------------------------------------------------

  /** A share for one more endpoint: all have about as many. */
  public int assignShare() {
    nextShare = (nextShare + 1) % Math.max(lent.length, 1);
    return nextShare;
  }

  /** The address of {@link #READ_BUFFER_SIZE} bytes, for whoever reads next. */
  public long readBuffer() {
    if (readBuffer == 0) {
      readBuffer = Stdlib.calloc(1, READ_BUFFER_SIZE);
    }
    return readBuffer;
  }

  /**
   * Has {@code endpoint} flushed by the next {@link #flush}; returns whether there is memory for
   * one that waits.
   */
  boolean flushLater(Endpoint endpoint) {
    assertOwned();
    try {
      writers.add(endpoint);
      return true;
    } catch (OutOfMemoryError e) {
      return false;
    }
  }

  /**
   * Watches a channel for this and nothing else.
   *
   * @return as {@link Channels#watch}; {@code -EBADF} if this is closed
   */
  public int watch(Channel channel, int interest) {
    assertOwned();
    return closed && interest != 0 ? -EBADF : channels.watch(channel, interest);
  }

  /** See {@link Channels#confirm}. */
  public int confirm(Channel channel) {
    assertOwned();
    return channels.confirm(channel);
  }

  /** Stops watching a channel, before its descriptor is closed. */
  public void forget(Channel channel) {
    assertOwned();
    channels.forget(channel);
  }

  // ---- for the iteration ---------------------------------------------------------------------

  /** Whether {@link #flush} has something to do. */
  public boolean hasWriters() {
    return !writers.isEmpty();
  }

  /** Sends what endpoints have queued, as far as the kernel takes it. */
  public void flush() {
    assertOwned();
    Endpoint endpoint;
    while ((endpoint = writers.poll()) != null) { // others may be let in, who send as well
      if (endpoint.isOf(this)) {
        endpoint.flush();
      }
    }
  }

  /** Makes room for a channel that comes from another driver; throws before it comes. */
  void reserveFor(Channel channel) {
    assertOwned();
    channels.reserveFor(channel);
    writers.reserve(1);
  }

  /** Takes those out whom {@link #flush} would flush. */
  void takeWriters(List<Endpoint> taken) {
    assertOwned();
    Endpoint endpoint;
    while ((endpoint = writers.poll()) != null) {
      taken.add(endpoint);
    }
  }

  /**
   * Asks the kernel for events.
   *
   * @return as {@link Poller#poll}
   */
  public int poll(long timeoutNanos) {
    assertOwned();
    int count = poller.poll(timeoutNanos);
    counters(0).polled();
    channels.found(Math.max(count, 0));
    return count;
  }

  /** See {@link Channels#dropStrays}. */
  public void dropStrays() {
    assertOwned();
    channels.dropStrays();
  }

  /** Whether there are events of the last poll that were not handed out. */
  public boolean hasEvents() {
    return channels.hasEvents();
  }

  /** Hands out one event. */
  public void dispatchNext() {
    channels.dispatchNext();
  }

  /** Takes the channels out that are ready, in the order of the events. */
  void takeReady(List<Channel> taken) {
    assertOwned();
    while (channels.hasEvents()) {
      channels.takeNext(taken);
    }
  }

  /** Ends the {@link #poll} that waits, or keeps the next one from waiting; for any thread. */
  public void wakeUp() {
    poller.wakeup();
  }

  public boolean isClosed() {
    return closed;
  }

  /** Lets everything go, and closes the poller. */
  public void close() {
    assertOwned();
    if (!closed) {
      closed = true;
      dropWriters();
      channels.close();
    }
  }

  private void dropWriters() {
    while (writers.poll() != null) {} // nobody sends any more
  }

  /** Closes the poller alone: whom it knew is gone. */
  public void abandon() {
    closed = true;
    dropWriters();
    poller.close();
  }

  /** Gives the memory back that readers use. */
  public void free() {
    Stdlib.free(readBuffer);
    readBuffer = 0;
  }
}
