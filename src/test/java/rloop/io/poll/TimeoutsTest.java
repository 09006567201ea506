package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

final class TimeoutsTest {
  private static final long MILLISECOND = 1_000_000;

  @Property
  void milliseconds_are_never_early_and_less_than_one_late(
      @ForAll @LongRange(min = 0, max = Integer.MAX_VALUE * MILLISECOND) long nanoseconds) {
    long late = Timeouts.milliseconds(nanoseconds) * MILLISECOND - nanoseconds;
    assertThat(late).isBetween(0L, MILLISECOND - 1);
  }

  @Property(tries = 100)
  void what_an_int_cannot_hold_is_its_greatest(
      @ForAll @LongRange(min = Integer.MAX_VALUE * MILLISECOND) long nanoseconds) {
    assertThat(Timeouts.milliseconds(nanoseconds)).isEqualTo(Integer.MAX_VALUE);
  }

  @Property(tries = 100)
  void for_ever_stays_for_ever(
      @ForAll @LongRange(min = Long.MIN_VALUE, max = -1) long nanoseconds) {
    assertThat(Timeouts.milliseconds(nanoseconds)).isNegative();
  }
}
