package rloop.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

final class FifoTest {
  @Property(tries = 200)
  void it_is_as_a_deque(@ForAll List<Boolean> adds) {
    Fifo<Integer> fifo = new Fifo<>();
    Deque<Integer> deque = new ArrayDeque<>();
    int next = 0;
    for (boolean add : adds) {
      if (add) {
        fifo.add(next);
        deque.add(next++);
      } else {
        assertThat(fifo.peek()).isEqualTo(deque.peek());
        assertThat(fifo.poll()).isEqualTo(deque.poll());
      }
      assertThat(fifo.size()).isEqualTo(deque.size());
      assertThat(fifo.isEmpty()).isEqualTo(deque.isEmpty());
    }
  }

  @Test
  void there_is_room_for_what_was_reserved() {
    Fifo<Integer> fifo = new Fifo<>();
    for (int i = 0; i < 10; i++) {
      fifo.add(i);
    }
    for (int i = 0; i < 9; i++) {
      fifo.poll();
    }
    fifo.reserve(1000);
    assertThat(fifo.poll()).isEqualTo(9);
    assertThat(fifo.isEmpty()).isTrue();
  }

  @Test
  void it_starts_anew_after_a_rush() {
    Fifo<Integer> fifo = new Fifo<>();
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i <= Fifo.MOST_KEPT; i++) {
        fifo.add(i);
      }
      for (int i = 0; i <= Fifo.MOST_KEPT; i++) {
        assertThat(fifo.poll()).isEqualTo(i);
      }
      assertThat(fifo.poll()).isNull();
    }
  }
}
