package rloop.module;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.Invocation;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/** What scheduling does more in debug mode, by methods of {@code rloop.RLoop}. */
final class DebugMode {
  private static final long CHECK_CALL = name("_check_call");
  private static final long TRACE = name("_trace");

  private DebugMode() {}

  @Owned
  private static long name(String method) {
    return PyException.check(PyScalars.PyUnicode_InternFromString(method));
  }

  /** Refuses the wrong thread and what cannot be called. */
  static void check(long loop, String method, long callback) {
    long text = PyScalars.PyUnicode_FromString(method);
    try {
      Ref.drop(Invocation.method(loop, CHECK_CALL, text, callback));
    } finally {
      Ref.drop(text);
    }
  }

  /** Notes in a handle where it was made. */
  static void trace(long loop, long handle) {
    Ref.drop(Invocation.method(loop, TRACE, handle));
  }
}
