package rloop.ffi;

import java.lang.foreign.Linker;

/** Looks up C symbols of the process that the JVM runs in, by {@code dlsym(3)}. */
@SuppressWarnings("restricted")
public final class Symbols {
  /**
   * What to search: the {@code dlopen} handle through which Python sees its own C API, or 0 ({@code
   * RTLD_DEFAULT}) where no Python is the host. Both see libc.
   */
  private static final long HANDLE = Long.getLong("rloop.python", 0L);

  private static final Downcall DLSYM = new Downcall(addressOfDlsym());

  private Symbols() {}

  /** Where Python is the host it tells, for to look it up takes Java some milliseconds. */
  private static long addressOfDlsym() {
    Long told = Long.getLong("rloop.dlsym");
    return told == null
        ? Linker.nativeLinker().defaultLookup().findOrThrow("dlsym").address()
        : told;
  }

  /**
   * The address of a symbol.
   *
   * @throws UnsatisfiedLinkError if the process has no such symbol
   */
  public static long address(String name) {
    long address = addressOrZero(name);
    if (address == 0) {
      throw new UnsatisfiedLinkError("this process has no C symbol " + name);
    }
    return address;
  }

  /** The address of a symbol that not every version of a library has, or 0. */
  public static long addressOrZero(String name) {
    return find(HANDLE, name);
  }

  private static long find(long library, String name) {
    try (CString text = new CString(name)) {
      return DLSYM.call(library, text.address());
    }
  }

  static long address(long library, String name) {
    long address = find(library, name);
    if (address == 0) {
      throw new UnsatisfiedLinkError("the library has no C symbol " + name);
    }
    return address;
  }
}
