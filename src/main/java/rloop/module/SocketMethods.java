package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Methods;
import rloop.posix.SysSocket;
import rloop.transport.SocketState;

/**
 * The methods that Java adds to {@code rloop.RLoop} for operations on sockets. Those that are given
 * a socket answer {@code False} for one that was not adopted, and {@code None} for what is left to
 * Python: rare families, wrong arguments.
 */
@SuppressWarnings("unused") // reached through method handles
final class SocketMethods {
  private SocketMethods() {}

  static void addTo(long loopClass) {
    new Methods(loopClass, MethodHandles.lookup(), "lock")
        .add("_sock_adopt", "adopt", FAST, "($self, sock, fd, family, weak_reference, /)")
        .add("_sock_receive", "receive", FAST, "($self, sock, size, /)")
        .add("_sock_receive_into", "receiveInto", FAST, "($self, sock, buffer, /)")
        .add("_sock_send", "send", FAST, "($self, sock, data, start, /)")
        .add("_sock_await_writable", "awaitWritable", ONE_ARGUMENT, "($self, sock, /)")
        .add("_sock_receive_from", "receiveFrom", FAST, "($self, sock, size, /)")
        .add("_sock_receive_from_into", "receiveFromInto", FAST, "($self, sock, buffer, size, /)")
        .add("_sock_send_to", "sendTo", FAST, "($self, sock, data, address, /)")
        .add("_sock_send_file", "sendFile", FAST, "($self, sock, file, offset, count, /)")
        .add("_sock_await_block", "awaitBlock", ONE_ARGUMENT, "($self, future, /)")
        .add("_accept", "accept", ONE_ARGUMENT, "($self, fd, /)")
        .add("_count_accepted", "countAccepted", NO_ARGUMENTS, "($self, /)");
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
                Arguments.toInt(Arguments.get(arguments, 1)),
                Arguments.toInt(Arguments.get(arguments, 2)),
                Ref.take(Arguments.get(arguments, 3))));
  }

  /** {@code _sock_receive(sock, size)}: bytes, or a future that is done when it is worth trying. */
  private static long receive(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive", count, 2);
    SocketState state = find(self, arguments);
    if (state == null) {
      return Arguments.bool(false);
    }
    long size = Arguments.toSize(Arguments.get(arguments, 1));
    return size < 0 ? Arguments.none() : state.receive(size);
  }

  /** {@code _sock_receive_into(sock, buffer)}: how many bytes, or a future as above. */
  private static long receiveInto(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive_into", count, 2);
    SocketState state = find(self, arguments);
    if (state == null) {
      return Arguments.bool(false);
    }
    try (PyBuffer buffer = buffer(arguments, PyBuffers.PyBUF_WRITABLE)) {
      return buffer == null ? Arguments.none() : state.receiveInto(buffer);
    }
  }

  /**
   * {@code _sock_send(sock, data, start)}: sends what comes after the first {@code start} bytes;
   * how many are then sent, or {@code True} if that is all.
   */
  private static long send(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_send", count, 3);
    SocketState state = find(self, arguments);
    if (state == null) {
      return Arguments.bool(false);
    }
    try (PyBuffer data = buffer(arguments, PyBuffers.PyBUF_SIMPLE)) {
      if (data == null) {
        return Arguments.none();
      }
      long start = Arguments.toLong(Arguments.get(arguments, 2));
      if (start > data.length()) {
        return Arguments.none();
      }
      long sent = start + state.send(data.address() + start, data.length() - start);
      return sent == data.length() ? Arguments.bool(true) : PyScalars.PyLong_FromLongLong(sent);
    }
  }

  /** {@code _sock_await_writable(sock)}: a future that is done when there may be room to send. */
  private static long awaitWritable(long self, long socket, long c, long d) {
    SocketState state = Loops.sockets(self).find(socket);
    return state == null ? Arguments.bool(false) : state.awaitWritable();
  }

  /** {@code _sock_receive_from(sock, size)}: {@code (bytes, address)}, or a future as above. */
  private static long receiveFrom(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive_from", count, 2);
    SocketState state = find(self, arguments);
    if (state == null) {
      return Arguments.bool(false);
    }
    return orNone(state.datagrams().receive(Arguments.toSize(Arguments.get(arguments, 1))));
  }

  /**
   * {@code _sock_receive_from_into(sock, buffer, size)}: {@code (int, address)}, or a future as
   * above.
   */
  private static long receiveFromInto(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_receive_from_into", count, 3);
    SocketState state = find(self, arguments);
    if (state == null) {
      return Arguments.bool(false);
    }
    long size = Arguments.toSize(Arguments.get(arguments, 2));
    try (PyBuffer buffer = buffer(arguments, PyBuffers.PyBUF_WRITABLE)) {
      return buffer == null
          ? Arguments.none()
          : orNone(state.datagrams().receiveInto(buffer, size));
    }
  }

  /** {@code _sock_send_to(sock, data, address)}: how many bytes, or a future as above. */
  private static long sendTo(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_send_to", count, 3);
    SocketState state = find(self, arguments);
    if (state == null) {
      return Arguments.bool(false);
    }
    try (PyBuffer data = buffer(arguments, PyBuffers.PyBUF_SIMPLE)) {
      return data == null
          ? Arguments.none()
          : orNone(state.datagrams().send(data, Arguments.get(arguments, 2)));
    }
  }

  /**
   * {@code _sock_send_file(sock, file, offset, count)}: how many bytes the kernel took, 0 at the
   * file's end, or {@code -errno}; or a future of that.
   */
  private static long sendFile(long self, long arguments, long count, long d) {
    Arguments.expect("_sock_send_file", count, 4);
    SocketState state = find(self, arguments);
    return state == null
        ? Arguments.bool(false)
        : state.sendFile(
            Arguments.toInt(Arguments.get(arguments, 1)),
            Arguments.toLong(Arguments.get(arguments, 2)),
            Arguments.toLong(Arguments.get(arguments, 3)));
  }

  /** {@code _sock_await_block(future)}: what such a future was to tell, which was given up. */
  private static long awaitBlock(long self, long future, long c, long d) {
    return PyScalars.PyLong_FromLongLong(Loops.sockets(self).awaitBlock(future));
  }

  /**
   * {@code _accept(fd)}: {@code (fd, peer's address, own address)}, or {@code None} if no
   * connection waits; {@code False} where that is left to Python.
   */
  private static long accept(long self, long fd, long c, long d) {
    if (!SysSocket.hasAccept4()) {
      return Arguments.bool(false);
    }
    Loops.open(self);
    return orNone(Loops.sockets(self).accept(Arguments.toInt(fd)));
  }

  /** {@code _count_accepted()}: Python has accepted a connection by itself. */
  private static long countAccepted(long self, long b, long c, long d) {
    Loops.of(self).counters().accepted();
    return Arguments.none();
  }

  @Owned
  private static long orNone(@Owned long object) {
    return object == 0 ? Arguments.none() : object;
  }

  /** The memory of the second argument, or null where Python has to say what is wrong with it. */
  private static @Nullable PyBuffer buffer(long arguments, int flags) {
    return PyBuffer.orNull(Arguments.get(arguments, 1), flags);
  }

  private static @Nullable SocketState find(long self, long arguments) {
    return Loops.sockets(self).find(Arguments.get(arguments, 0));
  }
}
