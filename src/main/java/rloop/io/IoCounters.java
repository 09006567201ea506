package rloop.io;

/**
 * What was asked of the kernel, since the beginning.
 *
 * <p>Thread rule: one thread counts, the owner of the {@link Driver} or who holds the loop's lock;
 * any may look. Each figure is a {@code long}, which is written whole, so who looks finds a value
 * that it has had, at most a step old.
 */
public final class IoCounters {
  private long polls;
  private long receives;
  private long bytesReceived;
  private long sends;
  private long bytesSent;
  private long workedNanos;

  /** In the work that is not yet added to that. */
  private long waitedNanos;

  /** The poller was asked. */
  void polled() {
    polls++;
  }

  /** A system call was made to receive; its result, a number of bytes or {@code -errno}. */
  public void received(long result) {
    receives++;
    if (result > 0) {
      bytesReceived += result;
    }
  }

  /** As {@link #received}, of a call that may bring several messages, whose bytes follow. */
  public void receivedMessages() {
    receives++;
  }

  /** The bytes of a message that such a call has brought. */
  public void receivedBytes(long count) {
    bytesReceived += count;
  }

  /** A system call was made to send; its result, a number of bytes or {@code -errno}. */
  public void sent(long result) {
    sends++;
    if (result > 0) {
      bytesSent += result;
    }
  }

  /** An I/O thread has worked since then, by {@link System#nanoTime}, but for its waits. */
  public void workedSince(long started) {
    workedNanos += System.nanoTime() - started - waitedNanos;
    waitedNanos = 0;
  }

  /** It has waited since then for events, and not worked. */
  public void waitedSince(long started) {
    waitedNanos += System.nanoTime() - started;
  }

  /** How long an I/O thread has worked, in nanoseconds. */
  public long workedNanos() {
    return workedNanos;
  }

  /** Polls. */
  public long polls() {
    return polls;
  }

  /** System calls that receive or accept. */
  public long receives() {
    return receives;
  }

  public long bytesReceived() {
    return bytesReceived;
  }

  /** System calls that send. */
  public long sends() {
    return sends;
  }

  public long bytesSent() {
    return bytesSent;
  }
}
