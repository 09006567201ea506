package rloop.ffi;

/** Makes an unchecked exception of what {@code MethodHandle.invokeExact} is declared to throw. */
final class Unexpected {
  private Unexpected() {}

  /**
   * A downcall itself throws nothing; what comes out is an error of the JVM, and goes on as it is.
   */
  static RuntimeException inLinkage(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    if (e instanceof RuntimeException exception) {
      throw exception;
    }
    throw new AssertionError(e);
  }
}
