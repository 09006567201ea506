package rloop.cpython.object;

import static rloop.cpython.abi.Layout.FREE_THREADED;
import static rloop.cpython.abi.Layout.LOCAL_REFERENCES;
import static rloop.cpython.abi.Layout.OWNING_THREAD;
import static rloop.cpython.abi.Layout.REFERENCE_COUNT;
import static rloop.cpython.abi.Layout.SHARED_REFERENCES;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.Version;
import rloop.ffi.Memory;

/**
 * Reference counts, changed in place where that is CPython's own macro.
 *
 * <p>With a GIL, {@code Py_INCREF} is a load and a store: doing the same here saves a call of 3 to
 * 8 ns for each reference that a hot path passes on. From 3.12 on the count is the low 32 bits and
 * an object with a negative one is immortal; before, it is the whole word. Without a GIL the count
 * is split in two, that of the owning thread and that of all others, and CPython changes it;
 * immortal is who has the greatest local count.
 */
public final class Ref {
  private static final boolean HAS_IMMORTALS = Version.isAtLeast(12);

  /** {@code _Py_IMMORTAL_REFCNT_LOCAL} of free-threaded builds, {@code UINT32_MAX}. */
  private static final int IMMORTAL_LOCALLY = -1;

  /** {@code _Py_REF_SHARED_SHIFT} of free-threaded builds: the shared count stands above flags. */
  private static final int SHARED_FLAGS = 2;

  private Ref() {}

  /** Returns {@code object}, with one more reference. */
  @Owned
  public static long take(long object) {
    @Owned long taken = object;
    if (FREE_THREADED) {
      if (Memory.getInt(object + LOCAL_REFERENCES) != IMMORTAL_LOCALLY) {
        PyObjects.Py_IncRef(object);
      }
    } else if (HAS_IMMORTALS) {
      int count = Memory.getInt(object + REFERENCE_COUNT);
      if (count >= 0) {
        Memory.putInt(object + REFERENCE_COUNT, count + 1);
      }
    } else {
      Memory.putLong(object + REFERENCE_COUNT, Memory.getLong(object + REFERENCE_COUNT) + 1);
    }
    return taken;
  }

  /** Gives up a reference. The last one may run Python code: leave no state half changed. */
  public static void drop(@Owned long object) {
    if (FREE_THREADED) {
      if (Memory.getInt(object + LOCAL_REFERENCES) == IMMORTAL_LOCALLY) {
        return;
      }
    } else if (HAS_IMMORTALS) {
      int count = Memory.getInt(object + REFERENCE_COUNT);
      if (count < 0) {
        return;
      }
      if (count > 1) {
        Memory.putInt(object + REFERENCE_COUNT, count - 1);
        return;
      }
    } else {
      long count = Memory.getLong(object + REFERENCE_COUNT);
      if (count > 1) {
        Memory.putLong(object + REFERENCE_COUNT, count - 1);
        return;
      }
    }
    PyObjects.Py_DecRef(object);
  }

  /** As {@link #drop}, for what may be 0. */
  public static void dropIfAny(@Owned long object) {
    if (object != 0) {
      drop(object);
    }
  }

  /**
   * Whether the caller's reference is the only one, so that the object may be used again. Without a
   * GIL that is so if the shared count is 0, without a flag, and the local one is 1, whichever
   * thread is the owner: nobody has a reference then from which to make another.
   */
  public static boolean isOnlyOne(long object) {
    return FREE_THREADED
        ? Memory.getInt(object + LOCAL_REFERENCES) == 1
            && Memory.getLong(object + SHARED_REFERENCES) == 0
        : Memory.getInt(object + REFERENCE_COUNT) == 1;
  }

  /** How many references there are; without a GIL that is a sum of two, which may change. */
  public static long count(long object) {
    return FREE_THREADED
        ? Memory.getInt(object + LOCAL_REFERENCES)
            + (Memory.getLong(object + SHARED_REFERENCES) >> SHARED_FLAGS)
        : Memory.getInt(object + REFERENCE_COUNT);
  }

  /**
   * Has an object of a free-threaded build live for ever: whoever takes a reference no longer
   * writes to it, which threads that do so at once pay for with a cache line that goes to and fro.
   * As CPython does it, where it does; elsewhere nothing changes.
   *
   * <p>Only the owning thread may, whose counts are not atomic.
   *
   * @param ofThisThread an object that this thread may have made
   * @return whether it has, and so this is the owning thread, and it was done
   */
  public static boolean immortalise(long object, long ofThisThread) {
    if (!FREE_THREADED
        || Memory.getLong(object + OWNING_THREAD) != Memory.getLong(ofThisThread + OWNING_THREAD)) {
      return false;
    }
    Memory.putInt(object + LOCAL_REFERENCES, IMMORTAL_LOCALLY);
    return true;
  }

  /** {@code Py_TYPE(object)}. */
  public static long type(long object) {
    return Memory.getLong(object + Layout.TYPE);
  }
}
