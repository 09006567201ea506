package rloop.io.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.EPIPE;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;
import rloop.io.Driver;
import rloop.io.poll.Pollers;
import rloop.posix.Pair;
import rloop.posix.Unistd;

class StreamEndpointTest {
  private static final long OWNER = 16;
  private static final int MUCH = 16 << 20;
  private static final long DATA = Memory.allocate(MUCH);
  private static final long TEXT = Memory.cString("text");
  private static final int TEXT_LENGTH = 4;

  private final Pair pair = Pair.nonBlockingSockets();
  private final Driver driver = new Driver(Pollers.create(null), 1);
  private final RecordedStream events = new RecordedStream();
  private final StreamEndpoint endpoint =
      new StreamEndpoint(driver, 0, pair.first(), 0, StreamCalls.SOCKET, events);

  StreamEndpointTest() {
    events.setEndpoint(endpoint);
  }

  @AfterEach
  void close() {
    endpoint.close();
    driver.close();
    driver.free();
    pair.close();
  }

  private void turn() {
    driver.flush();
    driver.poll(0);
    while (driver.hasEvents()) {
      driver.dispatchNext();
    }
  }

  @Test
  void what_arrives_is_told_and_so_is_the_end() {
    endpoint.startReading();
    Unistd.write(pair.second(), TEXT, TEXT_LENGTH);
    turn();
    pair.closeSecond();
    turn();
    turn();
    assertThat(events.told).containsExactly("held", "received text", "ended 0", "let go");
  }

  @Test
  void nothing_is_read_after_reading_was_stopped() {
    endpoint.startReading();
    endpoint.stopReading();
    Unistd.write(pair.second(), TEXT, TEXT_LENGTH);
    turn();
    turn();
    assertThat(events.told).containsExactly("held", "let go");
  }

  @Test
  void what_was_added_is_sent_by_the_next_flush_and_its_owner_given_back() {
    endpoint.add(OWNER, TEXT, TEXT_LENGTH);
    endpoint.flushLater();
    assertThat(events.released).isEmpty();
    driver.flush();
    assertThat(events.told).containsExactly("held", "drained", "let go");
    assertThat(events.released).containsExactly(OWNER);
    assertThat(Unistd.read(pair.second(), DATA, MUCH)).isEqualTo(TEXT_LENGTH);
  }

  @Test
  void what_the_kernel_does_not_take_waits_for_the_poller() {
    endpoint.add(OWNER, DATA, MUCH);
    endpoint.flush();
    assertThat(endpoint.isBlocked()).isTrue();
    long received = 0;
    while (received < MUCH) {
      received += Math.max(Unistd.read(pair.second(), DATA, MUCH), 0);
      turn();
    }
    assertThat(endpoint.isBlocked()).isFalse();
    assertThat(events.told).startsWith("progressed", "held").endsWith("drained", "let go");
    assertThat(events.released).containsExactly(OWNER);
  }

  @Test
  void a_peer_that_is_gone_is_a_failure_that_is_told_once() {
    pair.closeSecond();
    endpoint.add(OWNER, TEXT, TEXT_LENGTH);
    endpoint.flush();
    endpoint.flush();
    assertThat(events.told).containsExactly("failed " + EPIPE);
    assertThat(events.released).containsExactly(OWNER);
  }

  @Test
  void what_was_not_sent_when_it_is_closed_is_given_back() {
    endpoint.add(OWNER, TEXT, TEXT_LENGTH);
    endpoint.startReading();
    endpoint.close();
    turn();
    assertThat(events.released).containsExactly(OWNER);
    assertThat(events.told).containsExactly("held", "let go");
  }
}
