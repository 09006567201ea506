package rloop.io.stream;

import rloop.io.EndpointEvents;

/** What a {@link StreamEndpoint} tells: as {@link EndpointEvents}, and what arrives. */
public interface StreamEvents extends EndpointEvents {
  /**
   * There is something to receive: {@link StreamEndpoint#offer} says where to, before this returns.
   *
   * @return whether that was done; else nothing is received now
   */
  boolean makeRoom();

  /**
   * As {@link #makeRoom}, ahead of time: {@link StreamEndpoint#offerAhead} says where to, if much
   * is expected, which should not be copied.
   */
  void prepareRoom();

  /** So many bytes have come to where there was room, which is what was offered. */
  void received(long address, long count);

  /** The stream has ended: 0, or the {@code errno} of the error that was its end. */
  void ended(int errno);

  /** There is something to receive, or to decrypt, by who asks for it. */
  void readable();

  /** TLS: what has come in is there for the next step of the handshake. */
  void handshakeFed();

  /** TLS: the peer sends nothing more, and all that it sent was told. */
  void tlsEnded();

  /** TLS: something came that is not data; from there on somebody else reads. */
  void tlsHandedBack();

  /** TLS: OpenSSL's code of the error that made the connection unusable. */
  void tlsFailed(long error);
}
