package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EPERM;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import rloop.posix.Pair;

@EnabledOnOs(OS.LINUX)
final class EpollTest extends PollerContract {
  @Override
  Poller open() {
    return Epoll.open();
  }

  @Test
  void a_regular_file_is_refused() {
    try (RegularFile file = RegularFile.open()) {
      assertThat(poller.add(file.fd(), Poller.READ, 1)).isEqualTo(-EPERM);
    }
  }

  @Test
  void a_descriptor_closed_too_early_is_forgotten_by_the_kernel() {
    Pair pair = Pair.pipe();
    int fd = pair.second();
    assertThat(poller.add(fd, Poller.WRITE, 1)).isZero();
    pair.close();
    assertThat(poller.poll(0)).isZero();
    assertThat(poller.modify(fd, Poller.WRITE, 1)).isEqualTo(-EBADF);
    assertThat(poller.remove(fd)).isEqualTo(-EBADF);
  }
}
