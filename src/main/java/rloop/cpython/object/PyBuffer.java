package rloop.cpython.object;

import static rloop.cpython.abi.Layout.FREE_THREADED;

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
 * <p>While one is open no Python code may run on this thread. So with a GIL nobody can resize a
 * {@code bytearray} in the meantime, and it is read without the protocol, for a third of the cost.
 */
public final class PyBuffer implements AutoCloseable {
  // struct Py_buffer, pybuffer.h (part of the stable ABI)
  private static final int BUF = 0;
  private static final int LEN = 16;
  private static final int SIZE_OF_PY_BUFFER = 80;

  /** Only one view is open at a time on a thread, so one structure a thread will do. */
  private static final ThreadLocal<PyBuffer> VIEW = ThreadLocal.withInitial(PyBuffer::new);

  private final Scratch view = new Scratch(SIZE_OF_PY_BUFFER);
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
   * @throws PyException a {@code TypeError}, as functions of the standard library raise it
   */
  public static PyBuffer of(long exporter, int flags) {
    PyBuffer buffer = VIEW.get();
    if (!FREE_THREADED && Ref.type(exporter) == PyScalars.PyByteArray_Type) {
      buffer.isExported = false;
      buffer.address = PyScalars.PyByteArray_AsString(exporter);
      buffer.length = Memory.getLong(exporter + Layout.SIZE);
      return buffer;
    }
    if (PyBuffers.PyObject_GetBuffer(exporter, buffer.view.address(), flags) < 0) {
      PyErrors.PyErr_Clear();
      throw PyException.typeError(
          flags == PyBuffers.PyBUF_WRITABLE
              ? "a read-write bytes-like object is required"
              : "a bytes-like object is required");
    }
    buffer.isExported = true;
    buffer.address = Memory.getLong(buffer.view.address() + BUF);
    buffer.length = Memory.getLong(buffer.view.address() + LEN);
    return buffer;
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
  }
}
