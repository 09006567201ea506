package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class PollersTest {
  @Test
  void a_name_chooses() {
    assertThat(created("poll")).isInstanceOf(Poll.class);
    if (Epoll.isAvailable()) {
      assertThat(created("epoll")).isInstanceOf(Epoll.class);
    }
  }

  @Test
  void without_a_name_it_is_the_best_that_there_is() {
    assertThat(created(null)).isInstanceOf(Epoll.isAvailable() ? Epoll.class : Poll.class);
  }

  @Test
  void an_unknown_name_is_quoted_with_what_is_known() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Pollers.create("kqueu"))
        .withMessage("RLOOP_POLLER='kqueu': expected 'epoll' or 'poll'");
  }

  private static Poller created(@Nullable String name) {
    Poller poller = Pollers.create(name);
    poller.close();
    return poller;
  }
}
