package rloop.loop;

import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.object.Floats;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/**
 * Watches the calls of a loop for its monitors and its recorder. It exists while there are any, for
 * it reads the clock when a call gets ready, when it starts, and when it ends.
 *
 * <p>A call that took too long is reported by a call that is handed out next: Java cannot call who
 * wants to know. Until then the call that runs is kept, if there is a threshold.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class Monitoring {
  private static final double SECONDS = 1e-9;

  private final long pythonLoop;
  private final Calls calls;
  private final ArrayList<Monitor> monitors = new ArrayList<>();

  /** The lowest of all monitors, in nanoseconds. */
  private long threshold = Long.MAX_VALUE;

  private @Nullable Recorder recorder;

  /** How many calls have started since the loop last looked for what has come. */
  private long callsStarted;

  // Of the call that runs.
  private @Owned long running;
  private long ready;
  private long started;
  private boolean isRunning;

  /** A report that waits in the ready queue, which has it; 0 if none does. */
  private long lateReport;

  /** For the Python loop, borrowed, that has a method {@code _report_slow_call}. */
  Monitoring(long pythonLoop, Calls calls) {
    this.pythonLoop = pythonLoop;
    this.calls = calls;
  }

  boolean isEmpty() {
    return monitors.isEmpty() && recorder == null;
  }

  /** Whether somebody wants to know since when calls are ready. */
  boolean hasMonitors() {
    return !monitors.isEmpty();
  }

  void setRecorder(@Nullable Recorder recorder) {
    this.recorder = recorder;
  }

  void add(Monitor monitor) {
    monitors.add(monitor);
    monitor.runBegins(System.nanoTime());
    findThreshold();
  }

  void remove(int number) {
    monitors.removeIf(monitor -> monitor.number == number);
    findThreshold();
  }

  private void findThreshold() {
    threshold = Long.MAX_VALUE;
    for (Monitor monitor : monitors) {
      threshold = Math.min(threshold, monitor.threshold);
    }
  }

  /**
   * The monitor of a number.
   *
   * @throws IllegalArgumentException if there is none
   */
  Monitor get(int number) {
    for (Monitor monitor : monitors) {
      if (monitor.number == number) {
        return monitor;
      }
    }
    throw new IllegalArgumentException("there is no monitor " + number);
  }

  // ---- calls ---------------------------------------------------------------------------------

  /** Hot: a call that was ready since then is handed out. */
  void starts(long call, long ready) {
    if (call == lateReport) {
      lateReport = 0;
      return;
    }
    callsStarted++;
    isRunning = true;
    if (threshold != Long.MAX_VALUE || recorder != null) {
      running = Ref.take(call);
    }
    if (!monitors.isEmpty()) {
      this.ready = ready;
      started = System.nanoTime();
    }
    if (recorder != null) {
      recorder.callStarts();
    }
  }

  /**
   * Hot: the call that ran has ended, if there was one. It dies here, which may let others in.
   *
   * @return a call that reports it, or 0
   */
  @Owned
  long ended() {
    if (!isRunning) {
      return 0;
    }
    isRunning = false;
    boolean isSlow = recorder != null && recorder.callEnds();
    long duration = 0;
    if (!monitors.isEmpty() && started != 0) {
      long now = System.nanoTime();
      duration = now - started;
      isSlow |= duration >= threshold;
      for (int i = 0; i < monitors.size(); i++) {
        monitors.get(i).called(ready, started, now);
      }
    }
    started = 0;
    long call = running;
    running = 0;
    if (call == 0) {
      return 0;
    }
    if (!isSlow) {
      Ref.drop(call);
      return 0;
    }
    return report(call, duration * SECONDS);
  }

  /**
   * As {@link #ended}, for who does not ask for the next call at once: the report is one of the
   * next batch's calls, and comes alone.
   */
  void endedLast(ReadyQueue ready) {
    long report = ended();
    if (report == 0 || lateReport != 0) {
      Ref.dropIfAny(report);
      return;
    }
    lateReport = report;
    ready.append(report);
  }

  @Owned
  private long report(@Owned long call, double seconds) {
    long report = PyObjects.PyObject_GetAttrString(pythonLoop, "_report_slow_call");
    if (report == 0) {
      Ref.drop(call);
      throw PyException.isSet();
    }
    return calls.own(report, call, Floats.of(seconds));
  }

  /** No call runs any more, and of the one that did nothing is known. */
  void forget() {
    long call = running;
    isRunning = false;
    started = 0;
    running = 0;
    Ref.dropIfAny(call);
  }

  // ---- the loop ------------------------------------------------------------------------------

  void runBegins(long now) {
    for (Monitor monitor : monitors) {
      monitor.runBegins(now);
    }
    if (recorder != null) {
      recorder.workBegins();
    }
  }

  /** The loop has worked until a moment, and goes on, unless {@link #waitBegins} follows. */
  void worked(long until) {
    for (int i = 0; i < monitors.size(); i++) {
      monitors.get(i).worked(until);
    }
    if (recorder != null) {
      recorder.workEnds(callsStarted);
      recorder.workBegins();
    }
    callsStarted = 0;
  }

  void waitBegins() {
    if (recorder != null) {
      recorder.waitBegins();
    }
  }

  /** On the loop's thread, without its lock. */
  void waitEnds() {
    Recorder recorder = this.recorder;
    if (recorder != null) {
      recorder.waitEnds();
      recorder.workBegins();
    }
  }

  /** The loop has waited until a moment. */
  void waited(long until) {
    for (int i = 0; i < monitors.size(); i++) {
      monitors.get(i).waited(until);
    }
    if (recorder != null) {
      recorder.waitIsTold();
    }
  }
}
