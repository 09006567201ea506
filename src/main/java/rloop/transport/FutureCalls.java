package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.CriticalSection;
import rloop.cpython.object.Invocation;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/**
 * Futures as Java uses them. None of these runs callbacks: those of a future are scheduled on its
 * loop, for which the loop's lock is needed again.
 */
final class FutureCalls {
  private static final long CREATE_FUTURE = name("create_future");
  private static final long DONE = name("done");
  private static final long SET_RESULT = name("set_result");

  private FutureCalls() {}

  @Owned
  private static long name(String method) {
    return PyException.check(PyScalars.PyUnicode_InternFromString(method));
  }

  @Owned
  static long create(long loop) {
    return Invocation.method(loop, CREATE_FUTURE);
  }

  static boolean isDone(long future) {
    long answer = Invocation.method(future, DONE);
    Ref.drop(answer);
    return answer == PyObjects.Py_True;
  }

  /** Sets the result {@code None} unless the future is done, by being cancelled. */
  static void wake(long future) {
    setResult(future, Ref.take(PyObjects.Py_None));
  }

  /** Sets a result unless the future is done, by being cancelled. */
  static void setResult(long future, @Owned long result) {
    long lock = CriticalSection.unlock();
    try {
      Ref.drop(Invocation.method(future, SET_RESULT, result));
    } catch (PyException e) {
      long raised = e.toPython();
      boolean isDone = isDone(future);
      if (!isDone) {
        PyErrors.PyErr_SetObject(Ref.type(raised), raised);
      }
      Ref.drop(raised);
      if (!isDone) {
        throw e;
      }
    } finally {
      CriticalSection.relock(lock);
      Ref.drop(result);
    }
  }
}
