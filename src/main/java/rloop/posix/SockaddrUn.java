package rloop.posix;

/**
 * {@code struct sockaddr_un}: the path of a Unix socket, or on Linux an abstract name, which starts
 * with a zero byte and ends where the address does.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class SockaddrUn {
  /** {@code char sun_path[]}. */
  public static final int PATH = 2;

  /** 108 bytes of path on Linux, 104 elsewhere. */
  public static final int SIZE = System.getProperty("os.name").equals("Linux") ? 110 : 106;

  private SockaddrUn() {}
}
