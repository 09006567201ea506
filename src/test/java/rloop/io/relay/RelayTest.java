package rloop.io.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;
import rloop.io.Driver;
import rloop.io.poll.Pollers;
import rloop.io.stream.RecordedStream;
import rloop.io.stream.StreamCalls;
import rloop.io.stream.StreamEndpoint;
import rloop.posix.Pair;
import rloop.posix.Unistd;

class RelayTest {
  private static final long OWNER = 16;
  private static final int ROUNDS = 2_000;
  private static final long TEXT = Memory.cString("text");
  private static final int TEXT_LENGTH = 4;
  private static final int ROOM = 64;
  private static final long RECEIVED = Memory.allocate(ROOM);

  private final Pair pair = Pair.nonBlockingSockets();
  private final Driver driver = new Driver(Pollers.create(null), 1);
  private final Relay relay = new Relay(driver, 1, 1);
  private final RecordedStream events = new RecordedStream();
  private final NotedStream noted = new NotedStream(relay.notes(0), events);
  private final StreamEndpoint endpoint =
      new StreamEndpoint(driver, 0, pair.first(), 0, StreamCalls.SOCKET, noted);

  RelayTest() {
    noted.setEndpoint(endpoint);
    events.setEndpoint(endpoint);
  }

  @AfterEach
  void close() {
    takeHome();
    endpoint.close();
    relay.close();
    driver.close();
    driver.free();
    pair.close();
  }

  private void takeHome() {
    if (relay.isLent()) {
      awaitDone();
      relay.takeHome();
    }
  }

  private void awaitDone() {
    if (!relay.isDoneSoon()) {
      relay.awaitDone();
    }
  }

  @Test
  void a_step_sends_and_reads_and_all_is_told_at_home() {
    endpoint.startReading();
    endpoint.add(OWNER, TEXT, TEXT_LENGTH);
    endpoint.flushLater();
    Unistd.write(pair.second(), TEXT, TEXT_LENGTH);
    relay.lend(0);
    takeHome();
    assertThat(events.told).containsExactly("held", "drained", "received text");
    assertThat(events.released).containsExactly(OWNER);
    assertThat(events.threads).containsOnly(Thread.currentThread());
    assertThat(Unistd.read(pair.second(), RECEIVED, ROOM)).isEqualTo(TEXT_LENGTH);
  }

  @Test
  void who_uses_what_is_lent_is_told_so() {
    relay.lend(0);
    assertThatThrownBy(() -> endpoint.add(OWNER, TEXT, TEXT_LENGTH))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("lent");
    takeHome();
    endpoint.add(OWNER, TEXT, TEXT_LENGTH);
  }

  @Test
  void what_comes_after_its_endpoint_was_closed_is_not_told_but_for_owners() {
    endpoint.startReading();
    endpoint.add(OWNER, TEXT, TEXT_LENGTH);
    endpoint.flushLater();
    endpoint.close();
    events.told.clear();
    relay.lend(0);
    awaitDone();
    relay.notes(0).add(noted, NotedEndpoint.RELEASED, OWNER, 0);
    relay.notes(0).add(noted, NotedEndpoint.OWN, RECEIVED, TEXT_LENGTH);
    relay.takeHome();
    assertThat(events.told).isEmpty();
    assertThat(events.released).containsExactly(OWNER, OWNER);
  }

  @Test
  void nothing_is_lost_or_doubled_over_many_steps() {
    endpoint.startReading();
    for (int i = 0; i < ROUNDS; i++) {
      Unistd.write(pair.second(), TEXT, TEXT_LENGTH);
      endpoint.add(OWNER, TEXT, TEXT_LENGTH);
      endpoint.flushLater();
      relay.lend(0);
      if (i % 3 == 0) {
        Thread.onSpinWait(); // the step may be over, or not
      }
      takeHome();
      assertThat(Unistd.read(pair.second(), RECEIVED, ROOM)).isEqualTo(TEXT_LENGTH);
    }
    long received = events.told.stream().filter("received text"::equals).count();
    assertThat(received).isEqualTo(ROUNDS);
    assertThat(events.released).hasSize(ROUNDS);
  }
}
