package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.io.stream.StreamEndpoint;
import rloop.loop.EventLoop;
import rloop.loop.Outbox;

/**
 * What is written to a connection and not sent by who writes: while the I/O is lent it waits in the
 * loop's {@link Outbox}, and what another worker queues is sent by the one where the connection is
 * at home. Whether the protocol is to pause shows only then.
 */
final class Outbound implements Outbox.Writer {
  /** So much may be written while the I/O is lent, in bytes; more, and it is taken home. */
  private static final long MOST_WAITING = 256 * 1024;

  private final StreamConnection connection;
  private final StreamEndpoint endpoint;
  private final TlsConnection tls;
  private final Callbacks callbacks;

  /** How many bytes wait in the loop's {@link Outbox}. */
  private long waiting;

  /** So much was written that the protocol pauses unless the kernel takes it. */
  private boolean pauseDue;

  Outbound(
      StreamConnection connection,
      StreamEndpoint endpoint,
      TlsConnection tls,
      Callbacks callbacks) {
    this.connection = connection;
    this.endpoint = endpoint;
    this.tls = tls;
    this.callbacks = callbacks;
  }

  /**
   * Whether so much more may wait until the I/O is back; else that was taken home.
   *
   * <p>So much of it, that a connection whose peer doesn't read is paused as it should.
   */
  boolean hasRoom(long length) {
    boolean hasRoom =
        waiting + length <= MOST_WAITING && !connection.sendsAtOnce() && connection.gathers();
    if (!hasRoom) {
      connection.loop().io().takeHome();
    }
    return hasRoom;
  }

  /** Has data wait until the I/O is back; see {@link Outbox#add}. */
  void add(@Owned long owner, long address, long length, boolean isPlaintext) {
    connection.loop().io().outbox().add(this, owner, address, length, isPlaintext);
    if (waiting == 0) {
      callbacks.use(true); // until all of it is queued
    }
    waiting += length;
  }

  @Override
  public void queue(@Owned long owner, long address, long length, boolean isPlaintext) {
    waiting -= length;
    try {
      queueUnlessLost(owner, address, length, isPlaintext);
    } finally {
      if (waiting == 0) {
        callbacks.use(false);
      }
    }
  }

  private void queueUnlessLost(@Owned long owner, long address, long length, boolean isPlaintext) {
    if (connection.isLost() || (isPlaintext && !tls.isInUse())) {
      connection.released(owner);
      return;
    }
    if (isPlaintext) {
      pauseDue |= tls.queue(owner, address, length);
    } else {
      endpoint.add(owner, address, length);
      pauseDue |= connection.waterMarks.isAbove(connection.queuedBytes());
    }
    if (endpoint.isBlocked()) {
      pauseIfDue(); // nobody tries to send it now
    } else {
      connection.loop().flushLater(endpoint);
    }
  }

  /** Leaves what another worker has queued to the one where the connection is at home. */
  void leaveToHome(boolean isMuch) {
    EventLoop home = connection.loop();
    pauseDue |= isMuch;
    if (endpoint.isBlocked()) {
      pauseIfDue();
      home.wakeUp();
    } else {
      home.flushLater(endpoint);
    }
  }

  /** The kernel has not taken all. */
  void pauseIfDue() {
    if (pauseDue) {
      pauseDue = false;
      if (tls.isInUse()) {
        connection.loop().schedule(callbacks.tlsDrained()); // which looks at how much waits
      } else if (connection.waterMarks.pauses(connection.queuedBytes())) {
        connection.loop().schedule(callbacks.pauseWriting());
      }
    }
  }

  /** The kernel has taken all. */
  void allSent() {
    pauseDue = false;
  }
}
