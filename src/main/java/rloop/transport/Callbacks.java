package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.BytesPool;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/**
 * The calls through which a connection tells its Python transport what happened: methods of {@code
 * rloop.transport.SocketTransport} and its siblings, run in the context in which the transport was
 * made.
 */
public class Callbacks {
  // Method names of the Python transports.
  private static final long READ_BUFFERED = name("_read_buffered");
  private static final long DELIVER_HELD = name("_deliver_held");
  private static final long END_OF_FILE = name("_end_of_file");
  private static final long READ_FAILED = name("_read_failed");
  private static final long WRITE_FAILED = name("_write_failed");
  private static final long RESUME_WRITING = name("_resume_writing");
  private static final long PAUSE_WRITING = name("_pause_writing");
  private static final long END_WRITING = name("_end_writing");
  private static final long DRAINED = name("_drained");
  private static final long CONNECTION_LOST = name("_call_connection_lost");

  private static final long TLS_HANDSHAKE = name("_tls_handshake");
  private static final long TLS_ENDED = name("_tls_ended");
  private static final long TLS_READ = name("_tls_read");
  private static final long TLS_FAILED = name("_tls_failed");
  private static final long TLS_DRAINED = name("_tls_drained");

  private static final long DATA_RECEIVED = name("data_received");

  /** Indices in {@code (context, data_received, data)}. */
  static final int DELIVERED_METHOD = 1;

  static final int DELIVERED_DATA = 2;

  /** A transport's to its file: the slot, {@code _file}, and what {@code "socket"} stands for. */
  private static final int OWN_FILE_REFERENCES = 3;

  final TransportType type;

  /**
   * Borrowed while nothing here points to it but its own channel; else one reference is owned. A
   * transport may die without having ended its connection: its {@code __del__} may be interrupted.
   */
  final long transport;

  private boolean isWatched;
  private boolean isDelivering;

  /** How many work on the endpoint, one within another. */
  private int uses;

  /** The transport while it is kept alive, or 0. */
  private @Owned long keptAlive;

  /**
   * For a transport.
   *
   * @param context in which its protocol's methods run
   */
  public Callbacks(TransportType type, long transport, @Owned long context) {
    this.type = type;
    this.transport = transport;
    TransportType.set(transport, type.context, context);
  }

  @Owned
  static long name(String method) {
    return PyException.check(PyScalars.PyUnicode_InternFromString(method));
  }

  /** Borrowed. */
  long transport() {
    return transport;
  }

  /**
   * Keeps the transport alive while the poller watches it, and no longer: as asyncio's selector
   * does.
   */
  void keepAlive(boolean keep) {
    isWatched = keep;
    keepAliveAsNeeded();
  }

  /** Whether somebody does. */
  final boolean isInUse() {
    return uses > 0;
  }

  /** Keeps the transport alive while somebody works on its endpoint, who may let others in. */
  final void use(boolean begins) {
    uses += begins ? 1 : -1;
    keepAliveAsNeeded();
  }

  private void keepAliveAsNeeded() {
    boolean keep = isWatched || isDelivering || uses > 0;
    long kept = keptAlive;
    if (keep && kept == 0) {
      keptAlive = Ref.take(transport);
    } else if (!keep && kept != 0) {
      keptAlive = 0;
      Ref.drop(kept);
    }
  }

  /**
   * Lets go of what refers to the transport, mostly through its protocol: nobody should have to
   * wait for a cycle collection. To be called last.
   */
  void dispose() {
    setReceiver(0);
    TransportType.set(transport, type.bufferedRead, 0);
    isDelivering = false;
    keepFile(0);
    keepAlive(false);
  }

  /** Whether somebody else has the object that {@link #keepFile} keeps. */
  final boolean isFileShared() {
    long file = TransportType.get(transport, type.file);
    return file != 0 && Ref.count(file) > OWN_FILE_REFERENCES;
  }

  /** Keeps the object alive in which the descriptor's number stands, or with 0 no longer. */
  void keepFile(@Owned long file) {
    TransportType.set(transport, type.file, file);
  }

  /** Sets the protocol that data goes to, or 0 for a {@code BufferedProtocol}. */
  void setReceiver(long protocol) {
    TransportType.set(transport, type.delivery, 0);
    TransportType.set(transport, type.receiver, protocol == 0 ? 0 : Ref.take(protocol));
  }

  boolean hasReceiver() {
    return TransportType.get(transport, type.receiver) != 0;
  }

  /**
   * The call {@code (context, protocol.data_received, data)}; 0 if the protocol has no such method.
   *
   * <p>The method is looked up each time, as asyncio does: programs replace it on the instance. The
   * tuple is the last one again, emptied when its batch was over, unless somebody holds it.
   */
  @Owned
  long delivery(long data) {
    long method = receiverMethod(DATA_RECEIVED);
    if (method == 0) {
      return 0;
    }
    long call = TransportType.get(transport, type.delivery);
    if (call != 0 && Ref.isOnlyOne(call)) {
      Tuples.setFirst(call, DELIVERED_METHOD, method);
      Tuples.setFirst(call, DELIVERED_DATA, Ref.take(data));
      return Ref.take(call);
    }
    long made = Tuples.of(Ref.take(context()), method, Ref.take(data));
    TransportType.set(transport, type.delivery, Ref.take(made));
    return made;
  }

  /** A method of the protocol; 0 if it has none of that name. */
  @Owned
  final long receiverMethod(long name) {
    long receiver = TransportType.get(transport, type.receiver);
    if (receiver == 0) {
      return 0; // there was one before others came in
    }
    long kept = Ref.take(receiver); // who comes in may set another one
    long method = PyObjects.PyObject_GetAttr(kept, name);
    if (method == 0) {
      PyErrors.PyErr_Clear();
    }
    Ref.drop(kept);
    return method;
  }

  /** The data of a delivery. */
  @Owned
  static long deliveredData(long call) {
    return Ref.take(Tuples.get(call, DELIVERED_DATA));
  }

  /**
   * The batch being filled delivers to the transport, which stays alive until {@link #delivered}.
   */
  final void delivers() {
    isDelivering = true;
    keepAliveAsNeeded();
  }

  /** The batch is over; once for all deliveries. The transport may die here. */
  final void delivered(BytesPool pool) {
    if (isDelivering) {
      forgetDelivered(pool);
      isDelivering = false;
      keepAliveAsNeeded();
    }
  }

  /**
   * Lets method and data of the last delivery go now, not when more arrives. Or else its tuple,
   * where somebody has it: what is in there is his as long as he likes.
   */
  private void forgetDelivered(BytesPool pool) {
    long call = TransportType.get(transport, type.delivery);
    if (call != 0 && !Ref.isOnlyOne(call)) {
      TransportType.set(transport, type.delivery, 0);
    } else if (call != 0) {
      @Owned long method = Tuples.get(call, DELIVERED_METHOD);
      @Owned long data = Tuples.get(call, DELIVERED_DATA);
      Tuples.setFirst(call, DELIVERED_METHOD, Ref.take(PyObjects.Py_None));
      Tuples.setFirst(call, DELIVERED_DATA, Ref.take(PyObjects.Py_None));
      pool.giveBack(data);
      Ref.drop(method);
    }
  }

  final long context() {
    return TransportType.get(transport, type.context);
  }

  @Owned
  long readBuffered() {
    long call = TransportType.get(transport, type.bufferedRead);
    if (call != 0) {
      return Ref.take(call);
    }
    long made = call(READ_BUFFERED);
    TransportType.set(transport, type.bufferedRead, Ref.take(made));
    return made;
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
  long pauseWriting() {
    return call(PAUSE_WRITING);
  }

  @Owned
  long endWriting() {
    return call(END_WRITING);
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
  long tlsHandshake() {
    return call(TLS_HANDSHAKE);
  }

  @Owned
  long tlsEnded() {
    return call(TLS_ENDED);
  }

  @Owned
  long tlsRead() {
    return call(TLS_READ);
  }

  @Owned
  long tlsFailed(long error) {
    return call(TLS_FAILED, PyScalars.PyLong_FromLongLong(error));
  }

  @Owned
  long tlsDrained() {
    return call(TLS_DRAINED);
  }

  /** Keeps an {@code _ssl._SSLSocket} alive, or with 0 no longer. */
  void setSslSocket(@Owned long sslSocket) {
    TransportType.set(transport, type.sslSocket, sslSocket);
  }

  @Owned
  private long call(long method) {
    return Tuples.of(Ref.take(context()), bound(method));
  }

  @Owned
  private long call(long method, @Owned long argument) {
    return Tuples.of(Ref.take(context()), bound(method), argument);
  }

  @Owned
  private long bound(long method) {
    return PyException.check(PyObjects.PyObject_GetAttr(transport, method));
  }
}
