package rloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

final class HistogramTest {
  private static final int COUNT = 0;
  private static final int SUM = 1;
  private static final int LEAST = 2;
  private static final int MOST = 3;
  private static final int USED = 4;
  private static final int FIRST_BUCKET = 5;

  /** As {@code rloop.metrics.histogram} has it. */
  private static long bound(long bucket) {
    int shift = (int) (bucket >> 6) - 1;
    return shift < 0 ? bucket : (((bucket & 63) + 65) << shift) - 1;
  }

  @Property
  void a_bucket_holds_what_is_a_sixtieth_below_its_bound_at_most(
      @ForAll @LongRange(min = 0, max = (1L << 42) - 1) long value) {
    Histogram histogram = new Histogram();
    histogram.record(value);
    long bound = bound(histogram.snapshot()[FIRST_BUCKET]);
    assertThat(bound).isBetween(value, value + value / 60);
  }

  @Property
  void greater_values_have_no_lesser_buckets(
      @ForAll @LongRange(min = 0, max = (1L << 42) - 2) long value) {
    Histogram histogram = new Histogram();
    histogram.record(value);
    histogram.record(value + 1);
    long[] snapshot = histogram.snapshot();
    long used = snapshot[USED];
    assertThat(used == 1 || snapshot[FIRST_BUCKET + 2] == snapshot[FIRST_BUCKET] + 1).isTrue();
  }

  @Test
  void counts_sum_least_and_most_are_exact() {
    Histogram histogram = new Histogram();
    histogram.record(1_000_003);
    histogram.record(7, 3);
    long[] snapshot = histogram.snapshot();
    assertThat(snapshot[COUNT]).isEqualTo(4);
    assertThat(snapshot[SUM]).isEqualTo(1_000_024);
    assertThat(snapshot[LEAST]).isEqualTo(7);
    assertThat(snapshot[MOST]).isEqualTo(1_000_003);
  }

  @Test
  void what_cannot_be_counts_as_the_nearest_that_can() {
    Histogram histogram = new Histogram();
    histogram.record(-1);
    histogram.record(Long.MAX_VALUE);
    assertThat(histogram.snapshot()[LEAST]).isZero();
    assertThat(histogram.snapshot()[MOST]).isEqualTo((1L << 42) - 1);
  }

  @Test
  void a_reset_one_is_as_new() {
    Histogram histogram = new Histogram();
    histogram.record(5);
    histogram.reset();
    assertThat(histogram.snapshot()).isEqualTo(new Histogram().snapshot());
  }
}
