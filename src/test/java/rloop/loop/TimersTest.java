package rloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

final class TimersTest {
  private static final int MOST_STEPS = 300;

  /** Few, so that many timers have the same one. */
  private static final int DEADLINES = 8;

  private enum Kind {
    ADD,
    REMOVE_FIRST,
    CANCEL
  }

  /**
   * @param deadline for {@link Kind#ADD}
   * @param choice which timer to {@link Kind#CANCEL}, modulo their number
   */
  record Step(Kind kind, double deadline, int choice) {}

  private record Timer(long id, double deadline) {}

  /** By timer. */
  private final int[] indices = new int[MOST_STEPS + 1];

  private final Timers timers = new Timers((timer, index) -> indices[(int) timer] = index);

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Kind> kinds = Arbitraries.of(Kind.ADD, Kind.ADD, Kind.REMOVE_FIRST, Kind.CANCEL);
    Arbitrary<Double> deadlines = Arbitraries.integers().between(0, DEADLINES).map(d -> d / 2.0);
    Arbitrary<Integer> choices = Arbitraries.integers().between(0, MOST_STEPS);
    return Combinators.combine(kinds, deadlines, choices)
        .as(Step::new)
        .list()
        .ofMaxSize(MOST_STEPS);
  }

  @Property(tries = 200)
  void they_come_as_from_a_list_that_is_kept_sorted(@ForAll("steps") List<Step> steps) {
    new TimersTest().compare(steps); // all tries have one instance
  }

  private void compare(List<Step> steps) {
    List<Timer> sorted = new ArrayList<>();
    long nextId = 1;
    for (Step step : steps) {
      if (step.kind == Kind.ADD) {
        sorted.add(new Timer(nextId, step.deadline));
        sorted.sort(Comparator.comparingDouble(Timer::deadline)); // stable: equal ones by age
        timers.add(nextId++, step.deadline);
      } else if (!sorted.isEmpty()) {
        remove(step, sorted);
      }
      assertThat(timers.size()).isEqualTo(sorted.size());
      if (!sorted.isEmpty()) {
        assertThat(timers.firstDeadline()).isEqualTo(sorted.getFirst().deadline);
      }
    }
    for (Timer timer : sorted) {
      assertThat(timers.removeFirst()).isEqualTo(timer.id);
    }
  }

  private void remove(Step step, List<Timer> sorted) {
    if (step.kind == Kind.REMOVE_FIRST) {
      assertThat(timers.removeFirst()).isEqualTo(sorted.removeFirst().id);
    } else {
      Timer cancelled = sorted.remove(step.choice % sorted.size());
      assertThat(timers.remove(indices[(int) cancelled.id])).isEqualTo(cancelled.id);
    }
  }

  @Test
  void infinite_deadlines_are_the_last() {
    timers.add(1, Double.POSITIVE_INFINITY);
    timers.add(2, Double.NEGATIVE_INFINITY);
    timers.add(3, 0);
    assertThat(timers.removeFirst()).isEqualTo(2);
    assertThat(timers.removeFirst()).isEqualTo(3);
    assertThat(timers.removeFirst()).isEqualTo(1);
  }
}
