package rloop.cpython.object;

import rloop.cpython.abi.Assumptions;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyErrors;
import rloop.ffi.Memory;

/** The memory of an object that has the buffer protocol; closing it gives the memory back. */
public final class PyBuffer implements AutoCloseable {
  // struct Py_buffer, pybuffer.h (part of the stable ABI)
  private static final int BUF = 0;
  private static final int LEN = 16;
  private static final int SIZE_OF_PY_BUFFER = 80;

  /** Only one view is open at a time on a thread, so one structure a thread will do. */
  private static final ThreadLocal<PyBuffer> VIEW = ThreadLocal.withInitial(PyBuffer::new);

  private final long view = Memory.allocate(SIZE_OF_PY_BUFFER);

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
    if (PyBuffers.PyObject_GetBuffer(exporter, buffer.view, flags) < 0) {
      PyErrors.PyErr_Clear();
      throw PyException.typeError(
          flags == PyBuffers.PyBUF_WRITABLE
              ? "a read-write bytes-like object is required"
              : "a bytes-like object is required");
    }
    return buffer;
  }

  public long address() {
    return Memory.getLong(view + BUF);
  }

  /** In bytes. */
  public long length() {
    return Memory.getLong(view + LEN);
  }

  @Override
  public void close() {
    PyBuffers.PyBuffer_Release(view);
  }
}
