package rloop.io.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import rloop.ffi.Memory;
import rloop.io.Driver;
import rloop.io.poll.Pollers;
import rloop.io.stream.StreamCalls;
import rloop.io.stream.StreamEndpoint;
import rloop.io.stream.StreamEvents;
import rloop.posix.Pair;
import rloop.posix.Unistd;

/**
 * Streams in both directions over a relay whose notes have room for hardly anything. Each byte
 * follows from its place in its stream, so that what is lost, doubled or out of order shows.
 */
class RelayStressTest {
  private static final int CONNECTIONS = 8;
  private static final long BYTES = 2_000_000; // of each connection, in each direction
  private static final int LARGEST_PIECE = 40_000;
  private static final long FACTOR = 0x9E3779B97F4A7C15L;
  private static final int TOP_BYTE = Long.SIZE - Byte.SIZE;
  private static final long SHORT_WAIT_NANOS = 100_000;

  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private static byte byteAt(long place) {
    return (byte) ((place * FACTOR) >>> TOP_BYTE);
  }

  private static void check(long address, long count, long place) {
    for (long i = 0; i < count; i++) {
      if (Memory.getByte(address + i) != byteAt(place + i)) {
        throw new AssertionError("a wrong byte at " + (place + i));
      }
    }
  }

  /** A piece of a stream, from a place on, of which no more is left than that. */
  private static int fill(long address, long place, Random random) {
    int length = (int) Math.min(random.nextInt(1, LARGEST_PIECE), BYTES - place);
    for (int i = 0; i < length; i++) {
      Memory.putByte(address + i, byteAt(place + i));
    }
    return length;
  }

  /** The near end, used on the loop's thread alone; what it is told comes there. */
  private static final class Near implements StreamEvents {
    final StreamEndpoint endpoint;
    final Random random;
    private final long room = Memory.allocate(Driver.READ_BUFFER_SIZE);
    private final List<Long> piecesOut = new ArrayList<>();
    private final Thread thread = Thread.currentThread();
    long received;
    long written;

    Near(Driver driver, Relay relay, int fd, long seed) {
      int share = driver.assignShare();
      NotedStream noted = new NotedStream(relay.notes(share), this);
      endpoint = new StreamEndpoint(driver, share, fd, 0, StreamCalls.SOCKET, noted);
      noted.setEndpoint(endpoint);
      random = new Random(seed);
      endpoint.startReading();
    }

    void write() {
      if (written < BYTES && random.nextBoolean()) {
        long piece = Memory.allocate(LARGEST_PIECE);
        int length = fill(piece, written, random);
        written += length;
        piecesOut.add(piece);
        endpoint.add(piece, piece, length);
        endpoint.flushLater();
      }
    }

    boolean isDone() {
      return received == BYTES && written == BYTES && piecesOut.isEmpty();
    }

    private void assertOnThread() {
      assertThat(Thread.currentThread()).isSameAs(thread);
    }

    @Override
    public boolean makeRoom() {
      assertOnThread();
      endpoint.offer(room, Driver.READ_BUFFER_SIZE);
      return true;
    }

    @Override
    public void prepareRoom() {}

    @Override
    public void received(long address, long count) {
      assertOnThread();
      check(address, count, received);
      received += count;
    }

    @Override
    public void released(long owner) {
      assertOnThread();
      assertThat(piecesOut.remove(owner)).as("what was given back").isTrue();
    }

    @Override
    public void ended(int errno) {
      throw new AssertionError("it ended with " + errno);
    }

    @Override
    public void failed(int errno) {
      throw new AssertionError("it failed with " + errno);
    }

    @Override
    public void readable() {
      throw new AssertionError("somebody else reads");
    }

    @Override
    public void handshakeFed() {}

    @Override
    public void tlsEnded() {}

    @Override
    public void tlsHandedBack() {}

    @Override
    public void tlsFailed(long error) {}

    @Override
    public void progressed() {
      assertOnThread();
    }

    @Override
    public void drained() {
      assertOnThread();
    }

    @Override
    public void used(boolean isUsed) {}

    @Override
    public void held(boolean isHeld) {
      assertOnThread();
    }

    @Override
    public void driverClosed() {}
  }

  /** The far end, on threads of its own. */
  private void send(int fd, long seed) {
    Random random = new Random(seed);
    long piece = Memory.allocate(LARGEST_PIECE);
    long sent = 0;
    while (sent < BYTES) {
      int length = fill(piece, sent, random);
      for (long done = 0; done < length; ) {
        long count = Unistd.write(fd, piece + done, length - done);
        done += Math.max(count, 0);
        if (count <= 0) {
          LockSupport.parkNanos(1);
        }
      }
      sent += length;
    }
  }

  private void receive(int fd) {
    long room = Memory.allocate(LARGEST_PIECE);
    long received = 0;
    while (received < BYTES && failure.get() == null) {
      long count = Unistd.read(fd, room, LARGEST_PIECE);
      if (count > 0) {
        check(room, count, received);
        received += count;
      } else {
        LockSupport.parkNanos(1);
      }
    }
  }

  private Thread start(Runnable work) {
    Thread thread =
        new Thread(() -> {
          try {
            work.run();
          } catch (Throwable thrown) {
            failure.compareAndSet(null, thrown);
          }
        });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void nothing_is_lost_doubled_or_out_of_order(int threads) throws InterruptedException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Driver driver = new Driver(Pollers.create(null), threads);
    Notes[] small = new Notes[threads];
    Arrays.setAll(small, share -> new Notes(Notes.smallest(), 1));
    Relay relay = new Relay(driver, 1, small);
    List<Pair> pairs =
        IntStream.range(0, CONNECTIONS).mapToObj(i -> Pair.nonBlockingSockets()).toList();
    List<Near> nears =
        pairs.stream().map(p -> new Near(driver, relay, p.first(), random.nextLong())).toList();
    List<Thread> peers = new ArrayList<>();
    for (Pair pair : pairs) {
      long ofPeer = random.nextLong();
      peers.add(start(() -> send(pair.second(), ofPeer)));
      peers.add(start(() -> receive(pair.second())));
    }
    while (!nears.stream().allMatch(Near::isDone)) {
      assertThat(failure.get()).as("seed %d", seed).isNull();
      nears.forEach(Near::write);
      if (random.nextInt(4) == 0) {
        atHome(driver);
      } else {
        away(relay, random);
      }
    }
    for (Thread peer : peers) {
      peer.join();
    }
    assertThat(failure.get()).as("seed %d", seed).isNull();
    nears.forEach(near -> near.endpoint.close());
    relay.close();
    driver.close();
    driver.free();
    pairs.forEach(Pair::close);
  }

  private static void atHome(Driver driver) {
    driver.flush();
    if (!driver.hasEvents()) {
      var _ = driver.poll(0);
    }
    while (driver.hasEvents()) {
      driver.dispatchNext();
    }
  }

  private static void away(Relay relay, Random random) {
    relay.lend(random.nextBoolean() ? 0 : SHORT_WAIT_NANOS);
    if (random.nextBoolean()) {
      relay.interrupt();
    }
    if (!relay.isDoneSoon()) {
      relay.awaitDone();
    }
    relay.takeHome();
  }
}
