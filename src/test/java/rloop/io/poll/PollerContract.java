package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static rloop.io.poll.Poller.INTERRUPTED;
import static rloop.io.poll.Poller.MAX_KEY;
import static rloop.io.poll.Poller.MIN_KEY;
import static rloop.io.poll.Poller.READ;
import static rloop.io.poll.Poller.WRITE;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EEXIST;
import static rloop.posix.Constants.ENOENT;
import static rloop.posix.Constants.SHUT_WR;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import rloop.ffi.SystemCall;
import rloop.posix.ErrnoException;
import rloop.posix.Pair;
import rloop.posix.SysSocket;
import rloop.posix.Unistd;

/** What every poller does. */
@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD) // C can't be interrupted
abstract class PollerContract {
  private static final long KEY = 0x1234_5678_9ABCL;
  private static final long OTHER_KEY = -1;
  private static final long FOR_EVER = -1;
  private static final long MILLISECOND = 1_000_000;
  private static final SystemCall DUP2 = SystemCall.of("dup2");
  private static final SystemCall DUP = SystemCall.of("dup");

  Poller poller;

  abstract Poller open();

  @BeforeEach
  void openPoller() {
    poller = open();
  }

  @AfterEach
  void closePoller() {
    poller.close();
  }

  // Readiness

  @Test
  void nothing_watched_is_nothing_ready() {
    assertThat(poller.poll(0)).isZero();
  }

  @Test
  void readiness_comes_with_the_key_until_it_is_consumed() {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.first(), READ, KEY)).isZero();
      assertThat(readyNow()).isEmpty();
      pair.writeToSecond(2);
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ));
      pair.readFromFirst(1);
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ));
      pair.readFromFirst(1);
      assertThat(readyNow()).isEmpty();
    }
  }

  @Test
  void only_what_is_asked_for_is_reported() {
    try (Pair pair = Pair.sockets()) {
      pair.writeToSecond(1);
      assertThat(poller.add(pair.first(), WRITE, KEY)).isZero();
      assertThat(readyNow()).containsExactly(Map.entry(KEY, WRITE));
      assertThat(poller.modify(pair.first(), READ, KEY)).isZero();
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ));
      assertThat(poller.modify(pair.first(), READ | WRITE, KEY)).isZero();
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ | WRITE));
    }
  }

  @Test
  void keys_of_the_full_range_come_back_as_they_are() {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.second(), WRITE, 0)).isZero();
      for (long key : new long[] {0, -1, 1, MIN_KEY, MAX_KEY}) {
        assertThat(poller.modify(pair.second(), WRITE, key)).isZero();
        assertThat(readyNow()).containsExactly(Map.entry(key, WRITE));
      }
    }
  }

  @Test
  void a_removed_descriptor_is_silent() {
    try (Pair pair = Pair.pipe()) {
      pair.writeToSecond(1);
      assertThat(poller.add(pair.first(), READ, KEY)).isZero();
      assertThat(poller.remove(pair.first())).isZero();
      assertThat(readyNow()).isEmpty();
    }
  }

  @Test
  void removing_one_leaves_the_others() {
    try (Pair a = Pair.pipe();
        Pair b = Pair.pipe();
        Pair c = Pair.pipe()) {
      assertThat(poller.add(a.second(), WRITE, 1)).isZero();
      assertThat(poller.add(b.second(), WRITE, 2)).isZero();
      assertThat(poller.add(c.second(), WRITE, 3)).isZero();
      assertThat(poller.remove(a.second())).isZero();
      assertThat(readyNow()).containsOnlyKeys(2L, 3L);
      assertThat(poller.remove(c.second())).isZero();
      assertThat(readyNow()).containsOnlyKeys(2L);
    }
  }

  @Test
  void a_number_used_again_has_its_new_key() {
    int number;
    try (Pair pair = Pair.pipe()) {
      number = pair.first();
      assertThat(poller.add(number, READ, KEY)).isZero();
      pair.writeToSecond(1);
      assertThat(poller.remove(number)).isZero();
    }
    try (Pair pair = Pair.pipe()) {
      assertThat(pair.first()).isEqualTo(number);
      assertThat(poller.add(number, READ, OTHER_KEY)).isZero();
      assertThat(readyNow()).isEmpty();
      pair.writeToSecond(1);
      assertThat(readyNow()).containsExactly(Map.entry(OTHER_KEY, READ));
    }
  }

  @Test
  void what_was_found_outlives_changes_until_the_next_poll() {
    try (Pair a = Pair.pipe();
        Pair b = Pair.pipe()) {
      assertThat(poller.add(a.second(), WRITE, 1)).isZero();
      assertThat(poller.add(b.second(), WRITE, 2)).isZero();
      assertThat(poller.poll(0)).isEqualTo(2);
      assertThat(poller.remove(a.second())).isZero();
      assertThat(poller.modify(b.second(), WRITE, 3)).isZero();
      assertThat(List.of(poller.key(0), poller.key(1))).containsExactlyInAnyOrder(1L, 2L);
    }
  }

  // Ends and errors

  @Test
  void an_end_of_file_is_readable() {
    try (Pair pair = Pair.sockets()) {
      assertThat(poller.add(pair.first(), READ, KEY)).isZero();
      SysSocket.shutdown(pair.second(), SHUT_WR);
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ));
    }
  }

  @Test
  void a_hang_up_is_all_that_is_asked_for() {
    for (int interest : new int[] {READ, WRITE, READ | WRITE}) {
      try (Pair pair = Pair.sockets()) {
        assertThat(poller.add(pair.first(), interest, KEY)).isZero();
        pair.closeSecond();
        assertThat(readyNow()).containsExactly(Map.entry(KEY, interest));
        assertThat(poller.remove(pair.first())).isZero();
      }
    }
  }

  @Test
  void a_pipe_without_a_writer_wakes_its_reader() {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.first(), READ, KEY)).isZero();
      pair.closeSecond();
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ));
    }
  }

  @Test
  void a_full_pipe_without_a_reader_wakes_its_writer() {
    try (Pair pair = Pair.pipe()) {
      pair.writeToSecond(1 << 16);
      assertThat(poller.add(pair.second(), WRITE, KEY)).isZero();
      assertThat(readyNow()).isEmpty();
      pair.closeFirst();
      assertThat(readyNow()).containsExactly(Map.entry(KEY, WRITE));
    }
  }

  @Test
  void mistakes_are_answered_with_errno() {
    try (Pair pair = Pair.pipe()) {
      int fd = pair.first();
      assertThat(poller.modify(fd, READ, KEY)).isEqualTo(-ENOENT);
      assertThat(poller.remove(fd)).isEqualTo(-ENOENT);
      assertThat(poller.add(fd, READ, KEY)).isZero();
      assertThat(poller.add(fd, WRITE, OTHER_KEY)).isEqualTo(-EEXIST);
      pair.writeToSecond(1);
      assertThat(readyNow()).containsExactly(Map.entry(KEY, READ));
    }
  }

  @Test
  void what_is_not_open_is_not_watched() {
    Pair pair = Pair.pipe();
    int closed = pair.first();
    pair.close();
    assertThat(poller.add(closed, READ, KEY)).isEqualTo(-EBADF);
    assertThat(poller.add(-1, READ, KEY)).isEqualTo(-EBADF);
    assertThat(poller.poll(0)).isZero();
  }

  // Files and their numbers

  @Test
  void a_closed_file_is_silent_though_its_number_is_another_files() {
    int number;
    try (Pair pair = Pair.sockets()) {
      number = pair.first();
      assertThat(poller.add(number, READ, KEY)).isZero();
    }
    try (Pair successor = Pair.sockets()) {
      assertThat(successor.first()).isEqualTo(number);
      successor.writeToSecond(1);
      assertThat(readyNow()).isEmpty();
      assertThat(poller.modify(number, READ, KEY)).isEqualTo(-ENOENT);
      assertThat(poller.add(number, READ, OTHER_KEY)).isZero();
      assertThat(readyNow()).containsExactly(Map.entry(OTHER_KEY, READ));
    }
  }

  @Test
  void a_number_that_another_file_has_is_added_without_being_removed() {
    try (Pair pair = Pair.sockets();
        Pair other = Pair.sockets()) {
      assertThat(poller.add(pair.first(), READ, KEY)).isZero();
      ErrnoException.check("dup2", (int) DUP2.call(other.first(), pair.first()));
      assertThat(poller.add(pair.first(), READ, OTHER_KEY)).isZero();
      other.writeToSecond(1);
      assertThat(readyNow()).containsExactly(Map.entry(OTHER_KEY, READ));
    }
  }

  @Test
  void a_closed_number_is_not_changed() {
    Pair pair = Pair.sockets();
    assertThat(poller.add(pair.first(), READ, KEY)).isZero();
    int number = pair.first();
    pair.close();
    assertThat(poller.modify(number, READ, KEY)).isEqualTo(-EBADF);
    assertThat(readyNow()).isEmpty();
  }

  @Test
  void opened_again_it_has_forgotten_everything_but_the_waker() throws InterruptedException {
    try (Pair pair = Pair.sockets()) {
      assertThat(poller.add(pair.first(), READ | WRITE, KEY)).isZero();
      int duplicate = ErrnoException.check("dup", (int) DUP.call(pair.first()));
      pair.closeFirst();
      assertThat(poller.reopen()).isTrue();
      assertThat(readyNow()).isEmpty();
      assertThat(poller.modify(duplicate, READ, KEY)).isEqualTo(-ENOENT);
      assertThat(poller.add(duplicate, WRITE, KEY)).isZero();
      assertThat(readyNow()).containsExactly(Map.entry(KEY, WRITE));
      assertThat(poller.remove(duplicate)).isZero();
      Unistd.close(duplicate);
    }
    Thread waker = after(20, poller::wakeup);
    assertThat(poller.poll(FOR_EVER)).isZero();
    waker.join();
  }

  // Many

  @Test
  void of_many_none_starves() {
    int many = 1000;
    List<Integer> fds = new ArrayList<>();
    try (Pair pair = Pair.pipe()) {
      for (int i = 0; i < many; i++) {
        int fd = ErrnoException.check("dup", (int) DUP.call(pair.second()));
        fds.add(fd);
        assertThat(poller.add(fd, WRITE, i)).isZero();
      }
      Map<Long, Integer> seen = new HashMap<>();
      int polls = 2 * (many / ReadyList.CAPACITY + 1);
      for (int i = 0; i < polls; i++) {
        seen.putAll(readyNow());
      }
      assertThat(seen).hasSize(many);
      for (int fd : fds) {
        assertThat(poller.remove(fd)).isZero();
      }
      assertThat(readyNow()).isEmpty();
    } finally {
      fds.forEach(Unistd::close);
    }
  }

  // Time

  @Test
  void a_wait_is_never_early() {
    for (long timeout : new long[] {1, 300_000, MILLISECOND, 2_700_000, 20 * MILLISECOND}) {
      long start = System.nanoTime();
      assertThat(poller.poll(timeout)).isZero();
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(timeout);
    }
  }

  @Test
  void readiness_ends_a_wait() throws InterruptedException {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.first(), READ, KEY)).isZero();
      Thread writer = after(20, () -> pair.writeToSecond(1));
      assertThat(poller.poll(FOR_EVER)).isEqualTo(1);
      assertThat(poller.key(0)).isEqualTo(KEY);
      writer.join();
    }
  }

  @Test
  void the_longest_wait_is_accepted() throws InterruptedException {
    Thread waker = after(20, poller::wakeup);
    assertThat(poller.poll(Long.MAX_VALUE)).isZero();
    waker.join();
  }

  @Test
  void a_signal_interrupts() throws InterruptedException {
    SystemCall pthreadSelf = SystemCall.of("pthread_self");
    SystemCall pthreadKill = SystemCall.of("pthread_kill");
    int sigpipe = 13; // the same on every Unix; the JVM has a handler for it that does nothing
    long self = pthreadSelf.call();
    // Again and again, because one may come before this thread waits.
    Thread killer =
        Thread.ofPlatform()
            .start(() -> {
              while (!Thread.currentThread().isInterrupted()) {
                pthreadKill.call(self, sigpipe);
                pause(5);
              }
            });
    try {
      assertThat(poller.poll(FOR_EVER)).isEqualTo(INTERRUPTED);
    } finally {
      killer.interrupt();
      killer.join();
    }
    poller.wakeup();
    assertThat(poller.poll(FOR_EVER)).as("still works").isZero();
  }

  // Wake-ups

  @Test
  void a_wake_up_ends_one_wait() throws InterruptedException {
    Thread waker = after(20, poller::wakeup);
    assertThat(poller.poll(FOR_EVER)).isZero();
    waker.join();
    assertWaits();
  }

  @Test
  void a_wake_up_before_a_poll_keeps_it_from_waiting_once() {
    poller.wakeup();
    poller.wakeup();
    assertThat(poller.poll(FOR_EVER)).isZero();
    assertWaits();
  }

  @Test
  void a_poll_that_does_not_wait_uses_wake_ups_up() {
    poller.wakeup();
    assertThat(poller.poll(0)).isZero();
    assertWaits();
  }

  @Test
  void a_wake_up_hides_nothing_that_is_ready() {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.second(), WRITE, KEY)).isZero();
      poller.wakeup();
      assertThat(poller.poll(FOR_EVER)).isEqualTo(1);
      assertThat(poller.key(0)).isEqualTo(KEY);
    }
  }

  @Test
  void no_wake_up_is_lost() throws InterruptedException {
    new WakeUpStress(poller).run();
  }

  // The end

  @Test
  void closing_leaves_the_watched_open() {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.second(), WRITE, KEY)).isZero();
      poller.close();
      pair.writeToSecond(1);
      assertThat(pair.readFromFirst(1)).isEqualTo(1);
    }
  }

  @Test
  void a_closed_poller_refuses_all_but_wake_ups_and_closing() {
    poller.close();
    poller.close();
    poller.wakeup();
    assertThatIllegalStateException().isThrownBy(() -> poller.poll(0));
    assertThatIllegalStateException().isThrownBy(() -> poller.add(0, READ, KEY));
    assertThatIllegalStateException().isThrownBy(() -> poller.modify(0, READ, KEY));
    assertThatIllegalStateException().isThrownBy(() -> poller.remove(0));
  }

  private void assertWaits() {
    long start = System.nanoTime();
    assertThat(poller.poll(5 * MILLISECOND)).isZero();
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(5 * MILLISECOND);
  }

  private Map<Long, Integer> readyNow() {
    return readyNow(poller);
  }

  /** Readiness by key. */
  static Map<Long, Integer> readyNow(Poller poller) {
    Map<Long, Integer> ready = new HashMap<>();
    int count = poller.poll(0);
    for (int i = 0; i < count; i++) {
      assertThat(ready.put(poller.key(i), poller.readiness(i))).as("reported twice").isNull();
    }
    return ready;
  }

  private static Thread after(long milliseconds, Runnable action) {
    return Thread.ofPlatform()
        .start(() -> {
          pause(milliseconds);
          action.run();
        });
  }

  private static void pause(long milliseconds) {
    try {
      TimeUnit.MILLISECONDS.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
