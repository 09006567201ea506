package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandles;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Methods;
import rloop.ffi.Memory;
import rloop.io.tls.TlsStream;
import rloop.openssl.Library;
import rloop.transport.StreamConnection;

/** The methods of {@code rloop._core.Transport} that the first TLS connection adds. */
@SuppressWarnings("unused") // reached through method handles
final class TlsMethods {
  /** What is exchanged in the test of a library: more than one record carries. */
  private static final int EXCHANGED_BYTES = 20_000;

  /** Where an {@code _ssl._SSLSocket} has its {@code SSL*}. */
  private static long sslOffset;

  private TlsMethods() {}

  static void add(long library, long offset) {
    Library.use(library);
    sslOffset = offset;
    Methods.whoseLockMoves(TransportMethods.TYPE.base, MethodHandles.lookup(), "lock")
        .add("_start_tls", "startTls", ONE_ARGUMENT, "($self, ssl_socket, /)")
        .add("_lend_ssl", "lendSsl", NO_ARGUMENTS, "($self, /)")
        .add("_return_ssl", "returnSsl", NO_ARGUMENTS, "($self, /)")
        .add("_flush_tls", "flushTls", NO_ARGUMENTS, "($self, /)")
        .add("_open_tls", "openTls", FAST, "($self, high, low, /)")
        .add("_stop_tls", "stopTls", ONE_ARGUMENT, "($self, lossless, /)")
        .add("_receive_tls_rest", "receiveRest", ONE_ARGUMENT, "($self, receiver, /)")
        .add("_receive_tls_into", "receiveInto", ONE_ARGUMENT, "($self, buffer, /)")
        .add("_holds_data", "holdsData", NO_ARGUMENTS, "($self, /)")
        .add("_write_tls", "writeTls", ONE_ARGUMENT, "($self, data, /)")
        .add("_tls_buffer_size", "bufferSize", NO_ARGUMENTS, "($self, /)")
        .add("_set_tls_water_marks", "setWaterMarks", FAST, "($self, high, low, /)")
        .add("_await_tls_drain", "awaitDrain", NO_ARGUMENTS, "($self, /)");
  }

  static long lock(long self, long b) {
    return TransportMethods.lock(self, b);
  }

  /** {@code _start_tls(ssl_socket)}: moves the ciphertext of a handshake from now on. */
  private static long startTls(long self, long sslSocket, long c, long d) {
    connection(self).tls().start(ssl(sslSocket), Ref.take(sslSocket));
    return Arguments.none();
  }

  private static long lendSsl(long self, long b, long c, long d) {
    connection(self).tls().lendSsl();
    return Arguments.none();
  }

  private static long returnSsl(long self, long b, long c, long d) {
    connection(self).tls().returnSsl();
    return Arguments.none();
  }

  /** {@code _flush_tls()}: sends the ciphertext that there is, when the batch is over. */
  private static long flushTls(long self, long b, long c, long d) {
    connection(self).tls().flush();
    return Arguments.none();
  }

  /**
   * {@code _open_tls(high, low)}: the handshake is done; the water marks of what is written, in
   * bytes. Whether Java can read and write.
   */
  private static long openTls(long self, long arguments, long count, long d) {
    StreamConnection connection = connection(self);
    boolean isOpen = connection.tls().open();
    setWaterMarks(connection, "_open_tls", arguments, count);
    return Arguments.bool(isOpen);
  }

  private static long stopTls(long self, long lossless, long c, long d) {
    connection(self).tls().stop(lossless == PyObjects.Py_True);
    return Arguments.none();
  }

  /**
   * {@code _receive_tls_rest(protocol)}: what was received and not read, or {@code None}; what
   * comes from now on goes to the protocol by itself.
   */
  private static long receiveRest(long self, long protocol, long c, long d) {
    StreamConnection connection = connection(self);
    long data = connection.receiveTlsRest();
    connection.reading().setReceiver(protocol);
    return data == 0 ? Arguments.none() : data;
  }

  /** {@code _receive_tls_into(buffer)}: as {@code _receive_into}, of bytes that were decrypted. */
  private static long receiveInto(long self, long buffer, long c, long d) {
    try (PyBuffer view = PyBuffer.orNull(buffer, PyBuffers.PyBUF_WRITABLE)) {
      return view == null
          ? Arguments.bool(false)
          : TransportMethods.received(
              connection(self).reading().receiveTlsInto(view.address(), view.length()));
    }
  }

  private static long holdsData(long self, long b, long c, long d) {
    return Arguments.bool(connection(self).reading().holdsData());
  }

  /**
   * {@code _write_tls(data)}: {@code None} if all is done; {@code True} if more waits now than the
   * high-water mark allows; {@code False} if nothing was done. Hot.
   */
  private static long writeTls(long self, long data, long c, long d) {
    StreamConnection connection = TransportMethods.TYPE.stream(self);
    if (Ref.type(data) != PyScalars.PyBytes_Type) {
      connection.visit(); // copying lets others in
    }
    long bytes =
        connection.tls().takesData() ? TransportMethods.asBytes(data, connection.bytesPool()) : 0;
    if (bytes == 0) {
      return Arguments.bool(false);
    }
    if (bytes != data && !connection.tls().takesData()) { // copying lets others in
      Ref.drop(bytes);
      return Arguments.bool(false);
    }
    long length = Memory.getLong(bytes + Layout.SIZE);
    if (length == 0) {
      Ref.drop(bytes);
      return Arguments.none();
    }
    return connection.tls().write(bytes, bytes + Layout.BYTES_DATA, length)
        ? Arguments.bool(true)
        : Arguments.none();
  }

  private static long bufferSize(long self, long b, long c, long d) {
    return PyScalars.PyLong_FromLongLong(connection(self).tls().bufferSize());
  }

  private static long setWaterMarks(long self, long arguments, long count, long d) {
    setWaterMarks(connection(self), "_set_tls_water_marks", arguments, count);
    return Arguments.none();
  }

  private static void setWaterMarks(
      StreamConnection connection, String method, long arguments, long count) {
    Arguments.expect(method, count, 2);
    connection
        .tls()
        .setWaterMarks(
            Arguments.toLong(Arguments.get(arguments, 0)),
            Arguments.toLong(Arguments.get(arguments, 1)));
  }

  private static long awaitDrain(long self, long b, long c, long d) {
    connection(self).tls().awaitDrain();
    return Arguments.none();
  }

  private static StreamConnection connection(long transport) {
    return TransportMethods.stream(transport);
  }

  private static long ssl(long sslSocket) {
    return Memory.getLong(sslSocket + sslOffset);
  }

  /** Whether bytes that one end encrypts are what the other one decrypts. */
  static boolean exchange(long sender, long receiver) {
    TlsStream from = new TlsStream(ssl(sender));
    TlsStream to = new TlsStream(ssl(receiver));
    from.open();
    to.open();
    try (Arena arena = Arena.ofConfined()) {
      long room = EXCHANGED_BYTES + 2 * TlsStream.LARGEST_RECORD;
      long sent = arena.allocate(room).address();
      long ciphertext = arena.allocate(room).address();
      long received = arena.allocate(room).address();
      for (int i = 0; i < EXCHANGED_BYTES; i++) {
        Memory.putByte(sent + i, (byte) i);
      }
      for (int taken = 0, all = 0; all < EXCHANGED_BYTES; all += taken) {
        taken = from.encrypt(sent + all, EXCHANGED_BYTES - all);
        if (taken == 0) {
          return false;
        }
      }
      int size = from.takeOutput(ciphertext, (int) room);
      return to.decrypt(ciphertext, size, received, room) == EXCHANGED_BYTES
          && areEqual(sent, received);
    }
  }

  private static boolean areEqual(long first, long second) {
    for (int i = 0; i < EXCHANGED_BYTES; i++) {
      if (Memory.getByte(first + i) != Memory.getByte(second + i)) {
        return false;
      }
    }
    return true;
  }
}
