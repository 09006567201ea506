package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Methods;
import rloop.posix.SysSendfile;
import rloop.posix.SysSocket;
import rloop.transport.SocketState;

/**
 * The methods that Java adds to {@code rloop.RLoop} for operations on sockets. Those that are given
 * a socket answer {@code False} for one that was not adopted.
 */
@SuppressWarnings("unused") // reached through method handles
final class SocketMethods {
  private SocketMethods() {}

  static void addTo(long loopClass) {
    new Methods(loopClass, MethodHandles.lookup(), "lock")
        .add("_sock_adopt", "adopt", FAST, "($self, sock, fd, family, weak_reference, /)")
        .add("_sock_receive", "receive", FAST, "($self, sock, size, /)")
        .add("_sock_receive_into", "receiveInto", FAST, "($self, sock, buffer, /)")
        .add("_sock_send_all", "sendAll", FAST, "($self, sock, data, /)")
        .add("_sock_receive_from", "receiveFrom", FAST, "($self, sock, size, /)")
        .add("_sock_receive_from_into", "receiveFromInto", FAST, "($self, sock, buffer, size, /)")
        .add("_sock_send_to", "sendTo", FAST, "($self, sock, data, address, /)")
        .add("_sock_send_file", "sendFile", FAST, "($self, sock, file, offset, count, /)")
        .add("_sock_file_sent", "fileSent", ONE_ARGUMENT, "($self, sock, /)")
        .add("_accept", "accept", ONE_ARGUMENT, "($self, fd, /)");
  }

  private static long lock(long self, long b) {
    return Loops.state(self);
  }

  /**
   * {@code _sock_adopt(sock, fd, family, weak_reference)}: whether Java can work with the socket.
   */
  private static long adopt(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_adopt", count, 4);
    Loops.open(self);
    return Arguments.bool(
        Loops.sockets(self)
            .adopt(
                Arguments.get(arguments, 0),
                (int) Arguments.toLong(Arguments.get(arguments, 1)),
                (int) Arguments.toLong(Arguments.get(arguments, 2)),
                Ref.take(Arguments.get(arguments, 3))));
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

  /**
   * {@code _sock_receive_from(sock, size)}: {@code (bytes, address)}, or a future of it; {@code
   * None} if it is left to Python.
   */
  private static long receiveFrom(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive_from", count, 2);
    SocketState state = find(self, arguments);
    return state == null
        ? Arguments.bool(false)
        : orNone(state.datagrams().receive(Arguments.toLong(Arguments.get(arguments, 1))));
  }

  /**
   * {@code _sock_receive_from_into(sock, buffer, size)}: {@code (int, address)}, or a future of it;
   * {@code None} if it is left to Python.
   */
  private static long receiveFromInto(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive_from_into", count, 3);
    SocketState state = find(self, arguments);
    return state == null
        ? Arguments.bool(false)
        : orNone(
            state
                .datagrams()
                .receiveInto(
                    Arguments.get(arguments, 1), Arguments.toLong(Arguments.get(arguments, 2))));
  }

  /**
   * {@code _sock_send_to(sock, data, address)}: how many bytes, or a future of it; {@code None} if
   * it is left to Python.
   */
  private static long sendTo(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_send_to", count, 3);
    SocketState state = find(self, arguments);
    return state == null
        ? Arguments.bool(false)
        : orNone(state.datagrams().send(Arguments.get(arguments, 1), Arguments.get(arguments, 2)));
  }

  /**
   * {@code _sock_send_file(sock, file, offset, count)}: {@code (sent, errno or 0)}, or a future of
   * it; {@code None} where that is left to Python.
   */
  private static long sendFile(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_send_file", count, 4);
    if (!SysSendfile.isAvailable()) {
      return Arguments.none();
    }
    SocketState state = find(self, arguments);
    return state == null
        ? Arguments.bool(false)
        : state
            .fileSender()
            .send(
                (int) Arguments.toLong(Arguments.get(arguments, 1)),
                Arguments.toLong(Arguments.get(arguments, 2)),
                Arguments.toLong(Arguments.get(arguments, 3)));
  }

  /** {@code _sock_file_sent(sock)}: how many bytes the last {@code _sock_send_file} has sent. */
  private static long fileSent(long self, long socket, long c, long d) {
    SocketState state = Loops.sockets(self).find(socket);
    return PyScalars.PyLong_FromLongLong(state == null ? 0 : state.fileSender().sent());
  }

  /**
   * {@code _accept(fd)}: {@code (fd, address)}, or {@code None} if no connection waits; {@code
   * False} where that is left to Python.
   */
  private static long accept(long self, long fd, long c, long d) {
    if (!SysSocket.hasAccept4()) {
      return Arguments.bool(false);
    }
    Loops.open(self);
    return orNone(Loops.sockets(self).accept((int) Arguments.toLong(fd)));
  }

  private static long orNone(@Owned long object) {
    return object == 0 ? Arguments.none() : object;
  }

  private static @Nullable SocketState find(long self, long arguments) {
    return Loops.sockets(self).find(Arguments.get(arguments, 0));
  }
}
