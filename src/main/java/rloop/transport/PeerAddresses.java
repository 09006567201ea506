package rloop.transport;

import static rloop.posix.Constants.AF_INET;
import static rloop.posix.Constants.AF_INET6;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
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
 * Addresses of peers as Python's {@code socket} module gives them: {@code (host, port)}, {@code
 * (host, port, flow_info, scope_id)}, or a path.
 *
 * <p>The last ones are remembered by their bytes. Peers that come back, as in a ping-pong they do,
 * get the same object again, and who sends to that very object needs no look at what is in it.
 */
final class PeerAddresses {
  /** A power of two: an address's place is found by so many bits of its hash. */
  private static final int ROOM = 1024;

  private static final int HASH_SHIFT = Long.SIZE - Integer.numberOfTrailingZeros(ROOM);

  /** 2^64 divided by the golden ratio: spreads what differs in a few bits over the upper ones. */
  private static final long HASH_FACTOR = 0x9E37_79B9_7F4A_7C15L;

  private final long text = Stdlib.calloc(1, ArpaInet.TEXT_SIZE);
  private final long names = Stdlib.calloc(ROOM, Sockaddr.STORAGE_SIZE);
  private final int[] lengths = new int[ROOM];
  private final @Owned long[] objects = new long[ROOM];

  /** How often an object was asked for: who comes in meanwhile asks for another. */
  private long calls;

  /** Where an object stands, by a hash of its address; perhaps one that is not there any more. */
  private final int[] placesOfObjects = new int[ROOM];

  /**
   * The Python object for an address.
   *
   * @param length in bytes; behind them, up to {@link Sockaddr#STORAGE_SIZE}, there are only zeros
   *     or leftovers
   */
  @Owned
  long get(long address, int length) {
    if (length == 0) {
      return Ref.take(PyObjects.Py_None); // a peer without a name
    }
    long call = ++calls;
    int place = place(address, length);
    long name = names + (long) place * Sockaddr.STORAGE_SIZE;
    if (lengths[place] == length && isSame(name, address, length)) {
      placesOfObjects[hashOf(objects[place])] = place;
      return Ref.take(objects[place]);
    }
    long object = PyException.check(create(address, length));
    if (call != calls) {
      return object; // others came in, and the memory may hold another address by now
    }
    long old = objects[place];
    Memory.copy(address, name, length);
    lengths[place] = length;
    objects[place] = Ref.take(object);
    placesOfObjects[hashOf(object)] = place;
    Ref.dropIfAny(old);
    return object;
  }

  /**
   * Writes the address that an object was made of, if it is remembered.
   *
   * @param family that it has to be of
   * @param sockaddr where to: {@link Sockaddr#STORAGE_SIZE} bytes
   * @return its length in bytes, or 0
   */
  int write(long object, int family, long sockaddr) {
    int place = placesOfObjects[hashOf(object)];
    long name = names + (long) place * Sockaddr.STORAGE_SIZE;
    if (objects[place] != object || Sockaddr.family(name) != family) {
      return 0;
    }
    Memory.copy(name, sockaddr, lengths[place]);
    return lengths[place];
  }

  private static int hashOf(long object) {
    return (int) ((object * HASH_FACTOR) >>> HASH_SHIFT);
  }

  private static int place(long address, int length) {
    long hash = length;
    int i = 0;
    for (; i + Long.BYTES <= length; i += Long.BYTES) {
      hash = (hash ^ Memory.getLong(address + i)) * HASH_FACTOR;
    }
    for (; i < length; i++) {
      hash = (hash ^ Memory.getByte(address + i)) * HASH_FACTOR;
    }
    return (int) (hash >>> HASH_SHIFT);
  }

  private static boolean isSame(long a, long b, int length) {
    int i = 0;
    for (; i + Long.BYTES <= length; i += Long.BYTES) {
      if (Memory.getLong(a + i) != Memory.getLong(b + i)) {
        return false;
      }
    }
    for (; i < length; i++) {
      if (Memory.getByte(a + i) != Memory.getByte(b + i)) {
        return false;
      }
    }
    return true;
  }

  @Owned
  private long create(long address, int length) {
    int family = Sockaddr.family(address);
    if (family == AF_INET) {
      return Tuples.of(
          host(family, address + SockaddrIn.ADDRESS),
          PyScalars.PyLong_FromLongLong(SockaddrIn.port(address)));
    }
    if (family == AF_INET6) {
      return Tuples.of(
          host(family, address + SockaddrIn6.ADDRESS),
          PyScalars.PyLong_FromLongLong(SockaddrIn6.port(address)),
          PyScalars.PyLong_FromLongLong(SockaddrIn6.flowInfo(address)),
          PyScalars.PyLong_FromLongLong(SockaddrIn6.scopeId(address)));
    }
    long path = address + SockaddrUn.PATH;
    int pathLength = length - SockaddrUn.PATH;
    if (pathLength > 0 && Memory.getByte(path) == 0) { // an abstract name
      return PyScalars.PyBytes_FromStringAndSize(path, pathLength);
    }
    Memory.putByte(address + length, (byte) 0); // the kernel's paths may have no zero at the end
    return PyScalars.PyUnicode_DecodeFSDefault(path);
  }

  @Owned
  private long host(int family, long address) {
    ArpaInet.inet_ntop(family, address, text);
    return PyException.check(PyScalars.PyUnicode_FromString(text));
  }

  /** Forgets all of it. */
  void close() {
    for (int i = 0; i < ROOM; i++) {
      Ref.dropIfAny(objects[i]);
      objects[i] = 0;
      lengths[i] = 0;
    }
    Stdlib.free(names);
    Stdlib.free(text);
  }
}
