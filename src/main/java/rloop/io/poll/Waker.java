package rloop.io.poll;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Decides when a wake-up needs the kernel: only when the polling thread sleeps.
 *
 * <pre>
 *             fallAsleep                wake
 *    AWAKE ───────────────► ASLEEP ───────────────► WOKEN   and a signal to the descriptor
 *      │ ▲                     │                    │ ▲ │
 *      │ └───── rise ──────────┴──────── rise ──────┘ │ └─► fallAsleep refuses: don't wait
 *      └────────────────────── wake ──────────────────┘
 * </pre>
 *
 * A signal may arrive after the sleeper has risen for another reason. The next poll then finds the
 * descriptor readable, drains it and returns early with nothing: rare, and harmless.
 *
 * <p>Thread rule: {@link #wake} by any thread, the rest by the polling thread.
 */
final class Waker {
  private static final int AWAKE = 0;
  private static final int ASLEEP = 1;
  private static final int WOKEN = 2;

  private final WakeFd wakeFd;
  private final AtomicInteger state = new AtomicInteger(AWAKE);

  /** Guarded by this object's monitor. */
  private boolean closed;

  /** Guarded by this object's monitor, but to look at. */
  private long signals;

  Waker(WakeFd wakeFd) {
    this.wakeFd = wakeFd;
  }

  int fd() {
    return wakeFd.fd();
  }

  /** Announces a wait. False if there is a wake-up already: then it must not wait. */
  boolean fallAsleep() {
    return state.compareAndSet(AWAKE, ASLEEP);
  }

  /** The wait, or a poll that did not wait, is over: the wake-ups before this are used up. */
  void rise() {
    // The test saves a fence after a poll without wait and wake-up. The exchange, not a plain
    // write, makes what the waker did before visible here, though its wake-up is wiped out.
    if (state.get() != AWAKE) {
      state.getAndSet(AWAKE);
    }
  }

  /** The descriptor is readable. */
  void drain() {
    wakeFd.drain();
  }

  void wake() {
    if (state.getAndSet(WOKEN) == ASLEEP) {
      signal();
    }
  }

  /** In a monitor: a late signal must not go to a closed descriptor, whose number others have. */
  private synchronized void signal() {
    if (!closed) {
      signals++;
      wakeFd.signal();
    }
  }

  /** How often a wait had to be ended. */
  long signals() {
    return signals;
  }

  synchronized void close() {
    if (!closed) {
      closed = true;
      wakeFd.close();
    }
  }
}
