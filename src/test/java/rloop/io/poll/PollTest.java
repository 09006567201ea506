package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import rloop.posix.Pair;

final class PollTest extends PollerContract {
  @Override
  Poller open() {
    return Poll.open();
  }

  @Test
  void a_regular_file_is_always_ready() {
    try (RegularFile file = RegularFile.open()) {
      assertThat(poller.add(file.fd(), Poller.READ, 1)).isZero();
      assertThat(readyNow(poller)).containsExactly(Map.entry(1L, Poller.READ));
    }
  }

  @Test
  void of_the_two_ends_of_a_pipe_which_are_one_file_the_number_tells() {
    try (Pair pair = Pair.pipe()) {
      assertThat(poller.add(pair.first(), Poller.READ, 1)).isZero();
      assertThat(poller.add(pair.second(), Poller.WRITE, 2)).isZero();
      assertThat(readyNow(poller)).containsExactly(Map.entry(2L, Poller.WRITE));
    }
  }

  @Test
  void of_many_some_of_which_are_closed_each_is_reported_once() {
    try (Pair kept = Pair.sockets()) {
      for (int i = 0; i < 5; i++) {
        try (Pair closed = Pair.sockets()) {
          assertThat(poller.add(closed.first(), Poller.WRITE, i)).isZero();
          assertThat(poller.add(closed.second(), Poller.WRITE, 10 + i)).isZero();
          assertThat(poller.add(kept.first(), Poller.WRITE, 20)).isZero();
          assertThat(readyNow(poller)).hasSize(3);
          assertThat(poller.remove(kept.first())).isZero();
          assertThat(poller.add(kept.first(), Poller.WRITE, 20)).isZero();
        }
        assertThat(readyNow(poller)).containsExactly(Map.entry(20L, Poller.WRITE));
        assertThat(poller.remove(kept.first())).isZero();
      }
    }
  }
}
