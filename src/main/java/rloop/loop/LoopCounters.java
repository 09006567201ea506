package rloop.loop;

/**
 * What has happened in a loop since it was made.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class LoopCounters {
  /** Transports over connected sockets. */
  public final Tally sockets = new Tally();

  /** Transports over datagram sockets. */
  public final Tally datagrams = new Tally();

  /** Transports over ends of pipes. */
  public final Tally pipes = new Tally();

  /** Transports of {@link #sockets} that use TLS. */
  public final Tally tls = new Tally();

  private long accepted;
  private long threadsafeCalls;
  private long iterations;
  private long largestBatch;

  LoopCounters() {}

  /** A server has accepted a connection. */
  public void accepted() {
    accepted++;
  }

  /** {@code call_soon_threadsafe} was called. */
  public void threadsafeCall() {
    threadsafeCalls++;
  }

  void iteration() {
    iterations++;
  }

  void batch(int size) {
    largestBatch = Math.max(largestBatch, size);
  }

  long acceptedConnections() {
    return accepted;
  }

  long threadsafeCalls() {
    return threadsafeCalls;
  }

  long iterations() {
    return iterations;
  }

  long largestBatch() {
    return largestBatch;
  }
}
