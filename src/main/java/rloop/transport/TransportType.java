package rloop.transport;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Modules;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.type.JavaReference;
import rloop.cpython.type.TypeSpec;
import rloop.ffi.Memory;

/**
 * The type that Python's transports derive from: {@code asyncio.Transport}, of the class that
 * asyncio's own fallback of {@code sendfile} asks for, and the references that Java needs. They
 * stand in the Python object because only there the cycle collector sees them.
 */
public final class TransportType {
  /** The type. */
  public final @Owned long base;

  /** {@code _channel}: stands for the {@link TransportChannel}. */
  private final int channel;

  /** {@code _loop_state}: what locks the loop, also after the loop's end. */
  private final int loopState;

  /** {@code _numbered_file}: keeps the object alive in which a descriptor's number stands. */
  final int file;

  /** {@code _context}: in which the protocol's methods run. */
  final int context;

  /** {@code _receiver}: the protocol, unless it is a {@code BufferedProtocol}. */
  final int receiver;

  /** {@code _delivery}: the call of the receiver, used again for each read. */
  final int delivery;

  /** {@code _buffered_read}: the call that a {@code BufferedProtocol} gets for each read. */
  final int bufferedRead;

  /** {@code _ssl_socket}: keeps the {@code SSL} alive that a connection uses. */
  final int sslSocket;

  /** Makes the type. */
  public TransportType() {
    long stdlib = Modules.attribute("asyncio.transports", "_FlowControlMixin");
    TypeSpec spec = new TypeSpec("rloop._core.Transport", stdlib).subclassable();
    channel = spec.reference("_channel");
    loopState = spec.reference("_loop_state");
    file = spec.reference("_numbered_file");
    context = spec.reference("_context");
    receiver = spec.reference("_receiver");
    delivery = spec.reference("_delivery");
    bufferedRead = spec.reference("_buffered_read");
    sslSocket = spec.reference("_ssl_socket");
    base = spec.create();
    Ref.drop(stdlib);
  }

  /** Gives a transport its channel, and the state object of its loop. */
  public void setChannel(long transport, TransportChannel value, long state) {
    set(transport, channel, JavaReference.create(JavaReference.TYPE, value));
    set(transport, loopState, Ref.take(state));
  }

  /** A transport is locked by another loop's state object from now on. */
  void setLoopState(long transport, long state) {
    set(transport, loopState, Ref.take(state));
  }

  /**
   * The state object of a transport's loop, borrowed.
   *
   * @throws PyException a {@code RuntimeError} if {@code __init__} has not run
   */
  public long loopState(long transport) {
    long state = get(transport, loopState);
    if (state == 0) {
      throw uninitialised();
    }
    return state;
  }

  /**
   * The channel of a transport.
   *
   * @throws PyException a {@code RuntimeError} if {@code __init__} has not run
   */
  public TransportChannel channel(long transport) {
    if (referent(transport) instanceof TransportChannel found) {
      return found;
    }
    throw uninitialised();
  }

  /** As {@link #channel}, for a stream transport. */
  public StreamConnection stream(long transport) {
    if (referent(transport) instanceof StreamConnection found) {
      return found;
    }
    throw uninitialised();
  }

  /** As {@link #channel}, for a datagram transport. */
  public DatagramConnection datagrams(long transport) {
    if (referent(transport) instanceof DatagramConnection found) {
      return found;
    }
    throw uninitialised();
  }

  private @Nullable Object referent(long transport) {
    long reference = get(transport, channel);
    return reference == 0 ? null : JavaReference.get(reference);
  }

  private static PyException uninitialised() {
    return PyException.runtimeError("the transport was not initialised");
  }

  /** What a slot holds, borrowed, or 0. */
  static long get(long transport, int slot) {
    return Memory.getLong(transport + slot);
  }

  /** Puts a reference, or 0, into a slot. */
  static void set(long transport, int slot, @Owned long object) {
    @Owned long old = get(transport, slot);
    Memory.putLong(transport + slot, object);
    Ref.dropIfAny(old);
  }
}
