package rloop.ffi;

import java.lang.invoke.MethodHandle;

/** Makes C function pointers of Java methods. An empty upcall takes about 30 ns. */
public final class Upcall {
  private Upcall() {}

  /**
   * A C function pointer, never freed, that calls {@code target}.
   *
   * <p>C may pass fewer arguments than the four; the others are then arbitrary. A C {@code int}
   * result is the lower half of what is returned. An exception that leaves the target ends the
   * process: the caller wraps it.
   *
   * @param target of type {@code (long, long, long, long) -> long}
   */
  public static long stub(MethodHandle target) {
    return Linkage.CHOSEN.upcall(target);
  }
}
