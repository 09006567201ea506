package rloop.io;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.io.poll.Poller.READ;
import static rloop.io.poll.Poller.WRITE;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.ENOENT;
import static rloop.posix.Constants.EPERM;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import rloop.io.poll.Poller;

final class ChannelsTest {
  private static final int FD = 7;

  private final FakePoller poller = new FakePoller();
  private final Channels channels = new Channels(poller);

  /** Remembers what it is told. */
  private static final class Probe extends Channel {
    int readiness;
    int displaced;
    boolean isFileGone;
    boolean isLoopClosed;

    Probe(int fd) {
      super(fd);
    }

    @Override
    protected void ready(int readiness) {
      this.readiness |= readiness;
    }

    @Override
    protected void displaced(int directions) {
      displaced |= directions;
    }

    @Override
    protected void fileGone() {
      isFileGone = true;
    }

    @Override
    protected void pollerClosed() {
      isLoopClosed = true;
    }
  }

  private Probe watched(int fd) {
    Probe probe = new Probe(fd);
    assertThat(channels.watch(probe, READ)).isZero();
    return probe;
  }

  private long key(int fd) {
    return poller.watch(fd).key();
  }

  private void dispatch() {
    channels.found(poller.poll(0));
    while (channels.hasEvents()) {
      channels.dispatchNext();
    }
  }

  @Test
  void an_event_goes_to_its_channel() {
    Probe first = watched(FD);
    Probe second = watched(FD + 1);
    assertThat(channels.watch(second, READ | WRITE)).isZero();
    poller.happens(key(FD + 1), READ | WRITE);
    dispatch();
    assertThat(first.readiness).isZero();
    assertThat(second.readiness).isEqualTo(READ | WRITE);
  }

  @Test
  void an_event_of_a_forgotten_channel_finds_nobody() {
    Probe old = watched(FD);
    poller.happens(key(FD), READ);
    channels.forget(old);
    Probe successor = watched(FD);
    dispatch();
    assertThat(old.readiness).isZero();
    assertThat(successor.readiness).isZero();
  }

  @Test
  void a_channel_that_is_forgotten_by_an_earlier_one_of_the_same_poll_hears_nothing() {
    Probe second = new Probe(FD + 1);
    Channel first =
        new Channel(FD) {
          @Override
          protected void ready(int readiness) {
            channels.forget(second);
          }

          @Override
          protected void displaced(int directions) {}

          @Override
          protected void fileGone() {}

          @Override
          protected void pollerClosed() {}
        };
    channels.watch(first, READ);
    channels.watch(second, READ);
    poller.happens(key(FD), READ);
    poller.happens(key(FD + 1), READ);
    dispatch();
    assertThat(second.readiness).isZero();
  }

  @Property(tries = 100)
  void keys_fit_the_poller_and_are_never_two_channels_at_once(
      @ForAll @Size(max = 500) List<@IntRange(max = 150) Integer> steps) {
    new ChannelsTest().watchAndForget(steps); // all tries have one instance
  }

  /** Each step watches a descriptor, or forgets it. */
  private void watchAndForget(List<Integer> steps) {
    List<Probe> current = new ArrayList<>();
    Set<Long> everyKey = new HashSet<>();
    for (int fd = 0; fd <= 150; fd++) {
      current.add(new Probe(fd));
    }
    for (int fd : steps) {
      Probe probe = current.get(fd);
      if (poller.watched.containsKey(fd)) {
        channels.forget(probe);
        current.set(fd, new Probe(fd));
      } else {
        assertThat(channels.watch(probe, READ)).isZero();
        assertThat(key(fd)).isBetween(Poller.MIN_KEY, Poller.MAX_KEY);
        assertThat(everyKey.add(key(fd))).as("a new key").isTrue();
      }
    }
    for (long key : everyKey) {
      poller.happens(key, READ);
    }
    dispatch();
    for (Probe probe : current) {
      assertThat(probe.readiness).isEqualTo(poller.watched.containsKey(probe.fd()) ? READ : 0);
    }
  }

  @Test
  void the_kernel_is_asked_only_for_changes() {
    Probe probe = watched(FD);
    assertThat(channels.watch(probe, READ)).isZero();
    assertThat(poller.changes).isEqualTo(1);
    assertThat(channels.watch(probe, WRITE)).isZero();
    assertThat(poller.watch(FD).interest()).isEqualTo(WRITE);
    assertThat(channels.watch(probe, 0)).isZero();
    assertThat(poller.watched).isEmpty();
    channels.forget(probe);
    assertThat(poller.changes).isEqualTo(3);
  }

  @Test
  void two_channels_of_a_file_share_its_registration() {
    Probe reader = watched(FD);
    Probe writer = new Probe(FD);
    assertThat(channels.watch(writer, WRITE)).isZero();
    assertThat(poller.watch(FD).interest()).isEqualTo(READ | WRITE);
    poller.happens(key(FD), READ | WRITE);
    dispatch();
    assertThat(List.of(reader.readiness, writer.readiness)).containsExactly(READ, WRITE);
    channels.forget(reader);
    assertThat(poller.watch(FD).interest()).isEqualTo(WRITE);
    channels.forget(writer);
    assertThat(poller.watched).isEmpty();
  }

  @Test
  void the_last_to_come_has_the_direction_it_asks_for() {
    Probe first = watched(FD);
    assertThat(channels.watch(first, READ | WRITE)).isZero();
    Probe second = watched(FD);
    assertThat(first.displaced).isEqualTo(READ);
    poller.happens(key(FD), READ | WRITE);
    dispatch();
    assertThat(List.of(first.readiness, second.readiness)).containsExactly(WRITE, READ);
    assertThat(channels.watch(second, READ | WRITE)).isZero();
    assertThat(first.displaced).isEqualTo(READ | WRITE);
    assertThat(first.isFileGone || second.isFileGone).isFalse();
  }

  @Test
  void a_number_that_is_another_files_is_lost_to_those_of_the_old_one() {
    Probe reader = watched(FD);
    Probe writer = new Probe(FD);
    assertThat(channels.watch(writer, WRITE)).isZero();
    poller.watched.clear(); // as the kernel does when the file is closed
    Probe successor = watched(FD);
    assertThat(reader.isFileGone && writer.isFileGone).isTrue();
    assertThat(poller.watch(FD).interest()).isEqualTo(READ);
    channels.forget(reader);
    channels.forget(writer);
    poller.happens(key(FD), READ);
    dispatch();
    assertThat(reader.readiness).isZero();
    assertThat(successor.readiness).isEqualTo(READ);
  }

  @Test
  void who_asks_itself_is_answered_that_its_file_is_gone() {
    Probe probe = watched(FD);
    Probe sharer = new Probe(FD);
    assertThat(channels.watch(sharer, WRITE)).isZero();
    poller.watched.clear();
    assertThat(channels.confirm(probe)).isEqualTo(-ENOENT);
    assertThat(sharer.isFileGone).isTrue();
    assertThat(channels.confirm(probe)).isEqualTo(-ENOENT);
    assertThat(channels.watch(probe, WRITE)).isZero();
    assertThat(poller.watch(FD).interest()).isEqualTo(WRITE);
    assertThat(channels.confirm(probe)).isZero();
  }

  @Test
  void a_closed_descriptor_is_not_watched() {
    Probe probe = watched(FD);
    probe.forgetFd();
    assertThat(channels.watch(probe, WRITE)).isEqualTo(-EBADF);
    assertThat(poller.watched).isEmpty();
  }

  @Test
  void what_nobody_can_delete_is_forgotten_with_all_else_that_is_told_anew() {
    Probe lost = watched(FD);
    Probe other = watched(FD + 1);
    long stray = key(FD);
    poller.watched.remove(FD); // the file is closed, but for a duplicate
    channels.forget(lost);
    poller.happens(stray, READ);
    dispatch();
    channels.dropStrays();
    assertThat(poller.reopened).isEqualTo(1);
    assertThat(poller.watched).containsOnlyKeys(FD + 1);
    channels.dropStrays();
    assertThat(poller.reopened).isEqualTo(1);
    poller.happens(key(FD + 1), READ);
    dispatch();
    assertThat(other.readiness).isEqualTo(READ);
  }

  @Test
  void who_is_registered_for_a_file_that_is_gone_is_not_told_anew() {
    Probe gone = watched(FD);
    Probe lost = watched(FD + 1);
    long stray = key(FD + 1);
    poller.watched.clear();
    channels.forget(lost);
    poller.happens(stray, READ);
    dispatch();
    channels.dropStrays();
    assertThat(gone.isFileGone).isTrue();
    assertThat(poller.watched).isEmpty();
  }

  @Test
  void a_channel_that_is_refused_leaves_nothing_behind() {
    Probe probe = new Probe(FD);
    poller.refusal = EPERM;
    assertThat(channels.watch(probe, READ)).isEqualTo(-EPERM);
    poller.refusal = 0;
    assertThat(channels.watch(probe, READ)).isZero();
    poller.happens(key(FD), READ);
    dispatch();
    assertThat(probe.readiness).isEqualTo(READ);
  }

  @Test
  void the_end_of_the_loop_is_told_to_every_channel() {
    Probe first = watched(FD);
    Probe second = watched(FD + 1);
    channels.close();
    assertThat(first.isLoopClosed && second.isLoopClosed).isTrue();
    assertThat(poller.watched).isEmpty();
    assertThat(poller.isClosed).isTrue();
  }
}
