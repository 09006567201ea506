package rloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LoopTimeTest {
  private final LoopTime time = new LoopTime();
  private final long start = System.nanoTime();

  @Test
  void aWaitThatGoesOnCounts() {
    time.waitBegins(start);
    assertThat(time.waited(start + 100)).isEqualTo(100);
    assertThat(time.waited(start + 150)).isEqualTo(150);
  }

  @Test
  void whatIsToldDoesNotBecomeLess() {
    time.waitBegins(start);
    assertThat(time.waited(start + 100)).isEqualTo(100);
    time.waitEnds(start + 50); // by a clock that was read before somebody looked
    assertThat(time.waited(start + 150)).isEqualTo(100);
    time.waitBegins(start + 200);
    assertThat(time.waited(start + 260)).isEqualTo(110);
  }

  @Test
  void aWaitThatEndsAfterTheMomentCountsUntilThen() {
    time.waitBegins(start);
    time.waitEnds(start + 100);
    assertThat(time.waited(start + 60)).isEqualTo(60);
  }
}
