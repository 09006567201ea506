package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.PyRuntime;
import rloop.io.Driver;
import rloop.io.relay.Notes;
import rloop.io.relay.Relay;

/**
 * A loop's I/O, which an I/O thread may have while Python runs a batch.
 *
 * <p>Whatever is asked of the driver takes it home first, but for writes, which wait in the {@link
 * Outbox}. The class {@link Relay} says what the I/O thread does with it.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class LentIo {
  /** A batch with so many deliveries takes longer than to wake the I/O thread. */
  private static final int LEAST_DELIVERIES = 4;

  private final Lending lending;
  private final @Nullable Relay relay;
  private final Outbox outbox = new Outbox();

  /** How many have called {@link #hold}. */
  private int holders;

  LentIo(Driver driver, Lending lending) {
    this.lending = lending;
    this.relay = lending == Lending.NEVER ? null : new Relay(driver);
  }

  /** Where endpoints note what happens on the I/O thread; null if there never is one. */
  public @Nullable Notes notes() {
    return relay == null ? null : relay.notes();
  }

  /** What is written while {@link #isLent}. */
  public Outbox outbox() {
    return outbox;
  }

  /** Whether the driver is out of reach. */
  public boolean isLent() {
    return relay != null && relay.isLent();
  }

  /** Whether it is worth waking another thread: the batch being filled takes longer than that. */
  boolean isWorthLending(int deliveries) {
    return switch (lending) {
      case NEVER -> false;
      case WHEN_BUSY -> deliveries >= LEAST_DELIVERIES && holders == 0;
      case ALWAYS -> holders == 0;
    };
  }

  /** Lends the driver, which is at home. */
  void lend() {
    if (relay != null) {
      relay.lend();
    }
  }

  /** Takes the driver home, and what happened meanwhile into the pending batch. */
  public void takeHome() {
    if (relay != null && relay.isLent()) {
      takeHome(relay);
    }
  }

  private void takeHome(Relay relay) {
    if (!relay.isDoneSoon()) {
      long threadState = PyRuntime.PyEval_SaveThread();
      try {
        relay.awaitDone();
      } finally {
        PyRuntime.PyEval_RestoreThread(threadState);
      }
    }
    if (relay.isLent()) { // or another thread has taken it home meanwhile
      try {
        relay.takeHome();
      } finally {
        outbox.empty(); // before anything is written past it
      }
    }
  }

  /** Takes the driver home and keeps it there, until everybody who does so lets it go. */
  public void hold(boolean hold) {
    takeHome();
    holders += hold ? 1 : -1;
  }

  /** Ends the I/O thread; the driver is at home. */
  void close() {
    if (relay != null) {
      relay.close();
    }
  }
}
