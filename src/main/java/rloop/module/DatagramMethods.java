package rloop.module;

import static rloop.cpython.type.Methods.FAST;

import java.lang.invoke.MethodHandles;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.type.Methods;
import rloop.transport.DatagramCallbacks;
import rloop.transport.DatagramConnection;

/** The methods of {@code rloop._core.Transport} that only transports of datagrams have. */
@SuppressWarnings("unused") // reached through method handles
final class DatagramMethods {
  private DatagramMethods() {}

  static void addTo(long type) {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    new Methods(type, lookup, "lockOfOpen")
        .add(
            "_open_datagrams",
            "open",
            FAST,
            "($self, loop, fd, numbered_file, context, family, is_connected, address, header_size, /)");
    new Methods(type, lookup, "lock")
        .add("_send_datagram", "send", FAST, "($self, data, address, /)");
  }

  private static long lockOfOpen(long self, long arguments) {
    return TransportMethods.lockOfOpen(self, arguments);
  }

  private static long lock(long self, long b) {
    return TransportMethods.lock(self, b);
  }

  private static long open(long self, long arguments, long count, long d) {
    Arguments.expect("_open_datagrams", count, 8);
    long loop = Arguments.get(arguments, 0);
    Loops.open(loop);
    TransportMethods.TYPE.setChannel(
        self,
        Loops.sockets(loop)
            .openDatagrams(
                TransportMethods.openFile(arguments),
                new DatagramCallbacks(
                    TransportMethods.TYPE, self, Arguments.context(Arguments.get(arguments, 3))),
                Arguments.toInt(Arguments.get(arguments, 4)),
                Arguments.get(arguments, 5) == PyObjects.Py_True,
                orZero(Arguments.get(arguments, 6)),
                Arguments.toLong(Arguments.get(arguments, 7))),
        Loops.state(loop));
    return Arguments.none();
  }

  /**
   * {@code _send_datagram(data, address)}: {@code None} if all is done; {@code True} if the
   * protocol is to be paused now; an {@code int}, the error number; {@code False} if nothing was
   * done, for want of plain data, of a usual address or of an open transport.
   */
  private static long send(long self, long arguments, long count, long d) {
    Arguments.expect("_send_datagram", count, 2);
    DatagramConnection connection = TransportMethods.TYPE.datagrams(self);
    connection.takeIo();
    long data = TransportMethods.asBytes(Arguments.get(arguments, 0), connection.bytesPool());
    if (data == 0) {
      return Arguments.bool(false);
    }
    int answer;
    try {
      answer = connection.send(data, orZero(Arguments.get(arguments, 1)));
    } finally {
      connection.bytesPool().giveBack(data); // if it is a copy, and sent
    }
    return switch (answer) {
      case DatagramConnection.DONE -> Arguments.none();
      case DatagramConnection.PAUSE -> Arguments.bool(true);
      case DatagramConnection.UNUSUAL -> Arguments.bool(false);
      default -> PyScalars.PyLong_FromLongLong(-answer);
    };
  }

  private static long orZero(long object) {
    return object == PyObjects.Py_None ? 0 : object;
  }
}
