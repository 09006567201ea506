package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.FAST_WITH_KEYWORDS;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.Floats;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.cpython.type.Methods;
import rloop.ffi.Memory;
import rloop.io.Channel;
import rloop.io.poll.Poller;
import rloop.io.poll.Pollers;
import rloop.loop.EventLoop;
import rloop.loop.FdWatches;
import rloop.loop.Lending;
import rloop.loop.Reader;
import rloop.posix.ErrnoException;

/** The methods that Java adds to {@code rloop.RLoop}; unused parameters are the shape's. */
@SuppressWarnings("unused") // reached through method handles
final class LoopMethods {
  private static @Nullable HandleTypes types;

  private LoopMethods() {}

  static void addTo(long loopClass, HandleTypes handleTypes) {
    types = handleTypes;
    new Methods(loopClass, MethodHandles.lookup(), null)
        .add("_open", "open", FAST, "($self, poller, lending, /)");
    new Methods(loopClass, MethodHandles.lookup(), "lock")
        .add(
            "call_soon",
            "callSoon",
            FAST_WITH_KEYWORDS,
            "($self, callback, /, *args, context=None)")
        .add(
            "call_soon_threadsafe",
            "callSoonThreadsafe",
            FAST_WITH_KEYWORDS,
            "($self, callback, /, *args, context=None)")
        .add(
            "call_later",
            "callLater",
            FAST_WITH_KEYWORDS,
            "($self, delay, callback, /, *args, context=None)")
        .add(
            "call_at",
            "callAt",
            FAST_WITH_KEYWORDS,
            "($self, when, callback, /, *args, context=None)")
        .add("stop", "stop", NO_ARGUMENTS, "($self, /)")
        .add("_start_run", "startRun", NO_ARGUMENTS, "($self, /)")
        .add("_abandon_run", "abandonRun", NO_ARGUMENTS, "($self, /)")
        .add("_is_run_over", "isRunOver", NO_ARGUMENTS, "($self, /)")
        .add("_hold_io", "holdIo", ONE_ARGUMENT, "($self, held, /)")
        .add("_is_batch_over", "isBatchOver", NO_ARGUMENTS, "($self, /)")
        .add("_take_stop", "takeStop", NO_ARGUMENTS, "($self, /)")
        .add("_flush", "flush", NO_ARGUMENTS, "($self, /)")
        .add("_write_to_self", "wakeUp", NO_ARGUMENTS, "($self, /)")
        .add("_close", "close", NO_ARGUMENTS, "($self, /)")
        .add("_set_debug", "setDebug", ONE_ARGUMENT, "($self, enabled, /)")
        .add("_use_told_time", "useToldTime", ONE_ARGUMENT, "($self, used, /)")
        .add("_tell_time", "tellTime", ONE_ARGUMENT, "($self, seconds, /)")
        .add("_wait_in_python", "waitInPython", ONE_ARGUMENT, "($self, wanted, /)")
        .add("_time_to_wait", "timeToWait", NO_ARGUMENTS, "($self, /)")
        .add("_poll", "poll", ONE_ARGUMENT, "($self, timeout, /)")
        .add("_origin", "origin", ONE_ARGUMENT, "($self, call, /)")
        .add("_handle_for", "handleFor", ONE_ARGUMENT, "($self, call, /)")
        .add("_add_foreign_handle", "addForeignHandle", ONE_ARGUMENT, "($self, handle, /)")
        .add("_watch", "watch", FAST, "($self, fd, writing, handle, watchers, file, /)")
        .add("_unwatch", "unwatch", FAST, "($self, fd, writing, /)")
        .add("_watched", "watched", ONE_ARGUMENT, "($self, fd, /)");
  }

  private static long lock(long self, long b) {
    return Loops.state(self);
  }

  /**
   * {@code _open(poller, lending, io_threads)}: makes the Java part of a loop, which its slot
   * {@code _state} holds; {@code lending} is the name of a {@link Lending}.
   */
  private static long open(long self, long arguments, long count, long d) {
    Arguments.expect("_open", count, 3);
    Lending lending = Lending.valueOf(String.valueOf(text(Arguments.get(arguments, 1))));
    int ioThreads = Arguments.toInt(Arguments.get(arguments, 2));
    Loops.setState(self, open(self, 0, Arguments.get(arguments, 0), lending, ioThreads));
    return Arguments.none();
  }

  /** Makes a worker of a loop. */
  static EventLoop open(long self, int worker, long poller, Lending lending, int ioThreads) {
    HandleTypes types = HandleTypes.require(LoopMethods.types);
    try {
      Poller opened = Pollers.create(text(poller));
      try {
        return new EventLoop(
            self, worker, types.handle(), types.timerHandle(), opened, lending, ioThreads);
      } catch (OutOfMemoryError | PyException e) {
        opened.close();
        throw e;
      }
    } catch (ErrnoException e) {
      throw PyException.osError(e.errno());
    } catch (IllegalArgumentException e) {
      throw PyException.valueError(String.valueOf(e.getMessage()));
    }
  }

  private static @Nullable String text(long object) {
    return object == PyObjects.Py_None
        ? null
        : Memory.string(PyException.check(PyScalars.PyUnicode_AsUTF8(object)));
  }

  private static long callSoon(long self, long arguments, long count, long names) {
    EventLoop loop = Loops.open(self);
    if (!Arguments.areUsual(count, names, 1)) {
      return ByName.call("call_soon", self, arguments, count, names);
    }
    if (loop.isDebug()) {
      DebugMode.check(self, "call_soon", Arguments.get(arguments, 0));
    }
    long call = Arguments.call(arguments, 0, count, names);
    EventLoop home = homeOf(self, loop, call, names);
    return home == loop
        ? traced(loop, loop.scheduler().callSoon(call))
        : WorkerMethods.callSoonElsewhere(loop, home, call);
  }

  private static long callSoonThreadsafe(long self, long arguments, long count, long names) {
    EventLoop loop = Loops.open(self);
    if (!Arguments.areUsual(count, names, 1)) {
      return ByName.call("call_soon_threadsafe", self, arguments, count, names);
    }
    if (loop.isDebug()) {
      DebugMode.check(self, "call_soon_threadsafe", Arguments.get(arguments, 0));
    }
    long call = Arguments.call(arguments, 0, count, names);
    EventLoop home = homeOf(self, loop, call, names);
    if (home != loop) {
      return WorkerMethods.callSoon(home, call);
    }
    if (names == 0) {
      WorkerMethods.placeThreadsafe(self, loop, call);
    }
    long handle = traced(loop, loop.scheduler().callSoonThreadsafe(call));
    loop.counters().threadsafeCall();
    loop.wakeUp();
    return handle;
  }

  private static long callLater(long self, long arguments, long count, long names) {
    EventLoop loop = Loops.open(self);
    if (!Arguments.areUsual(count, names, 2)
        || loop.scheduler().clock().usesToldTime()
        || !Arguments.isNumber(Arguments.get(arguments, 0))) { // Python says so
      return ByName.call("call_later", self, arguments, count, names);
    }
    double delay = seconds(arguments, "delay must not be None");
    checkTimer(loop, arguments);
    long call = Arguments.call(arguments, 1, count, names);
    EventLoop home = homeOf(self, loop, call, names);
    return home == loop
        ? traced(loop, loop.scheduler().callLater(delay, call))
        : WorkerMethods.callLater(home, delay, call);
  }

  private static long callAt(long self, long arguments, long count, long names) {
    EventLoop loop = Loops.open(self);
    if (!Arguments.areUsual(count, names, 2)) {
      return ByName.call("call_at", self, arguments, count, names);
    }
    double deadline = seconds(arguments, "when cannot be None");
    checkTimer(loop, arguments);
    long call = Arguments.call(arguments, 1, count, names);
    long when = Arguments.get(arguments, 0);
    EventLoop home = homeOf(self, loop, call, names);
    return home == loop
        ? traced(loop, loop.scheduler().callAt(when, deadline, call))
        : WorkerMethods.callAt(home, when, deadline, call);
  }

  /** Where a call is at home: only a context that was given may say that it is not here. */
  private static EventLoop homeOf(long self, EventLoop here, long call, long names) {
    return names == 0 ? here : WorkerMethods.homeOf(self, here, call);
  }

  private static void checkTimer(EventLoop loop, long arguments) {
    if (loop.isDebug()) {
      DebugMode.check(loop.pythonLoop(), "call_at", Arguments.get(arguments, 1));
    }
  }

  @Owned
  static long traced(EventLoop loop, @Owned long handle) {
    if (loop.isDebug()) {
      try {
        DebugMode.trace(loop.pythonLoop(), handle);
      } catch (PyException e) { // a signal handler's, maybe; the caller gets nothing to cancel
        loop.scheduler().takeBack(handle);
        throw e;
      }
    }
    return handle;
  }

  private static double seconds(long arguments, String ifNone) {
    long number = Arguments.get(arguments, 0);
    if (number == PyObjects.Py_None) {
      throw PyException.typeError(ifNone);
    }
    return Arguments.toDouble(number);
  }

  private static long stop(long self, long b, long c, long d) {
    Loops.of(self).iteration().stop();
    return Arguments.none();
  }

  private static long startRun(long self, long b, long c, long d) {
    Loops.open(self).iteration().startRun();
    return Arguments.none();
  }

  private static long abandonRun(long self, long b, long c, long d) {
    Loops.of(self).iteration().abandonRun();
    return Arguments.none();
  }

  /** {@code _is_run_over()}: otherwise it goes on in another mode. */
  private static long isRunOver(long self, long b, long c, long d) {
    return Arguments.bool(!Loops.of(self).iteration().isRunning());
  }

  private static long isBatchOver(long self, long b, long c, long d) {
    EventLoop loop = Loops.of(self);
    boolean isOver = !loop.iteration().hasNext();
    if (isOver && !loop.isClosed()) {
      loop.monitors().lastEnded();
    }
    return Arguments.bool(isOver);
  }

  private static long holdIo(long self, long held, long c, long d) {
    Loops.of(self).io().hold(held == PyObjects.Py_True);
    return Arguments.none();
  }

  private static long takeStop(long self, long b, long c, long d) {
    return Arguments.bool(Loops.of(self).iteration().takeStop());
  }

  private static long flush(long self, long b, long c, long d) {
    Loops.open(self).flush();
    return Arguments.none();
  }

  private static long wakeUp(long self, long b, long c, long d) {
    Loops.of(self).wakeUp();
    return Arguments.none();
  }

  private static long close(long self, long b, long c, long d) {
    Loops.of(self).close();
    Loops.sockets(self).close();
    return Arguments.none();
  }

  private static long setDebug(long self, long enabled, long c, long d) {
    Loops.of(self).setDebug(enabled == PyObjects.Py_True);
    return Arguments.none();
  }

  private static long useToldTime(long self, long used, long c, long d) {
    Loops.of(self).useToldTime(used == PyObjects.Py_True);
    return Arguments.none();
  }

  private static long waitInPython(long self, long wanted, long c, long d) {
    Loops.of(self).iteration().waitInPython(wanted == PyObjects.Py_True);
    return Arguments.none();
  }

  /** {@code _time_to_wait()}: in seconds, {@code None} if there is nothing to wait for. */
  private static long timeToWait(long self, long b, long c, long d) {
    double seconds = Loops.open(self).iteration().timeToWait();
    return Double.isInfinite(seconds) ? Arguments.none() : Floats.of(seconds);
  }

  /**
   * {@code _poll(timeout)}: whether there is something to do, after a wait if there was nothing.
   */
  private static long poll(long self, long timeout, long c, long d) {
    double seconds =
        timeout == PyObjects.Py_None ? Double.POSITIVE_INFINITY : Arguments.toDouble(timeout);
    return Arguments.bool(Loops.open(self).iteration().poll(Math.max(seconds, 0)));
  }

  private static long tellTime(long self, long seconds, long c, long d) {
    Loops.of(self).scheduler().clock().tellTime(Arguments.toDouble(seconds));
    return Arguments.none();
  }

  /**
   * {@code _origin(call)}: of the call that started last, {@code (handle, transport)}: its handle,
   * made now if it had none, and the transport whose {@code data_received} it was, or {@code None}.
   */
  private static long origin(long self, long call, long c, long d) {
    EventLoop loop = Loops.of(self);
    long transport = PyObjects.Py_None;
    for (Reader reader : loop.readers()) {
      if (reader.isDelivery(loop.lastStarted())) {
        transport = reader.transport();
      }
    }
    long taken = Ref.take(transport); // before a handle is made, which may let others in
    return Tuples.of(loop.scheduler().originOf(call), taken);
  }

  /** {@code _handle_for(call)}: a handle for a call that is not scheduled. */
  private static long handleFor(long self, long call, long c, long d) {
    return Loops.open(self).scheduler().handleFor(Ref.take(call));
  }

  private static long addForeignHandle(long self, long handle, long c, long d) {
    Loops.open(self).scheduler().addForeignHandle(handle);
    return Arguments.none();
  }

  /** {@code _watch(fd, writing, handle, watchers, file)}: see {@link FdWatches#add}. */
  private static long watch(long self, long arguments, long count, long d) {
    Arguments.expect("_watch", count, 5);
    Loops.open(self)
        .fdWatches()
        .add(
            Arguments.toInt(Arguments.get(arguments, 0)),
            direction(Arguments.get(arguments, 1)),
            Arguments.get(arguments, 2),
            Arguments.get(arguments, 3),
            Arguments.get(arguments, 4));
    return Arguments.none();
  }

  /** {@code _unwatch(fd, writing)}: whether anybody waited. */
  private static long unwatch(long self, long arguments, long count, long d) {
    Arguments.expect("_unwatch", count, 2);
    EventLoop loop = Loops.of(self);
    return Arguments.bool(
        !loop.isClosed()
            && loop.fdWatches()
                .remove(
                    Arguments.toIntOr(Arguments.get(arguments, 0), Channel.CLOSED),
                    direction(Arguments.get(arguments, 1))));
  }

  private static int direction(long writing) {
    return writing == PyObjects.Py_True ? Poller.WRITE : Poller.READ;
  }

  /**
   * {@code _watched(fd)}: the directions in which somebody waits, as {@code selectors} has them.
   */
  private static long watched(long self, long fd, long c, long d) {
    return PyScalars.PyLong_FromLongLong(
        Loops.open(self).fdWatches().wanted(Arguments.toIntOr(fd, Channel.CLOSED)));
  }
}
