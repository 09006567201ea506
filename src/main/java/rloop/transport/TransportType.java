package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.type.TypeSpec;
import rloop.ffi.Memory;

/** The type that Python's socket transport derives from: {@code asyncio.Transport} and a number. */
public final class TransportType {
  /** The type. */
  public final @Owned long base;

  /** The number of the connection in {@link Connections}, counted from 1; 0 before it has one. */
  private final int connection;

  /** Makes the type. */
  public TransportType() {
    long asyncio = PyException.check(PyRuntime.PyImport_ImportModule("asyncio.transports"));
    long stdlib = PyException.check(PyObjects.PyObject_GetAttrString(asyncio, "Transport"));
    TypeSpec spec = new TypeSpec("rloop._core.Transport", stdlib).subclassable();
    connection = spec.hiddenLong();
    base = spec.create();
    Ref.drop(stdlib);
    Ref.drop(asyncio);
  }

  int connection(long transport) {
    return (int) Memory.getLong(transport + connection);
  }

  void setConnection(long transport, int number) {
    Memory.putLong(transport + connection, number);
  }
}
