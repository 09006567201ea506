package rloop.posix;

import rloop.ffi.Symbols;
import rloop.ffi.SystemCall;

/** {@code <sys/stat.h>}. */
public final class SysStat {
  private static final boolean HAS_FSTAT = Symbols.addressOrZero("fstat") != 0;

  /** Before glibc 2.33 {@code fstat} is a macro that calls this. */
  private static final SystemCall FSTAT = SystemCall.of(HAS_FSTAT ? "fstat" : "__fxstat");

  /** {@code _STAT_VER} of that macro. */
  private static final int STAT_VER = System.getProperty("os.arch").equals("amd64") ? 1 : 0;

  private SysStat() {}

  /**
   * 0 or {@code -errno}.
   *
   * @param stat where a {@link Stat} goes
   * @see <a href="https://man7.org/linux/man-pages/man2/fstat.2.html">fstat(2)</a>
   */
  public static int fstat(int fd, long stat) {
    return (int) (HAS_FSTAT ? FSTAT.call(fd, stat) : FSTAT.call(STAT_VER, fd, stat));
  }
}
