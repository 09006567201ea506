package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;

/**
 * A loop's monitors and its recorder, by which its {@link Monitoring} begins and ends.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class Monitors {
  private final long pythonLoop;
  private final Calls calls;
  private final ReadyQueue ready;
  private final LoopTime time;

  /** While there are monitors, or a recorder. */
  private @Nullable Monitoring monitoring;

  private int lastMonitor;

  /** While what happens is recorded. */
  private @Nullable Recorder recorder;

  Monitors(long pythonLoop, Calls calls, ReadyQueue ready, LoopTime time) {
    this.pythonLoop = pythonLoop;
    this.calls = calls;
    this.ready = ready;
    this.time = time;
  }

  /**
   * Whether somebody wants to know of each call. Hot: C2 inlines no method that returns a {@link
   * Monitoring} as long as that class isn't loaded.
   */
  boolean areWatching() {
    return monitoring != null;
  }

  /** The call of the batch that was taken last starts. */
  void starts(long call) {
    if (monitoring != null && !ready.isTakenBack(call)) {
      monitoring.starts(call, ready.readySince());
    }
  }

  /** See {@link Monitoring#ended}. */
  @Owned
  long ended() {
    return monitoring == null ? 0 : monitoring.ended();
  }

  /**
   * Begins to measure calls.
   *
   * @param threshold those that take so long are reported, in nanoseconds
   * @param resolution how often it is looked how late the loop is, in nanoseconds
   * @return the number by which the monitor is known
   */
  public int add(long threshold, long resolution) {
    ready.keepTimes(true);
    beginMonitoring().add(new Monitor(++lastMonitor, threshold, resolution));
    return lastMonitor;
  }

  /** Writes down what happens from now on; null: no more. */
  public void record(@Nullable Recorder recorder) {
    this.recorder = recorder;
    if (recorder != null) {
      beginMonitoring().setRecorder(recorder);
    } else if (monitoring != null) {
      monitoring.setRecorder(null);
      endMonitoring(monitoring);
    }
  }

  /** What writes down what happens, if somebody has asked for it. */
  public @Nullable Recorder recorder() {
    return recorder;
  }

  private Monitoring beginMonitoring() {
    Monitoring monitoring = this.monitoring;
    if (monitoring == null) {
      monitoring = new Monitoring(pythonLoop, calls);
      time.tell(monitoring);
      this.monitoring = monitoring;
    }
    return monitoring;
  }

  private void endMonitoring(Monitoring monitoring) {
    if (monitoring.isEmpty()) {
      this.monitoring = null;
      time.tell(null);
      monitoring.forget(); // may let others in
    }
  }

  /** The histograms of a monitor: see {@link Monitor#snapshot}. */
  public long[][] snapshot(int number) {
    return get(number).snapshot();
  }

  /** Has a monitor forget what it has seen. */
  public void reset(int number) {
    get(number).reset();
  }

  private Monitor get(int number) {
    if (monitoring == null) {
      throw new IllegalArgumentException("there is no monitor " + number);
    }
    return monitoring.get(number);
  }

  /** Ends a monitor; with the last one the measuring ends. */
  public void remove(int number) {
    Monitoring monitoring = this.monitoring;
    if (monitoring != null) {
      monitoring.remove(number);
      ready.keepTimes(monitoring.hasMonitors());
      endMonitoring(monitoring);
    }
  }

  /** The last call of a batch has ended, and nobody asks for another one. */
  public void lastEnded() {
    if (monitoring != null) {
      monitoring.endedLast(ready);
    }
  }

  /** Forgets the call that runs. */
  void forgetRunning() {
    if (monitoring != null) {
      monitoring.forget();
    }
  }
}
