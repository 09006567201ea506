package rloop.posix;

/** A system call failed in a way that its caller has no answer to; Python knows it as OSError. */
public final class ErrnoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  /**
   * Of a call's result.
   *
   * @param result what the call returned: {@code -errno}
   */
  public ErrnoException(String call, long result) {
    super(call + " failed with errno " + -result);
    this.errno = (int) -result;
  }

  /** The result of a call, if it is one. */
  public static int check(String call, int result) {
    if (result < 0) {
      throw new ErrnoException(call, result);
    }
    return result;
  }

  public int errno() {
    return errno;
  }
}
