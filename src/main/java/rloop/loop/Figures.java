package rloop.loop;

import java.util.Arrays;
import rloop.io.Driver;
import rloop.io.IoCounters;

/** A loop's figures at one moment, in the order of {@code rloop.metrics.figures}. */
final class Figures {
  /** For those of a loop with one I/O thread. */
  private static final int INITIAL_ROOM = 40;

  private long[] values = new long[INITIAL_ROOM];
  private int size;

  private Figures() {}

  static long[] of(
      LoopCounters counters, LoopTime time, ReadyQueue ready, int timers, Driver driver) {
    Figures figures = new Figures();
    long now = System.nanoTime();
    figures.add(now);
    figures.add(counters.iterations());
    figures.add(ready.run());
    figures.add(ready.waiting());
    figures.add(counters.largestBatch());
    figures.add(time.longestStretch(now));
    figures.add(timers);
    figures.add(driver.isClosed() ? 0 : driver.watched());
    figures.add(time.ran(now));
    figures.add(time.waited(now));
    figures.add(counters.threadsafeCalls());
    figures.add(driver.wakeUps());
    figures.addTransports(counters);
    figures.add(driver.countersAtHome());
    for (IoCounters ofThread : driver.countersLent()) {
      figures.add(ofThread);
      figures.add(ofThread.workedNanos());
    }
    return Arrays.copyOf(figures.values, figures.size);
  }

  private void add(long value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = value;
  }

  private void addTransports(LoopCounters counters) {
    add(counters.sockets);
    add(counters.datagrams);
    add(counters.pipes);
    add(counters.tls);
    add(counters.acceptedConnections());
  }

  private void add(Tally tally) {
    add(tally.open());
    add(tally.opened());
  }

  private void add(IoCounters io) {
    add(io.polls());
    add(io.receives());
    add(io.bytesReceived());
    add(io.sends());
    add(io.bytesSent());
  }
}
