package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/**
 * The calls through which a connection tells its Python transport what happened: methods of {@code
 * rloop.transport.SocketTransport}, run in the context in which the transport was made.
 *
 * <p>The transport is kept alive by this as long as it is connected, as asyncio's is by the
 * selector.
 */
public final class Callbacks {
  // Method names of rloop.transport.SocketTransport.
  private static final long READ_BUFFERED = name("_read_buffered");
  private static final long DELIVER_HELD = name("_deliver_held");
  private static final long END_OF_FILE = name("_end_of_file");
  private static final long READ_FAILED = name("_read_failed");
  private static final long WRITE_FAILED = name("_write_failed");
  private static final long RESUME_WRITING = name("_resume_writing");
  private static final long DRAINED = name("_drained");
  private static final long CONNECTION_LOST = name("_call_connection_lost");

  private final @Owned long transport;
  private final @Owned long context;

  /** The call that a {@code BufferedProtocol} gets for each read, made once. */
  private @Owned long readBuffered;

  /** For a transport and the context of its protocol's calls. */
  public Callbacks(@Owned long transport, @Owned long context) {
    this.transport = transport;
    this.context = context;
  }

  private static long name(String method) {
    return PyException.check(PyScalars.PyUnicode_InternFromString(method));
  }

  /** Borrowed. */
  long transport() {
    return transport;
  }

  /** Borrowed. */
  long context() {
    return context;
  }

  @Owned
  long readBuffered() {
    if (readBuffered == 0) {
      readBuffered = call(READ_BUFFERED);
    }
    return Ref.take(readBuffered);
  }

  @Owned
  long deliverHeld() {
    return call(DELIVER_HELD);
  }

  @Owned
  long endOfFile() {
    return call(END_OF_FILE);
  }

  @Owned
  long readFailed(int errno) {
    return call(READ_FAILED, PyScalars.PyLong_FromLongLong(errno));
  }

  @Owned
  long writeFailed(int errno) {
    return call(WRITE_FAILED, PyScalars.PyLong_FromLongLong(errno));
  }

  @Owned
  long resumeWriting() {
    return call(RESUME_WRITING);
  }

  @Owned
  long drained() {
    return call(DRAINED);
  }

  @Owned
  long connectionLost() {
    return call(CONNECTION_LOST, Ref.take(PyObjects.Py_None));
  }

  @Owned
  private long call(long method) {
    return Tuples.of(Ref.take(context), bound(method));
  }

  @Owned
  private long call(long method, @Owned long argument) {
    return Tuples.of(Ref.take(context), bound(method), argument);
  }

  @Owned
  private long bound(long method) {
    return PyException.check(PyObjects.PyObject_GetAttr(transport, method));
  }

  /** Gives up all references; the transport may die by it. */
  void dispose() {
    Ref.dropIfAny(readBuffered);
    readBuffered = 0;
    Ref.drop(context);
    Ref.drop(transport);
  }
}
