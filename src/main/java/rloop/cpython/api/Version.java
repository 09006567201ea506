package rloop.cpython.api;

import rloop.ffi.Memory;
import rloop.ffi.Symbols;

/** The version of the CPython that this process is. */
public final class Version {
  /** {@code Py_Version}: major, minor, micro, level and serial, as {@code sys.hexversion}. */
  private static final long HEX = Memory.getLong(Symbols.address("Py_Version"));

  private static final int MAJOR_MINOR_SHIFT = 16;

  private Version() {}

  /** Whether this is CPython {@code 3.minor} or a later one. */
  public static boolean isAtLeast(int minor) {
    return HEX >> MAJOR_MINOR_SHIFT >= (3 << Byte.SIZE | minor);
  }
}
