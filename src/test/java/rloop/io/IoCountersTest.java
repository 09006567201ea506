package rloop.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class IoCountersTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final IoCounters counters = new IoCounters();

  @Test
  void waitsAreNoWork() {
    long now = System.nanoTime();
    counters.waitedSince(now - 2 * SECOND);
    counters.workedSince(now - 3 * SECOND);
    assertThat(counters.workedNanos()).isBetween(SECOND / 2, 3 * SECOND / 2);
  }

  @Test
  void whatIsToldDoesNotBecomeLessByAWait() {
    counters.workedSince(System.nanoTime() - SECOND);
    long told = counters.workedNanos();
    counters.waitedSince(System.nanoTime() - SECOND);
    assertThat(counters.workedNanos()).isEqualTo(told);
  }
}
