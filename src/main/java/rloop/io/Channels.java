package rloop.io;

import static rloop.io.poll.Poller.READ;
import static rloop.io.poll.Poller.WRITE;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EEXIST;
import static rloop.posix.Constants.ENOENT;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import rloop.io.poll.Poller;

/**
 * The channels that a poller watches, by descriptor: one that reads and one that writes, mostly the
 * same.
 *
 * <p>The poller's registration belongs to a file, not to its number. A number that somebody else is
 * registered for already is either another name of the same channel's file, or was given away since
 * that file was closed: the answer to {@link Poller#modify} tells. In the first case the channels
 * share the registration, in the second those of the old file lose it.
 *
 * <p>A key is a descriptor and a generation, which counts up whenever a channel comes or goes: so
 * an event that was found before finds nobody. Right after a poll there is no such event, except of
 * a file that was closed here and lives on as a duplicate elsewhere. Nobody can delete what the
 * poller has of it: the poller then forgets everything, and is told of the channels anew.
 */
@SuppressWarnings("ReferenceEquality") // a channel is itself alone
public final class Channels {
  private static final int INITIAL_ROOM = 64;
  private static final int GENERATION_SHIFT = Integer.SIZE;

  /** As many bits as a {@link Poller}'s key has room for; it comes round after 536 million. */
  private static final int GENERATION_MASK = (1 << 29) - 1;

  /** In place of a descriptor: nobody's. */
  private static final int STRAY = -1;

  private final Poller poller;

  // By descriptor, all of one length.
  private @Nullable Channel[] readers = new Channel[INITIAL_ROOM];
  private @Nullable Channel[] writers = new Channel[INITIAL_ROOM];
  private int[] generations = new int[INITIAL_ROOM];

  private int nextEvent;
  private int eventCount;

  /** An event since the last poll was nobody's. */
  private boolean hasStray;

  /** Of a poller, which is closed with them. */
  public Channels(Poller poller) {
    this.poller = poller;
  }

  // ---- events --------------------------------------------------------------------------------

  /** The last poll has found so many events. */
  public void found(int count) {
    nextEvent = 0;
    eventCount = count;
    hasStray = false;
  }

  /** Whether there are events of the last poll that were not handed out. */
  public boolean hasEvents() {
    return nextEvent < eventCount;
  }

  /** Hands out one event, if its channel is still there. */
  public void dispatchNext() {
    int event = nextEvent++;
    int fd = descriptor(event);
    if (fd == STRAY) {
      return;
    }
    int readiness = poller.readiness(event);
    Channel reader = readers[fd];
    Channel writer = writers[fd];
    if (reader == writer && reader != null) {
      reader.ready(readiness);
      return;
    }
    if (reader != null && (readiness & READ) != 0) {
      reader.ready(READ);
    }
    if (writer != null && (readiness & WRITE) != 0 && poller.key(event) == key(fd)) {
      writer.ready(WRITE);
    }
  }

  /** Takes one event: adds whose it is, who know then what they are ready for. */
  void takeNext(List<Channel> taken) {
    int event = nextEvent++;
    int fd = descriptor(event);
    if (fd == STRAY) {
      return;
    }
    int readiness = poller.readiness(event);
    Channel reader = readers[fd];
    Channel writer = writers[fd];
    if (reader == writer) {
      take(reader, readiness, taken);
    } else {
      take(reader, readiness & READ, taken);
      take(writer, readiness & WRITE, taken);
    }
  }

  /** The descriptor that an event is of, or {@link #STRAY} if its channel is not there any more. */
  private int descriptor(int event) {
    long key = poller.key(event);
    int fd = (int) key;
    if (fd < generations.length && key == key(fd)) {
      return fd;
    }
    hasStray = true;
    return STRAY;
  }

  private static void take(@Nullable Channel channel, int readiness, List<Channel> taken) {
    if (channel != null && readiness != 0) {
      channel.setReadiness(readiness);
      taken.add(channel);
    }
  }

  /**
   * Has the poller forget those files of whose events nobody wants to know; to be called when those
   * of a poll are handed out and before anybody else has run.
   */
  public void dropStrays() {
    if (!hasStray) {
      return;
    }
    hasStray = false;
    for (int fd = 0; fd < generations.length; fd++) {
      if (isRegistered(fd) && poller.modify(fd, interestIn(fd), key(fd)) != 0) {
        lose(fd, null);
      }
    }
    if (!poller.reopen()) {
      return; // no descriptor is left for it: again at the next event
    }
    for (int fd = 0; fd < generations.length; fd++) {
      if (isRegistered(fd)) {
        int status = poller.add(fd, interestIn(fd), key(fd));
        if (status != 0 && status != -EEXIST) { // which it is if its channel came meanwhile
          lose(fd, null);
        }
      }
    }
  }

  /** How many descriptors are watched; about, for who may not be here. */
  int watched() {
    @Nullable Channel[] readers = this.readers;
    @Nullable Channel[] writers = this.writers;
    int count = 0;
    for (int fd = 0; fd < Math.min(readers.length, writers.length); fd++) {
      if (readers[fd] != null || writers[fd] != null) {
        count++;
      }
    }
    return count;
  }

  // ---- registrations -------------------------------------------------------------------------

  /**
   * Makes the poller watch a channel for this and nothing else.
   *
   * @return 0 or {@code -errno}. {@code ENOENT}: it was registered for a file that is gone, and is
   *     no more
   */
  public int watch(Channel channel, int interest) {
    if (interest == channel.interest) {
      return 0;
    }
    if (interest == 0) {
      forget(channel);
      return 0;
    }
    int fd = channel.fd();
    if (channel.interest != 0 && channel.registeredFd != fd) {
      forget(channel);
    }
    if (fd < 0) {
      return -EBADF;
    }
    return isRegistered(fd) ? change(channel, fd, interest) : add(channel, fd, interest);
  }

  /**
   * Asks the poller whether what it watches is still the file that has the channel's number.
   *
   * @return 0 or {@code -errno}, as {@link #watch}
   */
  public int confirm(Channel channel) {
    if (channel.interest == 0) {
      return -ENOENT;
    }
    int fd = channel.registeredFd;
    int status = poller.modify(fd, interestIn(fd), key(fd));
    if (status != 0) {
      lose(fd, channel);
    }
    return status;
  }

  private int add(Channel channel, int fd, int interest) {
    int status = poller.add(fd, interest, key(fd));
    if (status == -EEXIST) { // as once, before it was closed while a duplicate lives on
      status = poller.modify(fd, interest, key(fd));
    }
    if (status == 0) {
      growTo(fd);
      place(channel, fd, interest);
    }
    return status;
  }

  /** Makes room for a channel. */
  void reserveFor(Channel channel) {
    int fd = channel.fd();
    if (fd >= 0) {
      growTo(fd);
    }
  }

  private void growTo(int fd) {
    if (fd >= generations.length) {
      int room = Math.max(fd + 1, generations.length * 2);
      readers = Arrays.copyOf(readers, room);
      writers = Arrays.copyOf(writers, room);
      generations = Arrays.copyOf(generations, room);
    }
  }

  /** Changes the registration that there is for a number, perhaps other channels' too. */
  private int change(Channel channel, int fd, int interest) {
    boolean isOwn = channel.interest != 0;
    Channel reader = readers[fd];
    Channel writer = writers[fd];
    int others = interestOfOthers(channel, fd) & ~interest;
    if (!isOwn) {
      generations[fd]++;
    }
    int status = poller.modify(fd, interest | others, key(fd));
    if (status != 0) {
      lose(fd, channel);
      return isOwn ? status : add(channel, fd, interest);
    }
    place(channel, fd, interest);
    boolean displacesReader = takesFrom(reader, READ, channel, interest);
    boolean displacesWriter = takesFrom(writer, WRITE, channel, interest);
    if (displacesReader && reader != null) {
      reader.displaced(READ); // which may lead to other changes
    }
    if (displacesWriter && writer != null) {
      writer.displaced(WRITE);
    }
    return 0;
  }

  private int interestOfOthers(Channel channel, int fd) {
    return (readers[fd] == null || readers[fd] == channel ? 0 : READ)
        | (writers[fd] == null || writers[fd] == channel ? 0 : WRITE);
  }

  private void place(Channel channel, int fd, int interest) {
    if (channel.interest == 0) {
      channel.registeredFd = fd;
      channel.registrations++;
    }
    channel.interest = interest;
    readers[fd] = placed(readers[fd], channel, (interest & READ) != 0);
    writers[fd] = placed(writers[fd], channel, (interest & WRITE) != 0);
  }

  private static @Nullable Channel placed(
      @Nullable Channel current, Channel channel, boolean isWanted) {
    if (isWanted) {
      return channel;
    }
    return current == channel ? null : current;
  }

  /** Takes a direction from whoever had it; returns whether that was another channel. */
  private static boolean takesFrom(
      @Nullable Channel other, int direction, Channel channel, int interest) {
    if (other == null || other == channel || (interest & direction) == 0) {
      return false;
    }
    other.interest &= ~direction;
    return true;
  }

  /** Stops watching; events of the channel that are already there find nobody. */
  public void forget(Channel channel) {
    if (channel.interest == 0) {
      return;
    }
    int fd = channel.registeredFd;
    place(channel, fd, 0);
    generations[fd]++;
    if (!isRegistered(fd)) {
      // Refused where the descriptor was closed behind our back, in different ways by what has its
      // number now.
      poller.remove(fd);
    } else if (poller.modify(fd, interestIn(fd), key(fd)) != 0) {
      lose(fd, null);
    }
  }

  /** The file that was registered is gone; tells its channels, but for one that asked. */
  private void lose(int fd, @Nullable Channel except) {
    Channel reader = readers[fd];
    Channel writer = writers[fd];
    readers[fd] = null;
    writers[fd] = null;
    generations[fd]++;
    if (reader != null) {
      reader.interest = 0;
    }
    if (writer != null) {
      writer.interest = 0;
    }
    if (reader != null && reader != except) {
      reader.fileGone();
    }
    if (writer != null && writer != except && writer != reader) {
      writer.fileGone();
    }
  }

  private boolean isRegistered(int fd) {
    return fd < generations.length && (readers[fd] != null || writers[fd] != null);
  }

  private int interestIn(int fd) {
    return (readers[fd] == null ? 0 : READ) | (writers[fd] == null ? 0 : WRITE);
  }

  private long key(int fd) {
    int generation = fd < generations.length ? generations[fd] : 0;
    return (long) (generation & GENERATION_MASK) << GENERATION_SHIFT | fd;
  }

  /** Lets every channel go. */
  public void close() {
    found(0);
    for (int fd = 0; fd < generations.length; fd++) {
      close(readers[fd]);
      close(writers[fd]);
    }
    poller.close();
  }

  private void close(@Nullable Channel channel) {
    if (channel != null) {
      forget(channel);
      channel.pollerClosed();
    }
  }
}
