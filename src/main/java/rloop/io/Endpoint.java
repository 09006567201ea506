package rloop.io;

import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.ENOENT;

import rloop.io.poll.Poller;

/**
 * The I/O half of a transport: a descriptor, what the poller is to watch it for, and what waits to
 * be sent. It knows nothing of Python. What it has to tell goes up as {@link EndpointEvents}; what
 * it is to do comes down as calls of its methods.
 *
 * <p>Thread rule: its {@link Driver}'s owner.
 */
public abstract class Endpoint extends Channel {
  /** Another one's after {@link #moveTo}. */
  protected Driver driver;

  /** Which of the threads works on this, where the driver is lent to several. */
  private final int share;

  /** Whether somebody wants what arrives. */
  private boolean reading;

  /** Another reader took its place, who was asked for with the descriptor's number. */
  private boolean isDisplaced;

  /** The kernel's buffer is full; the poller tells when to go on. */
  private boolean blocked;

  /** It does again, but somebody is to read first. */
  private boolean sendsAfterRead;

  private boolean flushScheduled;
  private boolean isHeld;
  private boolean closed;

  /**
   * For a descriptor.
   *
   * @param share of the driver's
   * @param numberAddress where its number stands in memory, or 0
   */
  protected Endpoint(Driver driver, int share, int fd, long numberAddress) {
    super(fd, numberAddress);
    this.driver = driver;
    this.share = share;
  }

  @Override
  int share() {
    return share;
  }

  /** Where system calls are counted. */
  protected final IoCounters counters() {
    return driver.counters(share);
  }

  /** Whether the result of a system call says that there is nothing yet, or no room yet. */
  protected static boolean isNothing(long result) {
    return result == -EAGAIN || result == -EINTR;
  }

  /** Whom it tells what happens. */
  protected abstract EndpointEvents events();

  // ---- reading -------------------------------------------------------------------------------

  /**
   * Tells of what arrives from now on.
   *
   * @return 0 or {@code -errno}, if it can't be watched
   */
  public final int startReading() {
    driver.assertOwned();
    isDisplaced &= reading;
    reading = true;
    int status = updateInterest();
    if (status == -EBADF && isNumberAnothers()) { // asyncio watches that one
      readFailed(EBADF);
      return 0;
    }
    return status;
  }

  /** Tells of nothing that arrives any more; the poller learns of it by the next flush. */
  public final void stopReading() {
    driver.assertOwned();
    reading = false;
    if (!flushLater()) {
      settle();
    }
  }

  /** Whether what arrives is read. */
  protected boolean wantsToRead() {
    return reading;
  }

  /**
   * Receives what there is; the descriptor is ready.
   *
   * @return false if a call does so in the batch that is being made
   */
  protected abstract boolean read();

  /** The call for which {@link #read} has left it has read, and the stream has not failed. */
  protected final void readElsewhere() {
    if (sendsAfterRead) {
      sendsAfterRead = false;
      blocked = false;
      if (!flushLater()) {
        flush();
      }
    }
  }

  /** Tells that nothing can be received. */
  protected abstract void readFailed(int errno);

  // ---- writing -------------------------------------------------------------------------------

  /**
   * Has what is queued sent by the driver's next flush; returns whether there is memory for that.
   */
  public final boolean flushLater() {
    if (!flushScheduled && !closed) {
      flushScheduled = driver.flushLater(this);
      hold();
      return flushScheduled;
    }
    return true;
  }

  /** Sends what is queued, as far as the kernel takes it. */
  public final void flush() {
    driver.assertOwned();
    flushScheduled = false;
    if (closed) {
      return; // and its owner may be dead
    }
    events().used(true);
    try {
      if (!isAllSent() && !blocked) {
        send();
      }
      settle();
    } finally {
      events().used(false);
    }
  }

  /** As {@link #flush}, while another thread may be using the poller: that is told later. */
  public final void flushPastPoller() {
    driver.assertOwned();
    events().used(true);
    try {
      if (!isAllSent() && !blocked) {
        send();
      }
      var _ = flushLater(); // without memory the next event does it
    } finally {
      events().used(false);
    }
  }

  /** Whether the kernel takes no more for now. */
  public final boolean isBlocked() {
    return blocked;
  }

  /** The kernel takes no more, or again. */
  protected final void setBlocked(boolean blocked) {
    this.blocked = blocked;
  }

  /** The kernel takes no more: what is queued waits for the poller, which a flush tells. */
  public final void awaitRoom() {
    driver.assertOwned();
    blocked = true;
  }

  /** Sends what is queued. */
  protected abstract void send();

  /** Whether nothing is queued. */
  public abstract boolean isAllSent();

  /** How much is queued, in bytes. */
  public abstract long queuedBytes();

  /** Drops what is queued. */
  protected abstract void dropQueue();

  // ---- what the poller watches ---------------------------------------------------------------

  @Override
  protected final void ready(int readiness) {
    if (closed) {
      return; // and its owner may be dead
    }
    events().used(true);
    try {
      use(readiness);
      settle();
    } finally {
      events().used(false);
    }
  }

  private void use(int readiness) {
    boolean hasRead = (readiness & Poller.READ) == 0 || !wantsToRead() || read();
    if ((readiness & Poller.WRITE) != 0 && blocked) {
      if (hasRead) {
        send();
      } else { // a send would take the connection's error from the receive
        sendsAfterRead = true;
      }
    }
  }

  /**
   * Tells the poller what is of interest now, where nobody waits for the answer. A file that was
   * closed behind the owner's back is not watched any more: who writes next meets the error.
   */
  protected final void settle() {
    int status = updateInterest();
    if (status < 0 && blocked) {
      blocked = false;
      dropQueue();
      events().failed(-status);
    }
  }

  /** Returns 0 or {@code -errno}. */
  private int updateInterest() {
    if (closed) {
      return 0;
    }
    int status = driver.watch(this, interest());
    if (status == -ENOENT && !closed) { // it was another file's
      status = driver.watch(this, interest());
    }
    hold(); // as it is by now: others whose place it took may have come in
    return status;
  }

  private int interest() {
    boolean reads = wantsToRead() && !isDisplaced;
    return (reads ? Poller.READ : 0) | (blocked ? Poller.WRITE : 0);
  }

  /** Whether the driver refers to this: who owns it has to live as long. */
  private void hold() {
    boolean hold = !closed && (flushScheduled || isWatched());
    if (hold != isHeld) {
      isHeld = hold;
      events().held(hold);
    }
  }

  // ---- where it moves from one loop to another -------------------------------------------------

  /** Makes room in another driver, so that {@link #moveTo} finds it. */
  public final void reserveIn(Driver other) {
    other.reserveFor(this);
  }

  /** Belongs to another driver from now on, which has room; the caller owns both. */
  public final void moveTo(Driver other) {
    driver.assertOwned();
    driver.forget(this);
    driver = other;
    flushScheduled = false; // the old one passes this over
    if (!isAllSent() && !blocked) {
      var _ = flushLater(); // there is room
    }
    settle();
  }

  @SuppressWarnings("ReferenceEquality")
  final boolean isOf(Driver driver) {
    return this.driver == driver;
  }

  // ---- where the driver is lent to several threads, see SharedStep ------------------------------

  /** As {@link #flush}, but for what {@link #settleShared} does. */
  final void sendShared() {
    driver.assertOwned();
    flushScheduled = false;
    if (!closed && !isAllSent() && !blocked) {
      send();
    }
  }

  @Override
  final void readyShared() {
    driver.assertOwned();
    if (!closed) {
      use(readiness());
    }
  }

  @Override
  final void settleShared() {
    if (!closed) {
      settle();
    }
  }

  // ---- the end -------------------------------------------------------------------------------

  public final boolean isClosed() {
    return closed;
  }

  /** Drops what is queued, and lets the descriptor go; it stays open. */
  public void close() {
    driver.assertOwned();
    dropQueue();
    if (!closed) {
      closed = true;
      blocked = false;
      driver.forget(this);
      forgetFd(); // what it stands in may go with the owner
      hold();
    }
  }

  @Override
  protected final void displaced(int directions) {
    isDisplaced |= (directions & Poller.READ) != 0;
  }

  @Override
  protected final void fileGone() {
    forgetFd();
  }

  @Override
  protected final void pollerClosed() {
    if (closed) {
      return; // as in ready()
    }
    events().used(true);
    try {
      events().driverClosed();
    } finally {
      events().used(false);
    }
  }
}
