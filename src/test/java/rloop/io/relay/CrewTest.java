package rloop.io.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
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

class CrewTest {
  private static final int THREADS = 3;
  private static final int CONNECTIONS = 20;
  private static final int ROUNDS = 300;
  private static final long OWNER = 64;
  private static final long TEXT = Memory.cString("text");
  private static final int TEXT_LENGTH = 4;
  private static final int ROOM = 64;
  private static final long RECEIVED = Memory.allocate(ROOM);

  private final Driver driver = new Driver(Pollers.create(null), THREADS);
  private final Relay relay = new Relay(driver, THREADS, 1);

  @AfterEach
  void close() {
    relay.close();
    driver.close();
    driver.free();
  }

  private final class Connection {
    final Pair pair = Pair.nonBlockingSockets();
    final RecordedStream events = new RecordedStream();
    final StreamEndpoint endpoint;

    Connection() {
      int share = driver.assignShare();
      NotedStream noted = new NotedStream(relay.notes(share), events);
      endpoint = new StreamEndpoint(driver, share, pair.first(), 0, StreamCalls.SOCKET, noted);
      noted.setEndpoint(endpoint);
      events.setEndpoint(endpoint);
      endpoint.startReading();
    }

    void send() {
      Unistd.write(pair.second(), TEXT, TEXT_LENGTH);
      endpoint.add(OWNER, TEXT, TEXT_LENGTH);
      endpoint.flushLater();
    }

    void close() {
      endpoint.close();
      pair.close();
    }
  }

  private void step() {
    relay.lend(0);
    relay.awaitDone();
    relay.takeHome();
  }

  @Test
  void several_threads_lose_and_double_nothing() {
    List<Connection> connections =
        IntStream.range(0, CONNECTIONS).mapToObj(i -> new Connection()).toList();
    for (int i = 0; i < ROUNDS; i++) {
      connections.forEach(Connection::send);
      step();
      for (Connection connection : connections) {
        assertThat(Unistd.read(connection.pair.second(), RECEIVED, ROOM)).isEqualTo(TEXT_LENGTH);
      }
    }
    for (Connection connection : connections) {
      assertThat(connection.events.told.stream().filter("received text"::equals)).hasSize(ROUNDS);
      assertThat(connection.events.threads).containsOnly(Thread.currentThread());
      assertThat(connection.events.released).hasSize(ROUNDS);
    }
    assertThat(driver.countersLent())
        .allSatisfy(counters -> assertThat(counters.receives()).isPositive());
    connections.forEach(Connection::close);
  }

  @Test
  void all_shares_are_done_on_threads_of_their_own() {
    var threads = new ConcurrentHashMap<Integer, Thread>();
    Crew crew = new Crew(THREADS);
    crew.share(share -> threads.put(share, Thread.currentThread()));
    crew.close();
    assertThat(threads).hasSize(THREADS).containsEntry(0, Thread.currentThread());
  }

  @Test
  void what_a_share_throws_is_told_when_all_are_done() {
    var done = new ArrayList<Integer>();
    Crew crew = new Crew(THREADS);
    assertThatThrownBy(() ->
            crew.share(share -> {
              if (share == 1) {
                throw new IllegalArgumentException("share 1");
              }
              synchronized (done) {
                done.add(share);
              }
            }))
        .hasRootCauseMessage("share 1");
    crew.close();
    assertThat(done).containsExactlyInAnyOrder(0, 2);
  }
}
