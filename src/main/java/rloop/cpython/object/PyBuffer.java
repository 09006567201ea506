package rloop.cpython.object;

import static rloop.cpython.abi.Layout.FREE_THREADED;

import org.jspecify.annotations.Nullable;
import rloop.cpython.abi.Assumptions;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyScalars;
import rloop.ffi.Memory;
import rloop.ffi.Scratch;

/**
 * The memory of an object that has the buffer protocol; closing it gives the memory back.
 *
 * <p>With a GIL a {@code bytearray} is read without the protocol, for a third of the cost: nobody
 * can resize it before Python code runs, and then its address is not to be used any more.
 *
 * <p>Views nest: an exporter may be a Python class, and an allocation may run finalisers.
 */
public final class PyBuffer implements AutoCloseable {
  // struct Py_buffer, pybuffer.h (part of the stable ABI)
  private static final int BUF = 0;
  private static final int LEN = 16;
  private static final int SIZE_OF_PY_BUFFER = 80;

  /** The outermost view of a thread. */
  private static final ThreadLocal<PyBuffer> VIEW = ThreadLocal.withInitial(PyBuffer::new);

  private final Scratch view = new Scratch(SIZE_OF_PY_BUFFER);

  /** Made for the first view that is opened within this one. */
  private @Nullable PyBuffer inner;

  private boolean isOpen;
  private boolean isExported;
  private long address;
  private long length;

  private PyBuffer() {}

  /** Tells of the structure. */
  public static void tell(Assumptions assumptions) {
    assumptions.add("offsetof(Py_buffer, buf)", BUF);
    assumptions.add("offsetof(Py_buffer, len)", LEN);
    assumptions.add("sizeof(Py_buffer)", SIZE_OF_PY_BUFFER);
    assumptions.add("PyBUF_SIMPLE", PyBuffers.PyBUF_SIMPLE);
    assumptions.add("PyBUF_WRITABLE", PyBuffers.PyBUF_WRITABLE);
  }

  /**
   * Opens an object's memory.
   *
   * @param flags {@link PyBuffers#PyBUF_SIMPLE} or {@link PyBuffers#PyBUF_WRITABLE}
   * @throws PyException what the exporter raises
   */
  public static PyBuffer of(long exporter, int flags) {
    PyBuffer buffer = VIEW.get();
    while (buffer.isOpen) {
      buffer = buffer.inner();
    }
    buffer.open(exporter, flags);
    return buffer;
  }

  /** As {@link #of}, or null if the exporter raises: Python then says what is wrong with it. */
  public static @Nullable PyBuffer orNull(long exporter, int flags) {
    try {
      return of(exporter, flags);
    } catch (PyException e) {
      PyErrors.PyErr_Clear();
      return null;
    }
  }

  private PyBuffer inner() {
    PyBuffer buffer = inner;
    if (buffer == null) {
      buffer = new PyBuffer();
      inner = buffer;
    }
    return buffer;
  }

  private void open(long exporter, int flags) {
    isOpen = true; // before Python code may run
    isExported = FREE_THREADED || Ref.type(exporter) != PyScalars.PyByteArray_Type;
    if (!isExported) {
      address = PyScalars.PyByteArray_AsString(exporter);
      length = Memory.getLong(exporter + Layout.SIZE);
      return;
    }
    if (PyBuffers.PyObject_GetBuffer(exporter, view.address(), flags) < 0) {
      isOpen = false;
      throw PyException.isSet();
    }
    address = Memory.getLong(view.address() + BUF);
    length = Memory.getLong(view.address() + LEN);
  }

  public long address() {
    return address;
  }

  /** In bytes. */
  public long length() {
    return length;
  }

  @Override
  public void close() {
    if (isExported) {
      PyBuffers.PyBuffer_Release(view.address());
    }
    isOpen = false;
  }
}
