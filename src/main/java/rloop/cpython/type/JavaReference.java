package rloop.cpython.type;

import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.ffi.Memory;

/**
 * Python objects that stand for Java ones: each carries a number, and dies with what it stands for.
 *
 * <p>A Python class keeps one in a slot; so Java finds its own part of a Python object, and hears
 * of the end of that object, without a destructor of the class itself.
 */
public final class JavaReference {
  private static final int INITIAL_ROOM = 64;

  /** The type {@code rloop._core.JavaReference}. */
  public static final @Owned long TYPE;

  private static final int NUMBER;

  static {
    TypeSpec spec = new TypeSpec("rloop._core.JavaReference", PyObjects.PyBaseObject_Type);
    NUMBER = spec.hiddenLong();
    TYPE =
        spec.subclassable()
            .notInstantiable()
            .deallocatedBy(Trampoline.to(MethodHandles.lookup(), "deallocate"))
            .create();
  }

  /** Changed in the class's monitor, as what follows; read without it by {@link #get}. */
  private static volatile @Nullable Object[] table = new Object[INITIAL_ROOM];

  private static int[] free = new int[INITIAL_ROOM];
  private static int freeCount;
  private static int used;

  /** What is to know when its reference object dies: nobody finds it any more. */
  public interface Mortal {
    /** On any thread, perhaps in the middle of a collection of garbage. */
    void referenceDied();
  }

  private JavaReference() {}

  /**
   * A new reference object.
   *
   * @param type {@link #TYPE} or one derived from it
   */
  @Owned
  public static long create(long type, Object referent) {
    int number = add(referent);
    long reference = PyTypes.PyType_GenericAlloc(type);
    if (reference == 0) {
      remove(number);
      throw PyException.isSet();
    }
    Memory.putLong(reference + NUMBER, number);
    return reference;
  }

  /** In a monitor, in which Python is not called: see ARCHITECTURE.md, "Threads". */
  private static synchronized int add(Object referent) {
    int number;
    if (freeCount > 0) {
      number = free[--freeCount];
    } else {
      if (used == table.length) {
        // First all of the memory: neither may be shorter than the other.
        int[] larger = Arrays.copyOf(free, used * 2);
        table = Arrays.copyOf(table, used * 2);
        free = larger;
      }
      number = used++;
    }
    table[number] = referent;
    return number;
  }

  private static synchronized @Nullable Object remove(int number) {
    Object referent = table[number];
    table[number] = null;
    free[freeCount++] = number;
    return referent;
  }

  /** What a reference object stands for. */
  public static @Nullable Object get(long reference) {
    return table[(int) Memory.getLong(reference + NUMBER)];
  }

  /** The address of what is called when a reference object dies, to be replaced after a fork. */
  public static long deallocator() {
    return TYPE + Layout.TYPE_DEALLOC;
  }

  /** {@code tp_dealloc}, on any thread, reached through the trampoline. */
  @SuppressWarnings("unused")
  private static long deallocate(long self, long b, long c, long d) {
    Object referent = remove((int) Memory.getLong(self + NUMBER));
    if (referent instanceof Mortal mortal) {
      mortal.referenceDied();
    }
    @Owned long type = Ref.type(self); // as any instance of a type made at run time does
    PyObjects.PyObject_Free(self);
    Ref.drop(type);
    return 0;
  }
}
