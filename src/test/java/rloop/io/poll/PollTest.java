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
  void a_descriptor_closed_too_early_is_reported_until_it_is_removed() {
    Pair pair = Pair.pipe();
    int fd = pair.second();
    assertThat(poller.add(fd, Poller.WRITE, 1)).isZero();
    pair.close();
    assertThat(readyNow(poller)).containsExactly(Map.entry(1L, Poller.WRITE));
    assertThat(poller.remove(fd)).isZero();
    assertThat(poller.poll(0)).isZero();
  }
}
