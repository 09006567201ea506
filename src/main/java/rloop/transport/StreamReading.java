package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.io.stream.StreamEndpoint;

/**
 * As {@link Reading}, of a stream: also into the buffers of a {@code BufferedProtocol}, when the
 * batch asks it for one.
 */
public final class StreamReading extends Reading {
  /** There is neither data nor an end. */
  public static final long NOTHING_TO_TELL = StreamEndpoint.NOTHING;

  private final StreamConnection connection;
  private final StreamEndpoint endpoint;
  private final Inbound inbound;
  private final Callbacks callbacks;

  StreamReading(
      StreamConnection connection, StreamEndpoint endpoint, Inbound inbound, Callbacks callbacks) {
    super(connection, endpoint, inbound, callbacks);
    this.connection = connection;
    this.endpoint = endpoint;
    this.inbound = inbound;
    this.callbacks = callbacks;
  }

  /**
   * Receives into a protocol's own buffer.
   *
   * @return how many bytes; 0 at the end of the stream, or {@code -errno}, for the caller to tell;
   *     or {@link #NOTHING_TO_TELL}
   */
  public long receiveInto(long address, long length) {
    if (inbound.holdsData()) {
      return takeHeldInto(address, length);
    }
    long end = inbound.takeEnd(); // which an I/O thread has met
    if (end != NOTHING_TO_TELL) {
      return end;
    }
    long count = endpoint.receiveInto(address, length);
    if (count > 0) {
      inbound.hasRead(count);
    }
    return count;
  }

  /**
   * As {@link #receiveInto}, what TLS makes of the data; what does not fit follows in a later call
   * of the protocol.
   */
  public long receiveTlsInto(long address, long length) {
    if (inbound.holdsData()) {
      return takeHeldInto(address, length);
    }
    long count = endpoint.decryptInto(address, length);
    if (count != NOTHING_TO_TELL) {
      inbound.hasRead(count);
    }
    if (endpoint.hasUnread()) {
      connection.loop().schedule(callbacks.readBuffered());
    }
    return count;
  }

  private long takeHeldInto(long address, long length) {
    if (!isDelivering()) {
      return NOTHING_TO_TELL;
    }
    long count = inbound.takeHeldInto(address, length);
    if (!inbound.holdsData()) {
      heldIsDelivered();
    }
    return count;
  }

  @Override
  @Owned
  public long takeHeld() {
    long data = super.takeHeld();
    if (data != 0) {
      heldIsDelivered();
    }
    return data;
  }

  /** What came behind the data that was held has waited for that. */
  private void heldIsDelivered() {
    update();
    inbound.deliverHeld();
    if (endpoint.hasUnread() && !callbacks.hasReceiver()) {
      connection.loop().schedule(callbacks.readBuffered());
    }
    endpoint.repeatTlsEnd();
  }

  /**
   * Whether there is data from before the protocol was replaced, which has to be delivered first.
   */
  public boolean holdsData() {
    return inbound.holdsData();
  }
}
