package rloop.cpython.api;

import rloop.ffi.CString;
import rloop.ffi.CriticalCall;
import rloop.ffi.Downcall;
import rloop.ffi.Memory;
import rloop.ffi.Symbols;

/**
 * {@code bytesobject.h}, {@code bytearrayobject.h}, {@code longobject.h}, {@code floatobject.h},
 * {@code unicodeobject.h}.
 */
@SuppressWarnings("MemberName") // named as in the header
public final class PyScalars {
  /** The type {@code bytes}. */
  public static final long PyBytes_Type = Symbols.address("PyBytes_Type");

  /** The type {@code bytearray}. */
  public static final long PyByteArray_Type = Symbols.address("PyByteArray_Type");

  /** The type {@code int}. */
  public static final long PyLong_Type = Symbols.address("PyLong_Type");

  /** The type {@code str}. */
  public static final long PyUnicode_Type = Symbols.address("PyUnicode_Type");

  /** The type {@code float}. */
  public static final long PyFloat_Type = Symbols.address("PyFloat_Type");

  /** Allocates, copies, and no more: bytes are not tracked by the cycle collector. */
  private static final CriticalCall BYTES_FROM = CriticalCall.of("PyBytes_FromStringAndSize");

  private static final Downcall BYTES_RESIZE = Downcall.of("_PyBytes_Resize");
  private static final CriticalCall BYTE_ARRAY_AS = CriticalCall.of("PyByteArray_AsString");
  private static final CriticalCall LONG_FROM = CriticalCall.of("PyLong_FromLongLong");
  private static final Downcall LONG_AS = Downcall.of("PyLong_AsLongLong");
  private static final CriticalCall NUMBER_CHECK = CriticalCall.of("PyNumber_Check");
  private static final Downcall NUMBER_FLOAT = Downcall.of("PyNumber_Float");
  private static final Downcall UNICODE_FROM = Downcall.of("PyUnicode_FromString");
  private static final Downcall INTERN = Downcall.of("PyUnicode_InternFromString");
  private static final Downcall AS_UTF8 = Downcall.of("PyUnicode_AsUTF8");
  private static final Downcall AS_UTF8_AND_SIZE = Downcall.of("PyUnicode_AsUTF8AndSize");
  private static final Downcall DECODE_FS = Downcall.of("PyUnicode_DecodeFSDefault");
  private static final Downcall ENCODE_FS = Downcall.of("PyUnicode_EncodeFSDefault");
  private static final CriticalCall COMPARE = CriticalCall.of("PyUnicode_CompareWithASCIIString");

  private PyScalars() {}

  /** A copy of {@code size} bytes at an address; with the address 0, bytes to be filled. */
  @Owned
  public static long PyBytes_FromStringAndSize(long address, long size) {
    return BYTES_FROM.call(address, size);
  }

  /**
   * Gives {@code bytes} that nobody has seen yet another size; they may move.
   *
   * @param place where the reference stands, and the new one will; 0 after a failure
   * @return 0, or -1 with an exception set
   */
  public static int _PyBytes_Resize(long place, long size) {
    return (int) BYTES_RESIZE.call(place, size);
  }

  /** The address of the bytes, as long as nobody resizes the array; cannot fail. */
  public static long PyByteArray_AsString(long byteArray) {
    return BYTE_ARRAY_AS.call(byteArray);
  }

  @Owned
  public static long PyLong_FromLongLong(long value) {
    return LONG_FROM.call(value);
  }

  /** The value, or -1 where {@code PyErr_Occurred} tells the two meanings apart. */
  public static long PyLong_AsLongLong(long object) {
    return LONG_AS.call(object);
  }

  /** {@code PyNumber_Check}: whether it converts to a number by itself. */
  public static boolean PyNumber_Check(long object) {
    return (int) NUMBER_CHECK.call(object) != 0;
  }

  /** {@code float(object)}; may run Python code. */
  @Owned
  public static long PyNumber_Float(long object) {
    return NUMBER_FLOAT.call(object);
  }

  @Owned
  public static long PyUnicode_FromString(String text) {
    try (CString copy = new CString(text)) {
      return UNICODE_FROM.call(copy.address());
    }
  }

  /** A string of the NUL-terminated UTF-8 at an address. */
  @Owned
  public static long PyUnicode_FromString(long address) {
    return UNICODE_FROM.call(address);
  }

  /** A string of the NUL-terminated file name at an address. */
  @Owned
  public static long PyUnicode_DecodeFSDefault(long address) {
    return DECODE_FS.call(address);
  }

  /** A string as the {@code bytes} of a file name, or 0 with an exception set. */
  @Owned
  public static long PyUnicode_EncodeFSDefault(long object) {
    return ENCODE_FS.call(object);
  }

  /** An interned string; kept for the life of the process by whoever asks. */
  @Owned
  public static long PyUnicode_InternFromString(String text) {
    return INTERN.call(Memory.cString(text));
  }

  /** The address of the string in UTF-8, living as long as the object; 0 with an exception set. */
  public static long PyUnicode_AsUTF8(long object) {
    return AS_UTF8.call(object);
  }

  /**
   * As {@link #PyUnicode_AsUTF8}.
   *
   * @param size where its length in bytes is written: there may be zeros in it
   */
  public static long PyUnicode_AsUTF8AndSize(long object, long size) {
    return AS_UTF8_AND_SIZE.call(object, size);
  }

  /** As {@code strcmp}; cannot fail. */
  public static int PyUnicode_CompareWithASCIIString(long object, long text) {
    return (int) COMPARE.call(object, text);
  }
}
