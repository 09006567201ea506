package rloop.transport;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.PyObjects;
import rloop.ffi.Memory;

/**
 * A file that a transport is made for.
 *
 * @param object a {@code socket.socket} or {@code io.FileIO}, which has its descriptor's number as
 *     the first field, and -1 there once it is closed; or {@code None}
 * @param fd what the file says its descriptor is
 */
public record OpenFile(long object, int fd) {
  /** Whether its number can be read from the object. */
  boolean isNumberKnown() {
    return object != PyObjects.Py_None && Memory.getInt(numberAddress()) == fd;
  }

  /** Where the number stands. */
  long numberAddress() {
    return object + Layout.SOCKET_FD;
  }
}
