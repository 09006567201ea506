package rloop.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Looks up C symbols of the process that the JVM runs in, by {@code dlsym(3)}. */
@SuppressWarnings("restricted")
public final class Symbols {
  /**
   * What to search: the {@code dlopen} handle through which Python sees its own C API, or 0 ({@code
   * RTLD_DEFAULT}) where no Python is the host. Both see libc.
   */
  private static final long HANDLE = Long.getLong("rloop.python", 0L);

  private static final MethodHandle DLSYM =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("dlsym"),
              FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS));

  private Symbols() {}

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
    try (Arena arena = Arena.ofConfined()) {
      return (long) DLSYM.invokeExact(HANDLE, arena.allocateFrom(name));
    } catch (Throwable e) {
      throw Unexpected.inLinkage(e);
    }
  }

  static MemorySegment segment(String name) {
    return MemorySegment.ofAddress(address(name));
  }
}
