package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.POLLIN;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import rloop.ffi.Memory;
import rloop.posix.Pollfd;
import rloop.posix.SysPoll;

final class WakerTest {
  static Stream<WakeFd> wakeFds() {
    Stream<WakeFd> everywhere = Stream.of(PipeWaker.open());
    return Epoll.isAvailable() ? Stream.concat(everywhere, Stream.of(Eventfd.open())) : everywhere;
  }

  @ParameterizedTest
  @MethodSource("wakeFds")
  void signals_make_readable_until_drained_once(WakeFd wakeFd) {
    assertThat(isReadable(wakeFd)).isFalse();
    wakeFd.signal();
    wakeFd.signal();
    assertThat(isReadable(wakeFd)).isTrue();
    wakeFd.drain();
    assertThat(isReadable(wakeFd)).isFalse();
    wakeFd.close();
  }

  @ParameterizedTest
  @MethodSource("wakeFds")
  void only_a_sleeper_is_signalled_and_only_once(WakeFd wakeFd) {
    Waker waker = new Waker(wakeFd);
    waker.wake();
    assertThat(isReadable(wakeFd)).isFalse();
    assertThat(waker.fallAsleep()).as("falls asleep after a wake-up").isFalse();
    waker.rise();

    assertThat(waker.fallAsleep()).isTrue();
    waker.wake();
    assertThat(isReadable(wakeFd)).isTrue();
    waker.drain();
    waker.wake();
    assertThat(isReadable(wakeFd)).isFalse();
    waker.rise();
    assertThat(waker.fallAsleep()).isTrue();
    waker.close();
  }

  @ParameterizedTest
  @MethodSource("wakeFds")
  void a_signal_after_close_touches_nobody_who_has_the_number_now(WakeFd wakeFd) {
    Waker waker = new Waker(wakeFd);
    assertThat(waker.fallAsleep()).isTrue();
    waker.close();
    waker.close();
    WakeFd successor = PipeWaker.open();
    waker.wake();
    assertThat(isReadable(successor)).isFalse();
    successor.close();
  }

  private static boolean isReadable(WakeFd wakeFd) {
    long fds = Memory.allocate(Pollfd.SIZE);
    Pollfd.put(fds, 0, wakeFd.fd(), POLLIN);
    return SysPoll.poll(fds, 1, 0) == 1;
  }
}
