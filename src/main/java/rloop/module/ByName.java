package rloop.module;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Invocation;
import rloop.cpython.object.Modules;
import rloop.cpython.object.Ref;

/**
 * The functions of {@code rloop.loops.by_name}, for unusual ways of calling a scheduling method.
 *
 * <p>Looked up for each call, and not by an initialiser of a class: importing a module lets other
 * threads run, and one that came here would wait for the initialiser with the GIL.
 */
final class ByName {
  private ByName() {}

  /** Calls one with {@code self} and the arguments of the method of that name. */
  @Owned
  static long call(String name, long self, long arguments, long count, long names) {
    long function = Modules.attribute("rloop.loops.by_name", name);
    try {
      return Invocation.function(function, self, arguments, count, names);
    } finally {
      Ref.drop(function);
    }
  }
}
