package rloop.cpython.type;

import rloop.cpython.abi.Assumptions;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.PyException;
import rloop.ffi.Memory;

/**
 * Builds a Python type by {@code PyType_FromSpecWithBases}.
 *
 * <p>References live in members of type {@code Py_T_OBJECT_EX}: CPython's own {@code
 * subtype_traverse}, {@code subtype_clear} and {@code subtype_dealloc}, inherited with the base,
 * then visit and clear them, and no upcall runs while Python collects garbage. The other fields are
 * plain C values that Java alone reads and writes.
 */
public final class TypeSpec {
  // Slot numbers, typeslots.h (part of the stable ABI).
  private static final int PY_TP_DEALLOC = 52;
  private static final int PY_TP_ITER = 62;
  private static final int PY_TP_ITERNEXT = 63;
  private static final int PY_TP_MEMBERS = 72;

  // struct PyType_Spec, object.h
  private static final int SPEC_NAME = 0;
  private static final int SPEC_BASICSIZE = 8;
  private static final int SPEC_FLAGS = 16;
  private static final int SPEC_SLOTS = 24;
  private static final int SIZE_OF_SPEC = 32;

  // struct PyType_Slot, object.h
  private static final int SLOT_NUMBER = 0;
  private static final int SLOT_POINTER = 8;
  private static final int SIZE_OF_SLOT = 16;

  // struct PyMemberDef, descrobject.h
  private static final int MEMBER_NAME = 0;
  private static final int MEMBER_TYPE = 8;
  private static final int MEMBER_OFFSET = 16;
  private static final int SIZE_OF_MEMBER = 40;

  private static final int PY_T_OBJECT_EX = 16;

  // Py_TPFLAGS, object.h
  private static final int PY_TPFLAGS_DEFAULT = 0;
  private static final int PY_TPFLAGS_BASETYPE = 1 << 10;
  private static final int PY_TPFLAGS_DISALLOW_INSTANTIATION = 1 << 7;

  private static final int MOST_SLOTS = 8;
  private static final int MOST_MEMBERS = 16;

  private final String name;
  private final long base;
  private int size;
  private int flags = PY_TPFLAGS_DEFAULT;
  private final long slots = Memory.allocate(MOST_SLOTS * SIZE_OF_SLOT);
  private int slotCount;
  private final long members = Memory.allocate(MOST_MEMBERS * SIZE_OF_MEMBER);
  private int memberCount;

  /**
   * Starts a type.
   *
   * @param name with its module
   * @param base the type whose fields come first
   */
  public TypeSpec(String name, long base) {
    this.name = name;
    this.base = base;
    this.size = Layout.basicSize(base);
  }

  /** Tells of structures, slots and flags. */
  public static void tell(Assumptions assumptions) {
    assumptions.add("Py_tp_dealloc", PY_TP_DEALLOC);
    assumptions.add("Py_tp_iter", PY_TP_ITER);
    assumptions.add("Py_tp_iternext", PY_TP_ITERNEXT);
    assumptions.add("Py_tp_members", PY_TP_MEMBERS);
    assumptions.add("offsetof(PyType_Spec, name)", SPEC_NAME);
    assumptions.add("offsetof(PyType_Spec, basicsize)", SPEC_BASICSIZE);
    assumptions.add("offsetof(PyType_Spec, flags)", SPEC_FLAGS);
    assumptions.add("offsetof(PyType_Spec, slots)", SPEC_SLOTS);
    assumptions.add("sizeof(PyType_Spec)", SIZE_OF_SPEC);
    assumptions.add("offsetof(PyType_Slot, slot)", SLOT_NUMBER);
    assumptions.add("offsetof(PyType_Slot, pfunc)", SLOT_POINTER);
    assumptions.add("sizeof(PyType_Slot)", SIZE_OF_SLOT);
    assumptions.add("offsetof(PyMemberDef, name)", MEMBER_NAME);
    assumptions.add("offsetof(PyMemberDef, type)", MEMBER_TYPE);
    assumptions.add("offsetof(PyMemberDef, offset)", MEMBER_OFFSET);
    assumptions.add("sizeof(PyMemberDef)", SIZE_OF_MEMBER);
    assumptions.add("T_OBJECT_EX", PY_T_OBJECT_EX);
    assumptions.add("Py_TPFLAGS_DEFAULT", PY_TPFLAGS_DEFAULT);
    assumptions.add("Py_TPFLAGS_BASETYPE", PY_TPFLAGS_BASETYPE);
    assumptions.add("Py_TPFLAGS_DISALLOW_INSTANTIATION", PY_TPFLAGS_DISALLOW_INSTANTIATION);
  }

  /** Adds a reference that Python sees under a name; returns its offset. */
  public int reference(String member) {
    long definition = members + (long) memberCount++ * SIZE_OF_MEMBER;
    int offset = hiddenLong();
    Memory.putLong(definition + MEMBER_NAME, Memory.cString(member));
    Memory.putInt(definition + MEMBER_TYPE, PY_T_OBJECT_EX);
    Memory.putLong(definition + MEMBER_OFFSET, offset);
    return offset;
  }

  /** Adds a 64-bit field that only Java sees; returns its offset. */
  public int hiddenLong() {
    int offset = size;
    size += Long.BYTES;
    return offset;
  }

  /** Lets Python classes derive from it. */
  public TypeSpec subclassable() {
    flags |= PY_TPFLAGS_BASETYPE;
    return this;
  }

  /** Only Java makes instances. */
  public TypeSpec notInstantiable() {
    flags |= PY_TPFLAGS_DISALLOW_INSTANTIATION;
    return this;
  }

  /** Makes its instances iterators. */
  public TypeSpec iterator(long next) {
    return slot(PY_TP_ITER, PyObjects.PyObject_SelfIter).slot(PY_TP_ITERNEXT, next);
  }

  /** Sets {@code tp_dealloc}, for a type without references to Python objects. */
  public TypeSpec deallocatedBy(long function) {
    return slot(PY_TP_DEALLOC, function);
  }

  private TypeSpec slot(int number, long pointer) {
    long slot = slots + (long) slotCount++ * SIZE_OF_SLOT;
    Memory.putInt(slot + SLOT_NUMBER, number);
    Memory.putLong(slot + SLOT_POINTER, pointer);
    return this;
  }

  /** Makes the type. */
  @Owned
  public long create() {
    if (memberCount > 0) {
      slot(PY_TP_MEMBERS, members);
    }
    long spec = Memory.allocate(SIZE_OF_SPEC);
    Memory.putLong(spec + SPEC_NAME, Memory.cString(name));
    Memory.putInt(spec + SPEC_BASICSIZE, size);
    Memory.putInt(spec + SPEC_FLAGS, flags);
    Memory.putLong(spec + SPEC_SLOTS, slots);
    return PyException.check(PyTypes.PyType_FromSpecWithBases(spec, base));
  }
}
