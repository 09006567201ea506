package rloop.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EPIPE;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;
import rloop.posix.Pair;
import rloop.posix.SysSocket;

final class WriteQueueTest {
  /** Prime, so that a byte in a wrong place shows. */
  private static final int PERIOD = 251;

  /** A few of them fill a socket's buffer. */
  private static final int LARGEST_CHUNK = 100_000;

  private static final long PATTERN = pattern();
  private static final long RECEIVED = Memory.allocate(LARGEST_CHUNK);

  private static long pattern() {
    long pattern = Memory.allocate(PERIOD + LARGEST_CHUNK);
    for (int i = 0; i < PERIOD + LARGEST_CHUNK; i++) {
      Memory.putByte(pattern + i, (byte) (i % PERIOD));
    }
    return pattern;
  }

  private final List<Long> released = new ArrayList<>();
  private final WriteQueue queue = new WriteQueue(released::add);

  /** The last chunk's end in what all chunks are together, by owner - 1; owners count from 1. */
  private final List<Long> ends = new ArrayList<>();

  private long added;
  private long received;

  private void add(int length) {
    queue.add(ends.size() + 1, PATTERN + added % PERIOD, length);
    added += length;
    ends.add(added);
  }

  private void receive(int fd) {
    long count;
    while ((count = SysSocket.recv(fd, RECEIVED, LARGEST_CHUNK, 0)) > 0) {
      for (long i = 0; i < count; i++) {
        if (Memory.getByte(RECEIVED + i) != (byte) ((received + i) % PERIOD)) {
          throw new AssertionError("a wrong byte at " + (received + i));
        }
      }
      received += count;
    }
  }

  private void checkAccounts() {
    long sent = added - queue.bytes();
    long whole = ends.stream().filter(end -> end <= sent).count();
    assertThat(released).containsExactlyElementsOf(LongStream.rangeClosed(1, whole).boxed().toList());
    assertThat(queue.isEmpty()).isEqualTo(queue.bytes() == 0);
  }

  /** Sizes of chunks; 0 has the queue sent, a negative number the peer receive. */
  @Provide
  Arbitrary<List<Integer>> steps() {
    return Arbitraries.frequencyOf(
            new net.jqwik.api.Tuple.Tuple2[0])
        .list();
  }

  @Property(tries = 50)
  void chunks_arrive_in_order_and_their_owners_are_released_once(
      @ForAll("steps") List<Integer> steps) {
    try (Pair pair = Pair.nonBlockingSockets()) {
      for (int step : steps) {
        if (step > 0) {
          add(step);
        } else if (step < 0) {
          receive(pair.second());
        } else if (!queue.isEmpty()) {
          assertThat(queue.send(pair.first())).isIn(0, -EAGAIN);
        }
        checkAccounts();
      }
      while (!queue.isEmpty()) {
        receive(pair.second());
        assertThat(queue.send(pair.first())).isZero();
        checkAccounts();
      }
      receive(pair.second());
      assertThat(received).isEqualTo(added);
    }
  }
}
