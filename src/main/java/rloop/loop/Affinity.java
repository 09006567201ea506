package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyObjects;
import rloop.cpython.object.Ref;
import rloop.cpython.type.JavaReference;

/**
 * What a context says about where its calls run: on a worker of a loop, with all that descends from
 * a connection, or from a task that was placed there.
 *
 * <p>The context holds an object that stands for this one. Where nothing else is said the worker is
 * the first of whatever loop it is. A connection that follows its users has one of its own, which
 * changes when it moves: with the locks of both workers.
 */
public final class Affinity {
  /** The {@code ContextVar} that holds one, and its type; there is none before the first loop. */
  private static @Owned long variable;

  private static long type;

  private volatile @Nullable EventLoop home;
  private final boolean follows;

  /**
   * To a worker, or to the first one of any loop.
   *
   * @param follows whether it is that of a connection that follows its users
   */
  public Affinity(@Nullable EventLoop home, boolean follows) {
    this.home = home;
    this.follows = follows;
  }

  /** Contexts have it in that variable, as an object of that type. */
  public static void install(@Owned long variable, long type) {
    Affinity.variable = variable;
    Affinity.type = type;
  }

  /** What a context says; null if it says nothing. */
  public static @Nullable Affinity of(long context) {
    long found = PyObjects.PyObject_GetItem(context, variable);
    if (found == 0) {
      PyErrors.PyErr_Clear();
      return null;
    }
    Object referent = Ref.type(found) == type ? JavaReference.get(found) : null;
    Ref.drop(found); // the context has it
    return (Affinity) referent;
  }

  /** The worker; null for the first one of any loop. */
  public @Nullable EventLoop home() {
    return home;
  }

  /** Whether it is that of a connection that follows its users. */
  public boolean follows() {
    return follows;
  }

  /** From now on it is another worker. */
  void moveTo(EventLoop home) {
    this.home = home;
  }
}
