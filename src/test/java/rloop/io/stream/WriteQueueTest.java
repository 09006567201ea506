package rloop.io.stream;

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
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;
import rloop.io.IoCounters;
import rloop.posix.Pair;
import rloop.posix.SysSocket;

final class WriteQueueTest {
  /** Prime, so that a byte in a wrong place shows. */
  private static final int PERIOD = 251;

  /** A few of them fill a socket's buffer. */
  private static final int LARGEST_CHUNK = 100_000;

  private static final int SEND = 0;
  private static final int RECEIVE = -1;
  private static final int MOST_STEPS = 500;

  /** Small chunks for each of the other steps: more than one call takes come together. */
  private static final int MANY = 40;

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
  private final IoCounters counters = new IoCounters();
  private final WriteQueue queue = new WriteQueue(released::add);

  /** The last chunk's end in what all chunks are together, by number. */
  private final List<Long> ends = new ArrayList<>();

  private long added;
  private long received;

  private void add(int length) {
    queue.add(owner(ends.size()), PATTERN + added % PERIOD, length);
    added += length;
    ends.add(added);
  }

  private void send(int fd) {
    if (!queue.isEmpty()) {
      assertThat(queue.send(fd, StreamCalls.SOCKET, counters)).isIn(0, -EAGAIN);
    }
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

  /** Whose lowest bits are 0, as those of an object's address. */
  private static long owner(long number) {
    return (number + 1) << 4;
  }

  private static List<Long> owners(long count) {
    return LongStream.range(0, count).map(WriteQueueTest::owner).boxed().toList();
  }

  private void checkAccounts() {
    long sent = added - queue.bytes();
    long whole = ends.stream().filter(end -> end <= sent).count();
    assertThat(released).containsExactlyElementsOf(owners(whole));
    assertThat(queue.isEmpty()).isEqualTo(queue.bytes() == 0);
  }

  /** Sizes of chunks to add, {@link #SEND} and {@link #RECEIVE}. */
  @Provide
  Arbitrary<List<Integer>> steps() {
    Arbitrary<Integer> small = Arbitraries.integers().between(1, PERIOD);
    Arbitrary<Integer> any = Arbitraries.integers().between(1, LARGEST_CHUNK);
    return Arbitraries.frequencyOf(
            Tuple.of(MANY, small),
            Tuple.of(1, any),
            Tuple.of(1, Arbitraries.just(SEND)),
            Tuple.of(1, Arbitraries.just(RECEIVE)))
        .list()
        .ofMaxSize(MOST_STEPS);
  }

  @Property(tries = 50)
  void chunks_arrive_in_order_and_their_owners_are_released_once(
      @ForAll("steps") List<Integer> steps) {
    new WriteQueueTest().transfer(steps); // all tries have one instance
  }

  private void transfer(List<Integer> steps) {
    try (Pair pair = Pair.nonBlockingSockets()) {
      for (int step : steps) {
        switch (step) {
          case SEND -> send(pair.first());
          case RECEIVE -> receive(pair.second());
          default -> add(step);
        }
        checkAccounts();
      }
      while (!queue.isEmpty()) {
        receive(pair.second());
        send(pair.first());
        checkAccounts();
      }
      receive(pair.second());
      assertThat(received).isEqualTo(added);
    }
  }

  @Test
  void one_send_takes_more_chunks_than_one_call_does() {
    try (Pair pair = Pair.nonBlockingSockets()) {
      for (int i = 0; i < 1000; i++) {
        add(1);
      }
      assertThat(queue.send(pair.first(), StreamCalls.SOCKET, counters)).isZero();
      assertThat(queue.isEmpty()).isTrue();
      checkAccounts();
      receive(pair.second());
      assertThat(received).isEqualTo(added);
    }
  }

  @Test
  void what_is_cleared_is_released_in_order_and_not_sent() {
    try (Pair pair = Pair.nonBlockingSockets()) {
      add(1);
      assertThat(queue.send(pair.first(), StreamCalls.SOCKET, counters)).isZero();
      add(1);
      add(LARGEST_CHUNK);
      queue.clear();
      assertThat(queue.bytes()).isZero();
      assertThat(queue.isEmpty()).isTrue();
      assertThat(released).containsExactlyElementsOf(owners(3));
      queue.clear();
      assertThat(released).hasSize(3);
      receive(pair.second());
      assertThat(received).isEqualTo(1);
    }
  }

  @Test
  void a_chunk_that_was_sent_in_part_is_cleared_once() {
    try (Pair pair = Pair.nonBlockingSockets()) {
      while (queue.isEmpty()) {
        add(LARGEST_CHUNK);
        send(pair.first());
      }
      queue.clear();
      assertThat(released).containsExactlyElementsOf(owners(ends.size()));
    }
  }

  @Test
  void a_failure_leaves_the_queue_as_it_is() {
    try (Pair pair = Pair.nonBlockingSockets()) {
      pair.closeSecond();
      add(1);
      assertThat(queue.send(pair.first(), StreamCalls.SOCKET, counters))
          .as("one chunk")
          .isEqualTo(-EPIPE);
      add(2);
      assertThat(queue.send(pair.first(), StreamCalls.SOCKET, counters))
          .as("two chunks")
          .isEqualTo(-EPIPE);
      assertThat(queue.bytes()).isEqualTo(3);
      assertThat(released).isEmpty();
    }
  }
}
