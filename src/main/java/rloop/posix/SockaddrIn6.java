package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct sockaddr_in6}: an IPv6 address, a port, and where the address counts.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/ipv6.7.html">ipv6(7)</a>
 */
public final class SockaddrIn6 {
  /** {@code in_port_t sin6_port}, in network byte order. */
  public static final int PORT = 2;

  /** {@code uint32_t sin6_flowinfo}, in network byte order. */
  public static final int FLOW_INFO = PORT + Short.BYTES;

  /** {@code struct in6_addr sin6_addr}: 16 bytes. */
  public static final int ADDRESS = FLOW_INFO + Integer.BYTES;

  /** {@code uint32_t sin6_scope_id}: the interface of a link-local address. */
  public static final int SCOPE_ID = ADDRESS + 16;

  public static final int SIZE = SCOPE_ID + Integer.BYTES;

  private SockaddrIn6() {}

  public static int port(long address) {
    return Sockaddr.networkShort(address + PORT);
  }

  public static long flowInfo(long address) {
    return Integer.toUnsignedLong(Integer.reverseBytes(Memory.getInt(address + FLOW_INFO)));
  }

  public static long scopeId(long address) {
    return Integer.toUnsignedLong(Memory.getInt(address + SCOPE_ID));
  }

  /** Fills in what stands beside the address itself. */
  public static void put(long address, int port, int flowInfo, int scopeId) {
    Sockaddr.putNetworkShort(address + PORT, port);
    Memory.putInt(address + FLOW_INFO, Integer.reverseBytes(flowInfo));
    Memory.putInt(address + SCOPE_ID, scopeId);
  }
}
