package rloop.io.poll;

import static rloop.posix.Constants.EINTR;
import static rloop.posix.Constants.EPOLLERR;
import static rloop.posix.Constants.EPOLLHUP;
import static rloop.posix.Constants.EPOLLIN;
import static rloop.posix.Constants.EPOLLOUT;
import static rloop.posix.Constants.EPOLL_CLOEXEC;
import static rloop.posix.SysEpoll.EPOLL_CTL_ADD;
import static rloop.posix.SysEpoll.EPOLL_CTL_DEL;
import static rloop.posix.SysEpoll.EPOLL_CTL_MOD;

import rloop.posix.EpollEvent;
import rloop.posix.ErrnoException;
import rloop.posix.Stdlib;
import rloop.posix.SysEpoll;
import rloop.posix.Timespec;
import rloop.posix.Unistd;

/**
 * Linux's epoll.
 *
 * <p>The kernel keeps 64 bits for each descriptor: here a key and, in the lowest two, the interest.
 * So an event says by itself what it is masked with, and the waker is known by an interest of 0,
 * which nobody else has.
 */
final class Epoll extends WakeablePoller {
  private static final int INTEREST_BITS = 2;
  private static final int INTEREST_MASK = (1 << INTEREST_BITS) - 1;
  private static final long WAKER_DATA = 0;
  private static final int CLOSED = -1;

  /** Longer waits may end a millisecond late, as asyncio's all do: that is a tenth of them. */
  private static final long COARSE_NANOSECONDS = 10_000_000;

  private final long events = Stdlib.calloc(ReadyList.CAPACITY, EpollEvent.SIZE);
  private final long change = Stdlib.calloc(1, EpollEvent.SIZE);
  private final long timespec = Stdlib.calloc(1, Timespec.SIZE);
  private int epoll;
  private boolean hasNanoseconds = SysEpoll.hasEpollPwait2();

  private Epoll(int epoll, Waker waker) {
    super(waker, "epoll_wait");
    this.epoll = epoll;
  }

  /** Whether this system has epoll. */
  static boolean isAvailable() {
    return EPOLLIN != 0;
  }

  static Epoll open() {
    WakeFd wakeFd = WakeFd.open();
    int epoll = CLOSED;
    try {
      epoll = ErrnoException.check("epoll_create1", SysEpoll.epoll_create1(EPOLL_CLOEXEC));
      Epoll poller = new Epoll(epoll, new Waker(wakeFd));
      ErrnoException.check("epoll_ctl", poller.addWaker());
      return poller;
    } catch (ErrnoException | OutOfMemoryError e) {
      if (epoll != CLOSED) {
        Unistd.close(epoll);
      }
      wakeFd.close();
      throw e;
    }
  }

  private int addWaker() {
    return control(EPOLL_CTL_ADD, waker.fd(), EPOLLIN, WAKER_DATA);
  }

  @Override
  public boolean reopen() {
    checkOpen();
    int fresh = SysEpoll.epoll_create1(EPOLL_CLOEXEC);
    if (fresh < 0) {
      return false;
    }
    int old = epoll;
    epoll = fresh;
    if (addWaker() < 0) { // no memory
      epoll = old;
      Unistd.close(fresh);
      return false;
    }
    Unistd.close(old);
    return true;
  }

  @Override
  public int add(int fd, int interest, long key) {
    return control(EPOLL_CTL_ADD, fd, eventsOf(interest), data(interest, key));
  }

  @Override
  public int modify(int fd, int interest, long key) {
    return control(EPOLL_CTL_MOD, fd, eventsOf(interest), data(interest, key));
  }

  @Override
  public int remove(int fd) {
    return control(EPOLL_CTL_DEL, fd, 0, 0);
  }

  private int control(int operation, int fd, int events, long data) {
    checkOpen();
    EpollEvent.put(change, events, data);
    return SysEpoll.epoll_ctl(epoll, operation, fd, change);
  }

  private static int eventsOf(int interest) {
    return ((interest & READ) != 0 ? EPOLLIN : 0) | ((interest & WRITE) != 0 ? EPOLLOUT : 0);
  }

  private static long data(int interest, long key) {
    assert interest > 0 && interest <= INTEREST_MASK : interest;
    assert key >= MIN_KEY && key <= MAX_KEY : key;
    return key << INTEREST_BITS | interest;
  }

  /**
   * Waits to the nanosecond where that matters and works. Elsewhere to the millisecond, because
   * {@code epoll_pwait2} takes 100 ns longer, a sixth of the call.
   *
   * <p>Some containers' filters answer {@code EPERM} to a system call that they don't know, as
   * others answer {@code ENOSYS}: so after any error try the older call, which has the last word.
   */
  @Override
  int await(long timeoutNanos) {
    if (hasNanoseconds && timeoutNanos > 0 && timeoutNanos < COARSE_NANOSECONDS) {
      Timespec.put(timespec, timeoutNanos);
      int count = SysEpoll.epoll_pwait2(epoll, events, ReadyList.CAPACITY, timespec);
      if (count >= 0 || count == -EINTR) {
        return count;
      }
      hasNanoseconds = false;
    }
    int timeout = Timeouts.milliseconds(timeoutNanos);
    return SysEpoll.epoll_wait(epoll, events, ReadyList.CAPACITY, timeout);
  }

  @Override
  void collect(int count) {
    for (int i = 0; i < count; i++) {
      collect(EpollEvent.data(events, i), EpollEvent.events(events, i));
    }
  }

  private void collect(long data, int found) {
    if (data == WAKER_DATA) {
      waker.drain();
      return;
    }
    int readable = (found & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 ? READ : 0;
    int writable = (found & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 ? WRITE : 0;
    ready.add(data >> INTEREST_BITS, (readable | writable) & (int) data);
  }

  @Override
  public void close() {
    if (epoll == CLOSED) {
      return;
    }
    Unistd.close(epoll);
    epoll = CLOSED;
    waker.close();
    Stdlib.free(events);
    Stdlib.free(change);
    Stdlib.free(timespec);
  }

  @Override
  void checkOpen() {
    if (epoll == CLOSED) {
      throw new IllegalStateException("the poller is closed");
    }
  }
}
