package rloop.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WriteHabitTest {
  private final WriteHabit habit = new WriteHabit();

  @Test
  void the_first_write_of_all_is_likely_alone() {
    assertThat(habit.isLikelyAlone(7)).isTrue();
  }

  @Test
  void who_wrote_once_will_write_once() {
    habit.isLikelyAlone(1);
    assertThat(habit.isLikelyAlone(2)).isTrue();
    assertThat(habit.isLikelyAlone(5)).isTrue();
  }

  @Test
  void a_second_write_in_a_batch_is_not_alone() {
    habit.isLikelyAlone(1);
    assertThat(habit.isLikelyAlone(1)).isFalse();
  }

  @Test
  void who_wrote_twice_will_write_twice() {
    habit.isLikelyAlone(1);
    habit.isLikelyAlone(1);
    assertThat(habit.isLikelyAlone(2)).isFalse();
  }

  @Test
  void who_then_writes_once_is_believed_in_the_next_batch() {
    habit.isLikelyAlone(1);
    habit.isLikelyAlone(1);
    habit.isLikelyAlone(2);
    assertThat(habit.isLikelyAlone(3)).isTrue();
  }
}
