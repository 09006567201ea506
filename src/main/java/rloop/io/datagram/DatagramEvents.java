package rloop.io.datagram;

import rloop.io.EndpointEvents;

/** What a {@link DatagramEndpoint} tells: as {@link EndpointEvents}, and what arrives. */
public interface DatagramEvents extends EndpointEvents {
  /** Whether what there is may be received now. */
  boolean mayReceive();

  /**
   * A datagram has come; it stands there until this returns.
   *
   * @param name where it came from, as the kernel says it
   * @param nameLength how long that is, in bytes; 0 if it has no address
   */
  void received(long data, int length, long name, int nameLength);

  /** A receive has failed. */
  void receiveFailed(int errno);
}
