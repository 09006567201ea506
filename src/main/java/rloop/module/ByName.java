package rloop.module;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.object.Invocation;
import rloop.cpython.object.PyException;

/** The functions of {@code rloop.by_name}, for what is unusual in calling a scheduling method. */
enum ByName {
  CALL_SOON("call_soon"),
  CALL_SOON_THREADSAFE("call_soon_threadsafe"),
  CALL_SOON_ELSEWHERE("call_soon_elsewhere"),
  CALL_LATER("call_later"),
  CALL_AT("call_at");

  private final @Owned long function;

  ByName(String name) {
    long module = PyException.check(PyRuntime.PyImport_ImportModule("rloop.by_name"));
    function = PyException.check(PyObjects.PyObject_GetAttrString(module, name));
  }

  /** Calls it with {@code self} and the arguments of a method. */
  @Owned
  long call(long self, long arguments, long count, long names) {
    return Invocation.function(function, self, arguments, count, names);
  }
}
