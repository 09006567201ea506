package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.Modules;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Functions;
import rloop.cpython.type.JavaReference;
import rloop.loop.HandleType;

/** Where Python enters Java for the first time. */
@SuppressWarnings("unused") // reached through JNI and method handles
public final class Main {
  /**
   * The classes whose initialisers call Python, which may then wait for other threads. A thread
   * that comes meanwhile and waits for such an initialiser is attached to Python as it does, and so
   * would keep another one from stopping the world, and that one those which wait for it.
   */
  private static final String[] PYTHON_INITIALISED = {
    "rloop.module.Arguments",
    "rloop.module.DebugMode",
    "rloop.transport.Callbacks",
    "rloop.transport.DatagramCallbacks",
    "rloop.transport.FutureCalls"
  };

  private static @Nullable HandleTypes types;

  private Main() {}

  /** Returns a new reference to the module {@code rloop._core}, or 0 with an exception set. */
  @Owned
  public static long start() {
    try {
      long module = createModule();
      MemoryTrimmer.begin();
      return module;
    } catch (PyException e) {
      e.set();
      return 0;
    }
  }

  @Owned
  private static long createModule() {
    HandleTypes types = new HandleTypes(HandleType.handle(), HandleType.timerHandle());
    Main.types = types;
    HandleMethods.add(types);
    long module = PyException.check(PyRuntime.PyModule_New("rloop._core"));
    set(module, "Handle", types.handle().base);
    set(module, "TimerHandle", types.timerHandle().base);
    set(module, "LoopState", Loops.STATE_TYPE);
    long deallocator =
        PyException.check(PyScalars.PyLong_FromLongLong(JavaReference.deallocator()));
    set(module, "reference_deallocator", deallocator);
    Ref.drop(deallocator);
    new Functions(module, MethodHandles.lookup())
        .add("install", "install", ONE_ARGUMENT, "(loop_class, /)")
        .add("add_transport", "addTransport", NO_ARGUMENTS, "()")
        .add("add_datagrams", "addDatagrams", NO_ARGUMENTS, "()")
        .add("add_metrics", "addMetrics", ONE_ARGUMENT, "(loop_class, /)")
        .add("add_workers", "addWorkers", FAST, "(loop_class, variable, be_of_first, /)")
        .add("add_affinity", "addAffinity", NO_ARGUMENTS, "()")
        .add("add_tls", "addTls", FAST, "(library, ssl_offset, /)")
        .add("exchange_tls", "exchangeTls", FAST, "(sender, receiver, /)")
        .add("collect_java_garbage", "collectJavaGarbage", NO_ARGUMENTS, "()")
        .add("assumed_layouts", "assumedLayouts", NO_ARGUMENTS, "()");
    return module;
  }

  /**
   * {@code install(loop_class)}: adds the methods to {@code rloop.RLoop} and takes the final
   * classes of handles from {@code rloop.loops.handles}.
   */
  private static long install(long module, long loopClass, long c, long d) {
    HandleTypes types = HandleTypes.require(Main.types);
    types.handle().setType(Modules.attribute("rloop.loops.handles", "Handle"));
    types.timerHandle().setType(Modules.attribute("rloop.loops.handles", "TimerHandle"));
    Loops.setLoopClass(loopClass);
    if (Layout.FREE_THREADED) {
      initialise();
    }
    LoopMethods.addTo(loopClass, types);
    SocketMethods.addTo(loopClass);
    return Arguments.none();
  }

  /** While no other thread can be here; with a GIL it takes none of the start's time. */
  private static void initialise() {
    try {
      for (String name : PYTHON_INITIALISED) {
        Class.forName(name);
      }
    } catch (ClassNotFoundException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /**
   * {@code add_transport()}: adds the class {@code Transport}. For the first connection and not at
   * start, since its methods take 8 ms to make.
   */
  private static long addTransport(long module, long b, long c, long d) {
    set(module, "Transport", TransportMethods.type());
    return Arguments.none();
  }

  /** {@code add_datagrams()}: adds to {@code Transport} what transports of datagrams need. */
  private static long addDatagrams(long module, long b, long c, long d) {
    DatagramMethods.addTo(TransportMethods.TYPE.base);
    return Arguments.none();
  }

  /** {@code add_metrics(loop_class)}: adds to {@code rloop.RLoop} what tells of a loop. */
  private static long addMetrics(long module, long loopClass, long c, long d) {
    MonitorMethods.addTo(loopClass);
    new Functions(module, MethodHandles.lookup())
        .add("add_recording", "addRecording", ONE_ARGUMENT, "(loop_class, /)");
    return Arguments.none();
  }

  /** {@code add_affinity()}: adds what makes affinities. */
  private static long addAffinity(long module, long b, long c, long d) {
    WorkerMethods.addAffinity(module);
    return Arguments.none();
  }

  /**
   * {@code add_workers(loop_class, variable, be_of_first)}: adds what loops with several workers
   * need.
   */
  private static long addWorkers(long module, long arguments, long count, long d) {
    Arguments.expect("add_workers", count, 3);
    WorkerMethods.addTo(
        Arguments.get(arguments, 0), Arguments.get(arguments, 1), Arguments.get(arguments, 2));
    return Arguments.none();
  }

  /** {@code add_recording(loop_class)}: adds what records loops by Java's Flight Recorder. */
  private static long addRecording(long module, long loopClass, long c, long d) {
    FlightMethods.addTo(module, loopClass);
    return Arguments.none();
  }

  /**
   * {@code add_tls(library, ssl_offset)}: adds methods for TLS to {@code Transport}.
   *
   * <p>The library is a {@code dlopen} handle of OpenSSL; the offset is that of the {@code SSL*} in
   * an {@code _ssl._SSLSocket}.
   */
  private static long addTls(long module, long arguments, long count, long d) {
    Arguments.expect("add_tls", count, 2);
    TlsMethods.add(
        Arguments.toLong(Arguments.get(arguments, 0)),
        Arguments.toLong(Arguments.get(arguments, 1)));
    return Arguments.none();
  }

  /**
   * {@code exchange_tls(sender, receiver)}: whether bytes that one {@code _ssl._SSLSocket} encrypts
   * are what another one decrypts.
   */
  private static long exchangeTls(long module, long arguments, long count, long d) {
    Arguments.expect("exchange_tls", count, 2);
    return Arguments.bool(
        TlsMethods.exchange(Arguments.get(arguments, 0), Arguments.get(arguments, 1)));
  }

  /**
   * {@code collect_java_garbage()}: how many bytes the heap holds after it. For tests of what a
   * collection in the middle of things does, and of what is left when all is over.
   */
  private static long collectJavaGarbage(long module, long b, long c, long d) {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return PyScalars.PyLong_FromLongLong(runtime.totalMemory() - runtime.freeMemory());
  }

  /** {@code assumed_layouts()}: for the test that compares them with the installed headers. */
  private static long assumedLayouts(long module, long b, long c, long d) {
    return PyScalars.PyUnicode_FromString(Layouts.assumed());
  }

  private static void set(long module, String name, long value) {
    PyException.checkStatus(PyObjects.PyObject_SetAttrString(module, name, value));
  }
}
