package rloop.cpython.api;

import rloop.ffi.Downcall;
import rloop.ffi.Symbols;

/** {@code pybuffer.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyBuffers {
  /** The type {@code memoryview}. */
  public static final long PyMemoryView_Type = Symbols.address("PyMemoryView_Type");

  /** {@code PyBUF_SIMPLE}: contiguous bytes, to read. */
  public static final int PyBUF_SIMPLE = 0;

  /** {@code PyBUF_WRITABLE}: contiguous bytes, to write. */
  public static final int PyBUF_WRITABLE = 1;

  private static final Downcall GET_BUFFER = Downcall.of("PyObject_GetBuffer");
  private static final Downcall RELEASE = Downcall.of("PyBuffer_Release");

  private PyBuffers() {}

  /** Fills the {@code Py_buffer} at {@code view}: 0, or -1 with an exception set. */
  public static int PyObject_GetBuffer(long exporter, long view, int flags) {
    return (int) GET_BUFFER.call(exporter, view, flags);
  }

  public static void PyBuffer_Release(long view) {
    RELEASE.call(view);
  }
}
