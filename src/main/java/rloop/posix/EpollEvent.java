package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct epoll_event}: events and 64 bits of the caller's own.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man3/epoll_event.3type.html">epoll_event(3type)</a>
 */
public final class EpollEvent {
  /** {@code uint32_t events}. */
  private static final long EVENTS = 0;

  /**
   * {@code epoll_data_t data}. On x86-64 alone the structure is packed, so that it is the one of
   * the 32-bit ABI ({@code EPOLL_PACKED} in {@code <linux/eventpoll.h>}).
   */
  private static final long DATA =
      System.getProperty("os.arch").equals("amd64") ? Integer.BYTES : Long.BYTES;

  public static final long SIZE = DATA + Long.BYTES;

  private EpollEvent() {}

  public static void put(long event, int events, long data) {
    Memory.putInt(event + EVENTS, events);
    Memory.putLong(event + DATA, data);
  }

  public static int events(long array, int index) {
    return Memory.getInt(array + index * SIZE + EVENTS);
  }

  public static long data(long array, int index) {
    return Memory.getLong(array + index * SIZE + DATA);
  }
}
