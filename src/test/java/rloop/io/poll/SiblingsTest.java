package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.io.poll.PollerContract.readyNow;
import static rloop.posix.Constants.MSG_DONTWAIT;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import rloop.ffi.Memory;
import rloop.posix.Pair;
import rloop.posix.SysSocket;

/**
 * The system's best poller and the portable one are told the same and asked the same: they can't be
 * told from each other.
 */
final class SiblingsTest {
  private static final int PAIRS = 5;
  private static final long BUFFER = Memory.allocate(1);

  enum Kind {
    ADD,
    MODIFY,
    REMOVE,
    WRITE_TO_PEER,
    READ,
    CLOSE_PEER,
    REPLACE
  }

  record Step(Kind kind, int pair, int interest, long generation) {
    /** No two pairs ever have the same. */
    long key() {
      return generation * PAIRS + pair;
    }
  }

  @Provide
  Arbitrary<Step> steps() {
    return Combinators.combine(
            Arbitraries.of(Kind.class),
            Arbitraries.integers().between(0, PAIRS - 1),
            Arbitraries.integers().between(Poller.READ, Poller.READ | Poller.WRITE),
            Arbitraries.longs().between(Poller.MIN_KEY / PAIRS + 1, Poller.MAX_KEY / PAIRS - 1))
        .as(Step::new);
  }

  @Property(tries = 100)
  void agree(@ForAll @Size(min = 10, max = 60) List<@From("steps") Step> steps) {
    Poller best = Pollers.create(null);
    Poller poll = Pollers.create("poll");
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < PAIRS; i++) {
      pairs.add(Pair.sockets());
    }
    try {
      for (Step step : steps) {
        run(step, pairs, List.of(best, poll));
        assertThat(readyNow(poll)).isEqualTo(readyNow(best));
      }
    } finally {
      pairs.forEach(Pair::close);
      best.close();
      poll.close();
    }
  }

  private static void run(Step step, List<Pair> pairs, List<Poller> pollers) {
    Pair pair = pairs.get(step.pair);
    int fd = pair.first();
    switch (step.kind) {
      case ADD -> assertSame(pollers, poller -> poller.add(fd, step.interest, step.key()));
      case MODIFY -> assertSame(pollers, poller -> poller.modify(fd, step.interest, step.key()));
      case REMOVE -> assertSame(pollers, poller -> poller.remove(fd));
      case WRITE_TO_PEER -> {
        if (pair.second() >= 0) {
          pair.writeToSecond(1);
        }
      }
      case READ -> SysSocket.recv(fd, BUFFER, 1, MSG_DONTWAIT);
      case CLOSE_PEER -> {
        if (pair.second() >= 0) {
          pair.closeSecond();
        }
      }
      case REPLACE -> {
        assertSame(pollers, poller -> poller.remove(fd));
        pair.close();
        pairs.set(step.pair, Pair.sockets());
      }
    }
  }

  private static void assertSame(List<Poller> pollers, ToIntFunction<Poller> call) {
    assertThat(pollers.stream().mapToInt(call).distinct().count()).isEqualTo(1);
  }
}
