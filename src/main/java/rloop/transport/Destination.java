package rloop.transport;

import static rloop.posix.Constants.AF_INET;
import static rloop.posix.Constants.AF_INET6;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.PyContainers;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.ffi.Memory;
import rloop.posix.ArpaInet;
import rloop.posix.Sockaddr;
import rloop.posix.SockaddrIn;
import rloop.posix.SockaddrIn6;
import rloop.posix.SockaddrUn;
import rloop.posix.Stdlib;

/**
 * Python addresses as the kernel takes them.
 *
 * <p>Only what is usual, and of exactly the built-in types: a numeric host, a port in range, a path
 * that fits. The rest (names, wrong types, their errors) is {@code socket.sendto}'s.
 */
final class Destination {
  /** What {@link #encode} answers for an address that is left to Python. */
  static final int UNUSUAL = 0;

  private static final int MOST_PORT = 0xFFFF;
  private static final int MOST_FLOW_INFO = 0xF_FFFF;
  private static final long MOST_SCOPE_ID = 0xFFFF_FFFFL;
  private static final int SIZE_OF_SCOPED = 4;

  /** What {@code PyUnicode_AsUTF8AndSize} writes. */
  private final long textLength = Stdlib.calloc(1, Long.BYTES);

  /**
   * Writes an address.
   *
   * @param family of the socket
   * @param sockaddr where to: {@link Sockaddr#STORAGE_SIZE} bytes
   * @return its length in bytes, or {@link #UNUSUAL}
   */
  int encode(long address, int family, long sockaddr) {
    if (family == AF_INET || family == AF_INET6) {
      return Ref.type(address) == PyContainers.PyTuple_Type
          ? encodeInternet(address, family, sockaddr)
          : UNUSUAL;
    }
    return encodePath(address, family, sockaddr);
  }

  void close() {
    Stdlib.free(textLength);
  }

  private int encodeInternet(long address, int family, long sockaddr) {
    long size = Tuples.size(address);
    if (size < 2 || size > (family == AF_INET ? 2 : SIZE_OF_SCOPED)) {
      return UNUSUAL;
    }
    long port = number(address, 1, MOST_PORT);
    if (port < 0) {
      return UNUSUAL;
    }
    if (family == AF_INET) {
      Sockaddr.put(sockaddr, family, SockaddrIn.SIZE);
      SockaddrIn.putPort(sockaddr, (int) port);
      return isHost(Tuples.get(address, 0), family, sockaddr + SockaddrIn.ADDRESS)
          ? SockaddrIn.SIZE
          : UNUSUAL;
    }
    long flowInfo = size > 2 ? number(address, 2, MOST_FLOW_INFO) : 0;
    long scopeId =
        size > SIZE_OF_SCOPED - 1 ? number(address, SIZE_OF_SCOPED - 1, MOST_SCOPE_ID) : 0;
    if (flowInfo < 0 || scopeId < 0) {
      return UNUSUAL;
    }
    Sockaddr.put(sockaddr, family, SockaddrIn6.SIZE);
    SockaddrIn6.put(sockaddr, (int) port, (int) flowInfo, (int) scopeId);
    return isHost(Tuples.get(address, 0), family, sockaddr + SockaddrIn6.ADDRESS)
        ? SockaddrIn6.SIZE
        : UNUSUAL;
  }

  /** A number from 0 to {@code most}, or -1. */
  private static long number(long tuple, int index, long most) {
    long object = Tuples.get(tuple, index);
    if (Ref.type(object) != PyScalars.PyLong_Type) {
      return -1;
    }
    long value = PyScalars.PyLong_AsLongLong(object);
    if (value < 0) {
      PyErrors.PyErr_Clear(); // too great a number; for a negative one nothing is set
      return -1;
    }
    return value <= most ? value : -1;
  }

  /** Whether it is a numeric host of that family, which is then written. */
  private boolean isHost(long host, int family, long address) {
    if (Ref.type(host) != PyScalars.PyUnicode_Type) {
      return false;
    }
    long text = PyScalars.PyUnicode_AsUTF8AndSize(host, textLength);
    if (text == 0) {
      PyErrors.PyErr_Clear();
      return false;
    }
    long length = Memory.getLong(textLength);
    return length < ArpaInet.TEXT_SIZE
        && !hasZero(text, length)
        && ArpaInet.inet_pton(family, text, address);
  }

  private static boolean hasZero(long text, long length) {
    for (long i = 0; i < length; i++) {
      if (Memory.getByte(text + i) == 0) {
        return true;
      }
    }
    return false;
  }

  private static int encodePath(long address, int family, long sockaddr) {
    long type = Ref.type(address);
    if (type == PyScalars.PyBytes_Type) {
      return encodePathBytes(address, family, sockaddr);
    }
    if (type != PyScalars.PyUnicode_Type) {
      return UNUSUAL;
    }
    long path = PyScalars.PyUnicode_EncodeFSDefault(address);
    if (path == 0) {
      PyErrors.PyErr_Clear();
      return UNUSUAL;
    }
    int length = encodePathBytes(path, family, sockaddr);
    Ref.drop(path);
    return length;
  }

  private static int encodePathBytes(long path, int family, long sockaddr) {
    long length = Memory.getLong(path + Layout.SIZE);
    long text = path + Layout.BYTES_DATA;
    if (length == 0 || length >= SockaddrUn.SIZE - SockaddrUn.PATH) {
      return UNUSUAL;
    }
    boolean isAbstract = Memory.getByte(text) == 0;
    long copied = isAbstract ? length : length + 1; // a path ends with a zero, as all bytes do
    int whole = (int) (SockaddrUn.PATH + copied);
    Sockaddr.put(sockaddr, family, whole);
    Memory.copy(text, sockaddr + SockaddrUn.PATH, copied);
    return whole;
  }
}
