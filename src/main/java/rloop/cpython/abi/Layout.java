package rloop.cpython.abi;

import static rloop.cpython.api.PyContainers.PyTuple_Type;
import static rloop.cpython.api.PyObjects.PyBaseObject_Type;
import static rloop.cpython.api.PyScalars.PyBytes_Type;

import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.ffi.Memory;

/**
 * Offsets and sizes, in bytes, of what hot paths read and write without a call.
 *
 * <p>What Python tells of itself ({@code __basicsize__}, member descriptors) is read from it. The
 * rest is the table at the end; a test compiles a C program that holds the whole of this class
 * against the installed headers of each supported Python.
 */
public final class Layout {
  /** {@code sizeof(PyObject)}: 16, or 32 on free-threaded builds. */
  public static final int HEADER = basicSize(PyBaseObject_Type);

  private static final int FREE_THREADED_HEADER = 32;

  /** Whether this Python is a free-threaded build, which runs without a GIL. */
  public static final boolean FREE_THREADED = HEADER == FREE_THREADED_HEADER;

  /** {@code PyObject.ob_refcnt}; meaningless on free-threaded builds. */
  public static final int REFERENCE_COUNT = 0;

  /** {@code PyObject.ob_tid} of free-threaded builds: the owning thread. */
  public static final int OWNING_THREAD = 0;

  /** {@code PyObject.ob_ref_local} of free-threaded builds: references of the owning thread. */
  public static final int LOCAL_REFERENCES = Long.BYTES + Integer.BYTES;

  /** {@code PyObject.ob_ref_shared} of free-threaded builds: those of all others, and flags. */
  public static final int SHARED_REFERENCES = 2 * Long.BYTES;

  /** {@code PyObject.ob_type}, the last field of the header in both kinds of builds. */
  public static final int TYPE = HEADER - Long.BYTES;

  /** {@code PyVarObject.ob_size}. */
  public static final int SIZE = HEADER;

  /** {@code PyBytesObject.ob_sval}: the type counts one byte of it, for the closing zero. */
  public static final int BYTES_DATA = basicSize(PyBytes_Type) - 1;

  /** {@code PyBytesObject.ob_shash}: the hash, or -1. */
  public static final int BYTES_HASH = BYTES_DATA - Long.BYTES;

  /** {@code PyTupleObject.ob_item}: where the fixed part of a tuple ends. */
  public static final int TUPLE_ITEMS = basicSize(PyTuple_Type);

  // ---- the table: not to be read from Python, checked against the headers --------------------

  /** {@code PyTypeObject.tp_dealloc}, behind {@code ob_size}, the name and two sizes. */
  public static final int TYPE_DEALLOC = HEADER + 4 * Long.BYTES;

  /** {@code PyFloatObject.ob_fval}. */
  public static final int FLOAT_VALUE = HEADER;

  /** {@code PyWeakReference.wr_object}: the object referred to, or {@code None} when it is dead. */
  public static final int WEAK_REFERENCE_OBJECT = HEADER;

  /**
   * {@code PySocketSockObject.sock_fd}, from a header that is not installed ({@code
   * socketmodule.h}): held against {@code fileno()} for each socket before it is relied on.
   */
  public static final int SOCKET_FD = HEADER;

  /** {@code PyMemberDescrObject.d_member}, behind {@code PyDescr_COMMON}'s three pointers. */
  private static final int DESCRIPTOR_MEMBER = HEADER + 3 * Long.BYTES;

  /** {@code PyMemberDef.offset}, behind a pointer and an {@code int}. */
  private static final int MEMBER_OFFSET = 2 * Long.BYTES;

  private Layout() {}

  /** Tells of all that is not read from Python, and of what is read from {@code __basicsize__}. */
  public static void tell(Assumptions assumptions) {
    assumptions.add("sizeof(PyObject)", HEADER);
    assumptions.add("offsetof(PyObject, ob_type)", TYPE);
    assumptions.add("offsetof(PyVarObject, ob_size)", SIZE);
    assumptions.add("offsetof(PyBytesObject, ob_sval)", BYTES_DATA);
    assumptions.add("offsetof(PyBytesObject, ob_shash)", BYTES_HASH);
    assumptions.add("offsetof(PyTupleObject, ob_item)", TUPLE_ITEMS);
    assumptions.add("offsetof(PyTypeObject, tp_dealloc)", TYPE_DEALLOC);
    assumptions.add("offsetof(PyFloatObject, ob_fval)", FLOAT_VALUE);
    assumptions.add("offsetof(PyWeakReference, wr_object)", WEAK_REFERENCE_OBJECT);
    assumptions.add("offsetof(PyMemberDescrObject, d_member)", DESCRIPTOR_MEMBER);
    assumptions.add("offsetof(PyMemberDef, offset)", MEMBER_OFFSET);
    if (FREE_THREADED) {
      assumptions.add("offsetof(PyObject, ob_tid)", OWNING_THREAD);
      assumptions.add("offsetof(PyObject, ob_ref_local)", LOCAL_REFERENCES);
      assumptions.add("offsetof(PyObject, ob_ref_shared)", SHARED_REFERENCES);
    } else {
      assumptions.add("offsetof(PyObject, ob_refcnt)", REFERENCE_COUNT);
    }
  }

  /** {@code type.__basicsize__}. */
  public static int basicSize(long type) {
    return number(type, "__basicsize__");
  }

  /** {@code type.__weakrefoffset__}: where an instance has the list of its weak references. */
  public static int weakReferencesOffset(long type) {
    return number(type, "__weakrefoffset__");
  }

  private static int number(long type, String name) {
    long number = PyObjects.PyObject_GetAttrString(type, name);
    int value = (int) PyScalars.PyLong_AsLongLong(number);
    PyObjects.Py_DecRef(number);
    return value;
  }

  /** The offset of a slot of a class, from its member descriptor. */
  public static int slotOffset(long type, String name) {
    long descriptor = PyObjects.PyObject_GetAttrString(type, name);
    if (descriptor == 0) {
      throw new IllegalStateException("a class has no slot " + name);
    }
    long offset = Memory.getLong(Memory.getLong(descriptor + DESCRIPTOR_MEMBER) + MEMBER_OFFSET);
    PyObjects.Py_DecRef(descriptor);
    return (int) offset;
  }
}
