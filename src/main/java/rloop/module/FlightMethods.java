package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.type.Functions;
import rloop.cpython.type.Methods;
import rloop.ffi.Memory;
import rloop.flight.FlightRecording;
import rloop.loop.EventLoop;
import rloop.loop.Recorder;

/** What records loops by Java's Flight Recorder; unused parameters are the shape's. */
@SuppressWarnings("unused") // reached through method handles
final class FlightMethods {
  private FlightMethods() {}

  static void addTo(long module, long loopClass) {
    new Functions(module, MethodHandles.lookup())
        .add("start_recording", "startRecording", FAST, "(path, configuration, /, *settings)")
        .add("stop_recording", "stopRecording", ONE_ARGUMENT, "(number, /)")
        .add("is_recording", "isRecording", NO_ARGUMENTS, "()");
    new Methods(loopClass, MethodHandles.lookup(), "lock")
        .add("_record", "record", ONE_ARGUMENT, "($self, recorded, /)")
        .add("_record_slow_call", "recordSlowCall", ONE_ARGUMENT, "($self, description, /)");
  }

  private static long lock(long self, long b) {
    return Loops.state(self);
  }

  /**
   * {@code start_recording(path, configuration, *settings)}: see {@link FlightRecording#start}. It
   * takes a while, in which others run.
   */
  private static long startRecording(long module, long arguments, long count, long d) {
    if (ModuleLayer.boot().findModule("jdk.jfr").isEmpty()) {
      throw PyException.runtimeError(
          "the Java in "
              + System.getProperty("java.home")
              + " has no Flight Recorder (its module jdk.jfr): set RLOOP_JAVA_HOME to the home of"
              + " a JDK that has");
    }
    String path = text(Arguments.get(arguments, 0));
    String configuration = text(Arguments.get(arguments, 1));
    String[] settings = new String[(int) count - 2];
    for (int i = 0; i < settings.length; i++) {
      settings[i] = text(Arguments.get(arguments, i + 2L));
    }
    long threadState = PyRuntime.PyEval_SaveThread();
    int number;
    try {
      number = FlightRecording.start(path, configuration, settings);
    } catch (UncheckedIOException e) {
      throw PyException.osError(
          "%s; RLOOP_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER names another folder for what is not"
                  .formatted(e.getMessage())
              + " written yet");
    } finally {
      PyRuntime.PyEval_RestoreThread(threadState);
    }
    return PyScalars.PyLong_FromLongLong(number);
  }

  private static String text(long object) {
    return Memory.string(PyException.check(PyScalars.PyUnicode_AsUTF8(object)));
  }

  /** {@code stop_recording(number)}: see {@link FlightRecording#stop}. */
  private static long stopRecording(long module, long number, long c, long d) {
    int recording = Arguments.toInt(number);
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      FlightRecording.stop(recording);
    } catch (UncheckedIOException e) {
      throw PyException.osError("the flight recording cannot be written: " + e.getMessage());
    } finally {
      PyRuntime.PyEval_RestoreThread(threadState);
    }
    return Arguments.none();
  }

  private static long isRecording(long module, long b, long c, long d) {
    return Arguments.bool(FlightRecording.isRecording());
  }

  /** {@code _record(recorded)}: whether the loop is recorded from now on. */
  private static long record(long self, long recorded, long c, long d) {
    EventLoop loop = Loops.of(self);
    boolean begins = recorded == PyObjects.Py_True;
    if (begins != (loop.recorder() != null)) {
      loop.monitors().record(begins ? FlightRecording.recorder() : null);
    }
    return Arguments.none();
  }

  /** {@code _record_slow_call(description)}: of the last slow call. */
  private static long recordSlowCall(long self, long description, long c, long d) {
    Recorder recorder = Loops.of(self).recorder();
    if (recorder != null) {
      recorder.describeSlowCall(text(description));
    }
    return Arguments.none();
  }
}
