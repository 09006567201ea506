package rloop.io;

import static rloop.posix.Constants.EEXIST;
import static rloop.posix.Constants.ENOENT;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.io.poll.Poller;

/**
 * The channels that a poller watches, found again by the key of an event.
 *
 * <p>A key is an index and a generation. The generation counts up whenever an index is given away
 * anew: an event of a descriptor that was closed since, and whose number another connection may
 * have by now, finds nobody.
 */
public final class Channels {
  private static final int INITIAL_ROOM = 64;
  private static final int GENERATION_SHIFT = Integer.SIZE;

  /** As many bits as a {@link Poller}'s key has room for; it comes round after 536 million. */
  private static final int GENERATION_MASK = (1 << 29) - 1;

  private final Poller poller;
  private @Nullable Channel[] table = new Channel[INITIAL_ROOM];
  private int[] generations = new int[INITIAL_ROOM];
  private int[] free = new int[INITIAL_ROOM];
  private int freeCount;
  private int used;

  private int nextEvent;
  private int eventCount;

  /** Whose registration the poller has for a descriptor. */
  private @Nullable Channel[] byFd = new Channel[INITIAL_ROOM];

  /** Of a poller, which is closed with them. */
  public Channels(Poller poller) {
    this.poller = poller;
  }

  /** The last poll has found so many events. */
  public void found(int count) {
    nextEvent = 0;
    eventCount = count;
  }

  /** Whether there are events of the last poll that were not handed out. */
  public boolean hasEvents() {
    return nextEvent < eventCount;
  }

  /** Hands out one event, if its channel is still there. */
  public void dispatchNext() {
    int event = nextEvent++;
    long key = poller.key(event);
    int index = (int) key;
    Channel channel = table[index];
    if (channel != null && (generations[index] & GENERATION_MASK) == key >>> GENERATION_SHIFT) {
      channel.ready(poller.readiness(event));
    }
  }

  /**
   * Makes the poller watch a channel for this and nothing else.
   *
   * @return 0 or {@code -errno}
   */
  public int watch(Channel channel, int interest) {
    if (interest == channel.interest) {
      return 0;
    }
    if (interest == 0) {
      forget(channel);
      return 0;
    }
    int status = channel.interest == 0 ? add(channel, interest) : modify(channel, interest);
    if (status == 0) {
      channel.interest = interest;
      byFd[channel.fd] = channel;
    } else if (channel.interest == 0) {
      release(channel);
    }
    return status;
  }

  private int add(Channel channel, int interest) {
    disown(channel.fd);
    if (channel.index == Channel.UNREGISTERED) {
      allocate(channel);
    }
    int status = poller.add(channel.fd, interest, key(channel));
    // The number is still known from a descriptor that was closed while a duplicate lives.
    return status == -EEXIST ? poller.modify(channel.fd, interest, key(channel)) : status;
  }

  /** Whoever had the number before has lost it, knowingly or not. */
  private void disown(int fd) {
    if (fd >= byFd.length) {
      byFd = Arrays.copyOf(byFd, Math.max(fd + 1, byFd.length * 2));
    }
    Channel other = byFd[fd];
    if (other != null) {
      other.interest = 0;
      release(other);
      byFd[fd] = null;
    }
  }

  private int modify(Channel channel, int interest) {
    int status = poller.modify(channel.fd, interest, key(channel));
    // Closed behind our back, and the number is another open file's now.
    return status == -ENOENT ? poller.add(channel.fd, interest, key(channel)) : status;
  }

  /** Stops watching; events of the channel that are already there find nobody. */
  public void forget(Channel channel) {
    if (channel.interest != 0) {
      channel.interest = 0;
      byFd[channel.fd] = null;
      // Refused where the descriptor was closed behind our back, in different ways by what has its
      // number now: it is not watched in any case.
      poller.remove(channel.fd);
    }
    release(channel);
  }

  private long key(Channel channel) {
    return (long) (generations[channel.index] & GENERATION_MASK) << GENERATION_SHIFT
        | channel.index;
  }

  private void allocate(Channel channel) {
    int index;
    if (freeCount > 0) {
      index = free[--freeCount];
    } else {
      if (used == table.length) {
        table = Arrays.copyOf(table, used * 2);
        generations = Arrays.copyOf(generations, used * 2);
        free = Arrays.copyOf(free, used * 2);
      }
      index = used++;
    }
    channel.index = index;
    table[index] = channel;
  }

  private void release(Channel channel) {
    int index = channel.index;
    if (index != Channel.UNREGISTERED) {
      table[index] = null;
      generations[index]++;
      free[freeCount++] = index;
      channel.index = Channel.UNREGISTERED;
    }
  }

  /** Lets every channel go. */
  public void close() {
    found(0);
    for (int i = 0; i < used; i++) {
      Channel channel = table[i];
      if (channel != null) {
        forget(channel);
        channel.pollerClosed();
      }
    }
    poller.close();
  }
}
