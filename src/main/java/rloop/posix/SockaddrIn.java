package rloop.posix;

/**
 * {@code struct sockaddr_in}: an IPv4 address and a port.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/ip.7.html">ip(7)</a>
 */
public final class SockaddrIn {
  /** {@code in_port_t sin_port}, in network byte order. */
  public static final int PORT = 2;

  /** {@code struct in_addr sin_addr}: four bytes. */
  public static final int ADDRESS = PORT + Short.BYTES;

  /** With eight bytes of {@code sin_zero} at the end. */
  public static final int SIZE = ADDRESS + Integer.BYTES + 8;

  private SockaddrIn() {}

  public static int port(long address) {
    return Sockaddr.networkShort(address + PORT);
  }

  public static void putPort(long address, int port) {
    Sockaddr.putNetworkShort(address + PORT, port);
  }
}
