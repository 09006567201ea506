package rloop.loop;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.object.Modules;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/** The calls that a loop makes for itself. */
final class Calls {
  /** Indices in a call. */
  static final int CONTEXT = 0;

  private static final int FUNCTION = 1;
  private static final int HANDLE = 2;

  /**
   * A context without variables, for what sets its own. Every loop has its own one: a context can
   * be entered on one thread at a time.
   */
  private final @Owned long emptyContext = PyException.check(PyRuntime.PyContext_New());

  /** {@code rloop.loops.handles.run}: runs a handle unless it was cancelled. */
  private final @Owned long runHandle = fromHandles("run");

  /** {@code rloop.loops.handles.send_home}: has a handle run on another worker. */
  private final @Owned long sendHome = fromHandles("send_home");

  @Owned
  private static long fromHandles(String name) {
    return Modules.attribute("rloop.loops.handles", name);
  }

  /** A call that does nothing: {@code Context.run(context, dict)}. */
  @Owned
  long noop() {
    return Tuples.of(Ref.take(emptyContext), Ref.take(PyObjects.PyDict_Type));
  }

  /** The end of the loop: there are no more calls. */
  void close() {
    Ref.drop(emptyContext);
    Ref.drop(runHandle);
    Ref.drop(sendHome);
  }

  /** A call of the loop's own. */
  @Owned
  long own(@Owned long function, @Owned long argument, @Owned long another) {
    return Tuples.of(Ref.take(emptyContext), function, argument, another);
  }

  /** Runs a handle as the stdlib does, with its own error handling. */
  @Owned
  long run(long handle) {
    return Tuples.of(Ref.take(emptyContext), Ref.take(runHandle), Ref.take(handle));
  }

  /** Has a handle run where its context says by now. */
  @Owned
  long sendHome(long handle) {
    return Tuples.of(Ref.take(emptyContext), Ref.take(sendHome), Ref.take(handle));
  }

  /** The handle that a call runs, borrowed; 0 if it runs something else. */
  long handleOf(long call) {
    return Tuples.get(call, FUNCTION) == runHandle ? Tuples.get(call, HANDLE) : 0;
  }
}
