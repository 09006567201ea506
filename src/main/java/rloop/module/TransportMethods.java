package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyBuffers;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.BytesPool;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.cpython.type.Methods;
import rloop.ffi.Memory;
import rloop.io.stream.StreamCalls;
import rloop.loop.Affinity;
import rloop.transport.Callbacks;
import rloop.transport.OpenFile;
import rloop.transport.StreamConnection;
import rloop.transport.StreamReading;
import rloop.transport.TransportChannel;
import rloop.transport.TransportType;

/** The methods of {@code rloop._core.Transport}. */
@SuppressWarnings("unused") // reached through method handles
final class TransportMethods {
  static final TransportType TYPE = new TransportType();

  private TransportMethods() {}

  /** Adds the methods to the type and returns it, borrowed. */
  static long type() {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    new Methods(TYPE.base, lookup, "lockOfOpen")
        .add("_open", "open", FAST, "($self, loop, fd, numbered_file, context, /)")
        .add(
            "_open_pipe", "openPipe", FAST, "($self, loop, fd, numbered_file, context, writes, /)");
    Methods.whoseLockMoves(TYPE.base, lookup, "lock")
        .add("_set_receiver", "setReceiver", ONE_ARGUMENT, "($self, receiver, /)")
        .add("_start_reading", "startReading", NO_ARGUMENTS, "($self, /)")
        .add("pause_reading", "pauseReading", NO_ARGUMENTS, "($self, /)")
        .add("resume_reading", "resumeReading", NO_ARGUMENTS, "($self, /)")
        .add("is_reading", "isReading", NO_ARGUMENTS, "($self, /)")
        .add("_receive_into", "receiveInto", ONE_ARGUMENT, "($self, buffer, /)")
        .add("_take_held", "takeHeld", NO_ARGUMENTS, "($self, /)")
        .add("_write", "write", ONE_ARGUMENT, "($self, data, /)")
        .add("_is_end_requested", "isEndRequested", NO_ARGUMENTS, "($self, /)")
        .add("_write_eof", "writeEof", NO_ARGUMENTS, "($self, /)")
        .add("get_write_buffer_size", "bufferSize", NO_ARGUMENTS, "($self, /)")
        .add("get_write_buffer_limits", "waterMarks", NO_ARGUMENTS, "($self, /)")
        .add("_set_water_marks", "setWaterMarks", FAST, "($self, high, low, /)")
        .add("_resumes", "resumes", NO_ARGUMENTS, "($self, /)")
        .add("_end_writing", "endWriting", NO_ARGUMENTS, "($self, /)")
        .add("_await_drain", "awaitDrain", NO_ARGUMENTS, "($self, /)")
        .add("_end_await_drain", "endAwaitDrain", NO_ARGUMENTS, "($self, /)")
        .add("_send_gathered", "sendGathered", NO_ARGUMENTS, "($self, /)")
        .add("_share", "share", NO_ARGUMENTS, "($self, /)")
        .add("_close", "close", NO_ARGUMENTS, "($self, /)")
        .add("_abort", "abort", NO_ARGUMENTS, "($self, /)")
        .add("_take_back_failure", "takeBackFailure", NO_ARGUMENTS, "($self, /)")
        .add("is_closing", "isClosing", NO_ARGUMENTS, "($self, /)")
        .add("_dispose", "dispose", NO_ARGUMENTS, "($self, /)")
        .add("_is_elsewhere", "isElsewhere", NO_ARGUMENTS, "($self, /)")
        .add("_home", "home", NO_ARGUMENTS, "($self, /)");
    return TYPE.base;
  }

  static long lockOfOpen(long self, long arguments) {
    return Loops.state(Arguments.get(arguments, 0));
  }

  static long lock(long self, long b) {
    return TYPE.loopState(self);
  }

  /** The channel of a transport, whose I/O is at home. */
  private static TransportChannel channel(long transport) {
    TransportChannel channel = TYPE.channel(transport);
    channel.takeIo();
    return channel;
  }

  /** As {@link #channel}, for a stream transport. */
  static StreamConnection stream(long transport) {
    StreamConnection stream = TYPE.stream(transport);
    stream.takeIo();
    return stream;
  }

  private static long open(long self, long arguments, long count, long d) {
    Arguments.expect("_open", count, 4);
    long loop = Arguments.get(arguments, 0);
    OpenFile file = openFile(arguments);
    long context = Arguments.context(Arguments.get(arguments, 3));
    Affinity affinity = Loops.hasSeveral(loop) ? Affinity.of(context) : null;
    StreamConnection connection =
        new StreamConnection(
            Loops.open(loop), file, StreamCalls.SOCKET, new Callbacks(TYPE, self, context));
    if (affinity != null && affinity.follows()) {
      connection.followUsers(affinity);
    }
    Loops.sockets(loop).forget(file.fd());
    TYPE.setChannel(self, connection, Loops.state(loop));
    return Arguments.none();
  }

  private static long openPipe(long self, long arguments, long count, long d) {
    Arguments.expect("_open_pipe", count, 5);
    long loop = Arguments.get(arguments, 0);
    boolean writes = Arguments.get(arguments, 4) == PyObjects.Py_True;
    StreamConnection connection =
        new StreamConnection(
            Loops.open(loop),
            openFile(arguments),
            writes ? StreamCalls.PIPE_TO_WRITE : StreamCalls.PIPE,
            new Callbacks(TYPE, self, Arguments.context(Arguments.get(arguments, 3))));
    TYPE.setChannel(self, connection, Loops.state(loop));
    return Arguments.none();
  }

  /** The arguments that follow on the loop: a descriptor, and the object that knows its number. */
  static OpenFile openFile(long arguments) {
    int fd = Arguments.toInt(Arguments.get(arguments, 1));
    return new OpenFile(Arguments.get(arguments, 2), fd);
  }

  /** {@code _set_receiver(protocol)}, or {@code None} for a {@code BufferedProtocol}. */
  private static long setReceiver(long self, long receiver, long c, long d) {
    channel(self).reading().setReceiver(receiver == PyObjects.Py_None ? 0 : receiver);
    return Arguments.none();
  }

  private static long startReading(long self, long b, long c, long d) {
    channel(self).reading().start();
    return Arguments.none();
  }

  private static long pauseReading(long self, long b, long c, long d) {
    channel(self).reading().pause();
    return Arguments.none();
  }

  private static long resumeReading(long self, long b, long c, long d) {
    channel(self).reading().resume();
    return Arguments.none();
  }

  private static long isReading(long self, long b, long c, long d) {
    return Arguments.bool(TYPE.channel(self).reading().isOn());
  }

  /**
   * {@code _receive_into(buffer)}: how many bytes were received; 0 or {@code -errno} at the end,
   * which the caller tells of; {@code None} if there is nothing to tell; {@code False} for what is
   * no buffer to write to: Python has to say so.
   */
  private static long receiveInto(long self, long buffer, long c, long d) {
    try (PyBuffer view = PyBuffer.orNull(buffer, PyBuffers.PyBUF_WRITABLE)) {
      if (view == null) {
        return Arguments.bool(false);
      }
      if (view.length() == 0) {
        throw PyException.runtimeError("get_buffer() returned an empty buffer");
      }
      return received(stream(self).reading().receiveInto(view.address(), view.length()));
    }
  }

  @Owned
  static long received(long count) {
    return count == StreamReading.NOTHING_TO_TELL
        ? Arguments.none()
        : PyScalars.PyLong_FromLongLong(count);
  }

  /** {@code _take_held()}: what was read and held back for one call, or {@code None}. */
  private static long takeHeld(long self, long b, long c, long d) {
    long data = channel(self).reading().takeHeld();
    return data == 0 ? Arguments.none() : data;
  }

  /**
   * {@code _write(data)}: {@code None} if all is done; {@code True} if the protocol is to be paused
   * now; {@code False} if nothing was done, for want of plain data or of an open connection.
   *
   * <p>Hot. Python has the last word because user code must not run above a Java frame.
   */
  private static long write(long self, long data, long c, long d) {
    StreamConnection connection = TYPE.stream(self);
    if (Ref.type(data) != PyScalars.PyBytes_Type) {
      connection.visit(); // copying lets others in
    }
    long bytes = connection.takesData() ? asBytes(data, connection.bytesPool()) : 0;
    if (bytes == 0) {
      return Arguments.bool(false);
    }
    if (bytes != data && !connection.takesData()) { // copying lets others in
      Ref.drop(bytes);
      return Arguments.bool(false);
    }
    long length = Memory.getLong(bytes + Layout.SIZE);
    if (length == 0) {
      Ref.drop(bytes);
      return Arguments.none();
    }
    return connection.write(bytes, bytes + Layout.BYTES_DATA, length)
        ? Arguments.bool(true)
        : Arguments.none();
  }

  /** The data itself, a copy of what may change after the call, or 0 for what is neither. */
  @Owned
  static long asBytes(long data, BytesPool pool) {
    long type = Ref.type(data);
    if (type == PyScalars.PyBytes_Type) {
      return Ref.take(data);
    }
    if (type != PyScalars.PyByteArray_Type && type != PyBuffers.PyMemoryView_Type) {
      return 0;
    }
    PyBuffer buffer;
    try {
      buffer = PyBuffer.of(data, PyBuffers.PyBUF_SIMPLE);
    } catch (PyException e) { // a memory view that is not contiguous, or released
      PyErrors.PyErr_Clear();
      return 0;
    }
    try (buffer) {
      return pool.copyOf(buffer.address(), buffer.length());
    }
  }

  private static long isEndRequested(long self, long b, long c, long d) {
    return Arguments.bool(TYPE.stream(self).isEndRequested());
  }

  private static long writeEof(long self, long b, long c, long d) {
    stream(self).writeEof();
    return Arguments.none();
  }

  private static long bufferSize(long self, long b, long c, long d) {
    return PyScalars.PyLong_FromLongLong(channel(self).bufferSize());
  }

  /** {@code get_write_buffer_limits()}: {@code (low, high)}, in bytes. */
  private static long waterMarks(long self, long b, long c, long d) {
    TransportChannel channel = TYPE.channel(self);
    return Tuples.of(
        PyScalars.PyLong_FromLongLong(channel.lowWater()),
        PyScalars.PyLong_FromLongLong(channel.highWater()));
  }

  private static long setWaterMarks(long self, long arguments, long count, long d) {
    Arguments.expect("_set_water_marks", count, 2);
    return Arguments.bool(
        channel(self)
            .setWaterMarks(
                Arguments.toLong(Arguments.get(arguments, 0)),
                Arguments.toLong(Arguments.get(arguments, 1))));
  }

  private static long resumes(long self, long b, long c, long d) {
    return Arguments.bool(channel(self).resumes());
  }

  private static long endWriting(long self, long b, long c, long d) {
    channel(self).endWriting();
    return Arguments.none();
  }

  private static long awaitDrain(long self, long b, long c, long d) {
    return Arguments.bool(stream(self).awaitDrain());
  }

  private static long endAwaitDrain(long self, long b, long c, long d) {
    stream(self).endAwaitDrain();
    return Arguments.none();
  }

  private static long sendGathered(long self, long b, long c, long d) {
    channel(self).sendGathered();
    return Arguments.none();
  }

  private static long share(long self, long b, long c, long d) {
    channel(self).share();
    return Arguments.none();
  }

  private static long close(long self, long b, long c, long d) {
    return Arguments.bool(channel(self).close());
  }

  private static long abort(long self, long b, long c, long d) {
    return Arguments.bool(channel(self).abort());
  }

  private static long takeBackFailure(long self, long b, long c, long d) {
    stream(self).takeBackFailure();
    return Arguments.none();
  }

  private static long isClosing(long self, long b, long c, long d) {
    return Arguments.bool(TYPE.channel(self).isClosing());
  }

  private static long isElsewhere(long self, long b, long c, long d) {
    return Arguments.bool(TYPE.channel(self).isElsewhere());
  }

  private static long home(long self, long b, long c, long d) {
    return PyScalars.PyLong_FromLongLong(TYPE.channel(self).home());
  }

  private static long dispose(long self, long b, long c, long d) {
    channel(self).dispose();
    return Arguments.none();
  }
}
