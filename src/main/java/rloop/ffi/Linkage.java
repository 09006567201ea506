package rloop.ffi;

import java.lang.invoke.MethodHandle;

/** Between C functions and method handles, all of the two shapes that the package tells of. */
interface Linkage {
  /** What this process uses. */
  Linkage CHOSEN = InnerLinkage.isKnown() ? new InnerLinkage() : new PublicLinkage();

  /**
   * What calls C: {@code (long function, long a, …, long f, long) -> long}; the last argument is 0.
   *
   * @param critical without telling the JVM, see {@link CriticalCall}
   */
  MethodHandle downcall(boolean critical);

  /**
   * As {@link #downcall}, with the address of an {@code int} after the function's, where the JVM
   * leaves {@code errno} before anything can change it.
   */
  MethodHandle downcallWithErrno();

  /** A C function pointer, never freed, that calls {@code (long, long, long, long) -> long}. */
  long upcall(MethodHandle target);
}
