package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/** As {@link Callbacks}, for a transport of datagrams. */
public final class DatagramCallbacks extends Callbacks {
  private static final long DATAGRAM_RECEIVED = name("datagram_received");

  /** Index in {@code (context, datagram_received, data, address)}. */
  private static final int DELIVERED_ADDRESS = DELIVERED_DATA + 1;

  /** For a transport; see {@link Callbacks}. */
  public DatagramCallbacks(TransportType type, long transport, @Owned long context) {
    super(type, transport, context);
  }

  /**
   * The call {@code (context, protocol.datagram_received, data, address)}; 0 if the protocol has no
   * such method. The tuple is used again as in {@link Callbacks#delivery}.
   */
  @Owned
  long delivery(long data, long address) {
    long method = receiverMethod(DATAGRAM_RECEIVED);
    if (method == 0) {
      return 0;
    }
    long call = TransportType.get(transport, type.delivery);
    if (call != 0 && Ref.isOnlyOne(call)) {
      Tuples.setFirst(call, DELIVERED_METHOD, method);
      Tuples.setFirst(call, DELIVERED_DATA, Ref.take(data));
      @Owned long last = Tuples.get(call, DELIVERED_ADDRESS);
      Tuples.setFirst(call, DELIVERED_ADDRESS, Ref.take(address));
      Ref.drop(last);
      return Ref.take(call);
    }
    long made = Tuples.of(Ref.take(context()), method, Ref.take(data), Ref.take(address));
    TransportType.set(transport, type.delivery, Ref.take(made));
    return made;
  }

  /** {@code (data, address)} of a delivery. */
  @Owned
  static long delivered(long call) {
    return Tuples.of(
        Ref.take(Tuples.get(call, DELIVERED_DATA)), Ref.take(Tuples.get(call, DELIVERED_ADDRESS)));
  }
}
