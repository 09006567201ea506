package rloop.module;

import static rloop.cpython.type.Methods.FAST;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Methods;
import rloop.transport.SocketState;

/**
 * The methods that Java adds to {@code rloop.RLoop} for operations on sockets. Each answers {@code
 * False} for a socket that was not adopted.
 */
@SuppressWarnings("unused") // reached through method handles
final class SocketMethods {
  private SocketMethods() {}

  static void addTo(long loopClass) {
    new Methods(loopClass, MethodHandles.lookup(), "lock")
        .add("_sock_adopt", "adopt", FAST, "($self, sock, fd, weak_reference, /)")
        .add("_sock_receive", "receive", FAST, "($self, sock, size, /)")
        .add("_sock_receive_into", "receiveInto", FAST, "($self, sock, buffer, /)")
        .add("_sock_send_all", "sendAll", FAST, "($self, sock, data, /)");
  }

  private static long lock(long self, long b) {
    return Loops.state(self);
  }

  /** {@code _sock_adopt(sock, fd, weak_reference)}: whether Java can work with the socket. */
  private static long adopt(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_adopt", count, 3);
    Loops.open(self);
    return Arguments.bool(
        Loops.sockets(self)
            .adopt(
                Arguments.get(arguments, 0),
                (int) Arguments.toLong(Arguments.get(arguments, 1)),
                Ref.take(Arguments.get(arguments, 2))));
  }

  /** {@code _sock_receive(sock, size)}: bytes, or a future of them. */
  private static long receive(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive", count, 2);
    SocketState state = find(self, arguments);
    return state == null
        ? Arguments.bool(false)
        : state.receive(Arguments.toLong(Arguments.get(arguments, 1)));
  }

  /** {@code _sock_receive_into(sock, buffer)}: how many bytes, or a future of it. */
  private static long receiveInto(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive_into", count, 2);
    SocketState state = find(self, arguments);
    return state == null ? Arguments.bool(false) : state.receiveInto(Arguments.get(arguments, 1));
  }

  /** {@code _sock_send_all(sock, data)}: {@code None}, or a future of it. */
  private static long sendAll(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_send_all", count, 2);
    SocketState state = find(self, arguments);
    return state == null ? Arguments.bool(false) : state.sendAll(Arguments.get(arguments, 1));
  }

  private static @Nullable SocketState find(long self, long arguments) {
    return Loops.sockets(self).find(Arguments.get(arguments, 0));
  }
}
