package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.CriticalSection;
import rloop.cpython.object.Invocation;
import rloop.cpython.object.Modules;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.cpython.type.Functions;
import rloop.cpython.type.JavaReference;
import rloop.cpython.type.Methods;
import rloop.cpython.type.TypeSpec;
import rloop.loop.Affinity;
import rloop.loop.EventLoop;
import rloop.loop.Lending;

/** What Java adds to {@code rloop.RLoop} and the module for loops with several workers. */
@SuppressWarnings("unused") // reached through method handles
final class WorkerMethods {
  /** The type {@code rloop._core.Affinity}, of what stands for an {@link Affinity}. */
  private static final @Owned long AFFINITY_TYPE =
      new TypeSpec("rloop._core.Affinity", JavaReference.TYPE).notInstantiable().create();

  private static final @Owned long RUN =
      PyException.check(PyScalars.PyUnicode_InternFromString("run"));

  private static final @Owned long EXCEPTION =
      PyException.check(PyScalars.PyUnicode_InternFromString("_exception"));

  /** {@code asyncio.Future}, from which tasks derive. */
  private static final @Owned long FUTURE = Modules.attribute("asyncio.futures", "Future");

  /** The size of a call {@code (context, callback, future)}, and where the future stands. */
  private static final int SIZE_WITH_FUTURE = 3;

  private static final int FUTURE_IN_CALL = 2;

  /** Has a context say that it is of the first worker, where it is run. */
  private static @Owned long beOfFirst;

  private WorkerMethods() {}

  /** Makes the class known: affinities can be made from then on. */
  static void addAffinity(long module) {
    new Functions(module, MethodHandles.lookup())
        .add("new_affinity", "newAffinity", ONE_ARGUMENT, "(state, /)")
        .add("new_own_affinity", "newOwnAffinity", ONE_ARGUMENT, "(state, /)")
        .add("home_of", "indexOfHome", FAST, "(loop, affinity, /)");
  }

  /**
   * Adds the methods.
   *
   * @param variable the one that contexts have an affinity in
   * @param beOfFirst sets it to the affinity to the first worker
   */
  static void addTo(long loopClass, long variable, long beOfFirst) {
    Affinity.install(Ref.take(variable), AFFINITY_TYPE);
    WorkerMethods.beOfFirst = Ref.take(beOfFirst);
    new Methods(loopClass, MethodHandles.lookup(), null)
        .add("_open_worker", "openWorker", FAST, "($self, poller, index, /)")
        .add("_sit", "sit", ONE_ARGUMENT, "($self, state, /)");
  }

  /** {@code _open_worker(poller, index)}: the state object of a further worker. */
  private static long openWorker(long self, long arguments, long count, long d) {
    Arguments.expect("_open_worker", count, 2);
    EventLoop worker =
        LoopMethods.open(
            self,
            Arguments.toInt(Arguments.get(arguments, 1)),
            Arguments.get(arguments, 0),
            Lending.NEVER,
            0);
    try {
      long state = Loops.createState(worker);
      worker.join(Loops.ofState(Loops.state(self, 0)));
      return state;
    } catch (OutOfMemoryError | PyException e) {
      worker.abandon();
      worker.free();
      throw e;
    }
  }

  /**
   * {@code _sit(state)}: this thread is the worker of that state object from now on, or none for
   * {@code None}; what it was before.
   */
  private static long sit(long self, long state, long c, long d) {
    long before = Seat.state(self);
    Seat.take(self, state == PyObjects.Py_None ? 0 : state);
    return before == 0 ? Arguments.none() : Ref.take(before);
  }

  /** {@code new_affinity(state)}: to a worker; for {@code None} to the first one of any loop. */
  private static long newAffinity(long module, long state, long c, long d) {
    EventLoop home = state == PyObjects.Py_None ? null : Loops.ofState(state);
    return JavaReference.create(AFFINITY_TYPE, new Affinity(home, false));
  }

  /** {@code new_own_affinity(state)}: of a connection that follows its users. */
  private static long newOwnAffinity(long module, long state, long c, long d) {
    return JavaReference.create(AFFINITY_TYPE, new Affinity(Loops.ofState(state), true));
  }

  /** {@code home_of(loop, affinity)}: the number of the worker; None for that of another loop. */
  private static long indexOfHome(long module, long arguments, long count, long d) {
    Arguments.expect("home_of", count, 2);
    long affinity = Arguments.get(arguments, 1);
    if (Ref.type(affinity) != AFFINITY_TYPE) {
      throw PyException.typeError("home_of() takes an affinity");
    }
    Affinity said = (Affinity) JavaReference.get(affinity);
    EventLoop home = said == null ? null : said.home();
    if (home == null) {
      return PyScalars.PyLong_FromLongLong(0);
    }
    return home.pythonLoop() == Arguments.get(arguments, 0)
        ? PyScalars.PyLong_FromLongLong(home.worker())
        : Arguments.none();
  }

  /**
   * Where a call is to run that was scheduled with a context of its own.
   *
   * @param here the part of the loop that this thread runs
   * @return {@code here}, also for a context that says nothing
   */
  static EventLoop homeOf(long self, EventLoop here, long call) {
    if (!Loops.hasSeveral(self)) {
      return here;
    }
    Affinity affinity = Affinity.of(Tuples.get(call, 0));
    if (affinity == null) {
      return here;
    }
    EventLoop home = affinity.home();
    if (home == null) {
      return Loops.ofState(Loops.state(self, 0));
    }
    boolean isOfLoop = home.pythonLoop() == self && !home.isClosed(); // or of one before it
    return isOfLoop ? home : here;
  }

  /**
   * As {@link #homeOf}, of a call of {@code call_soon_threadsafe} with a copy of the current
   * context: on a thread that is no worker, which may have inherited the context of one, it is the
   * first one's.
   */
  static void placeThreadsafe(long self, EventLoop here, long call) {
    if (!Loops.hasSeveral(self) || Seat.state(self) != 0 || here.gathers()) {
      return;
    }
    long context = Tuples.get(call, 0);
    Affinity affinity = Affinity.of(context);
    if (affinity != null && affinity.home() != null) {
      Ref.drop(Invocation.method(context, RUN, beOfFirst));
    }
  }

  /** What to do with the lock of the worker that a call is for. */
  private interface Scheduling {
    @Owned
    long on(EventLoop home);
  }

  /**
   * Schedules a call on another worker: the one that its context says once that is locked, since
   * connections move.
   */
  @Owned
  private static long schedule(EventLoop home, long call, Scheduling scheduling) {
    long self = home.pythonLoop();
    long here = CriticalSection.unlock();
    try {
      EventLoop there = home;
      for (; ; ) {
        try (var _ = CriticalSection.enter(there.lock())) {
          EventLoop now = homeOf(self, there, call);
          if (now == there) {
            long handle = scheduling.on(there);
            there.wakeUp();
            return handle;
          }
          there = now;
        }
      }
    } finally {
      CriticalSection.relock(here);
    }
  }

  /**
   * As {@code call_soon} of another worker.
   *
   * <p>A future that fails schedules those who wait for it and then notes that nobody has asked for
   * its exception. Another worker would ask before, and the exception be reported as one that was
   * never retrieved. So those are told when the call that runs here is over.
   */
  @Owned
  static long callSoonElsewhere(EventLoop here, EventLoop home, @Owned long call) {
    boolean tellsOfFailure;
    try {
      tellsOfFailure = here.gathers() && tellsOfFailure(call);
    } catch (PyException e) {
      Ref.drop(call);
      throw e;
    }
    return tellsOfFailure ? here.scheduler().sendHomeSoon(call) : callSoon(home, call);
  }

  private static boolean tellsOfFailure(long call) {
    if (Tuples.size(call) != SIZE_WITH_FUTURE) {
      return false;
    }
    long future = Tuples.get(call, FUTURE_IN_CALL);
    if (!PyTypes.PyType_IsSubtype(Ref.type(future), FUTURE)) {
      return false;
    }
    // Who calls has locked the future, as a rule, and then came here: so what is locked here is
    // unlocked meanwhile. Else the future would be given up, and others see that it has failed.
    long locked = CriticalSection.unlock();
    try {
      long exception = PyException.check(PyObjects.PyObject_GetAttr(future, EXCEPTION));
      Ref.drop(exception);
      return exception != PyObjects.Py_None;
    } finally {
      CriticalSection.relock(locked);
    }
  }

  /** As {@code call_soon_threadsafe} of another worker. */
  @Owned
  static long callSoon(EventLoop home, @Owned long call) {
    return schedule(
        home,
        call,
        there -> {
          there.counters().threadsafeCall();
          return LoopMethods.traced(there, there.scheduler().callSoonThreadsafe(call));
        });
  }

  /** As {@code call_later} of another worker. */
  @Owned
  static long callLater(EventLoop home, double delay, @Owned long call) {
    return schedule(
        home, call, there -> LoopMethods.traced(there, there.scheduler().callLater(delay, call)));
  }

  /** As {@code call_at} of another worker. */
  @Owned
  static long callAt(EventLoop home, long when, double deadline, @Owned long call) {
    return schedule(
        home,
        call,
        there -> LoopMethods.traced(there, there.scheduler().callAt(when, deadline, call)));
  }
}
