package rloop.io.relay;

import rloop.ffi.Memory;
import rloop.io.datagram.DatagramEndpoint;
import rloop.io.datagram.DatagramEvents;

/** What a datagram endpoint tells, at once or later. */
public final class NotedDatagrams extends NotedEndpoint<DatagramEndpoint, DatagramEvents>
    implements DatagramEvents {
  private static final int RECEIVED = OWN;
  private static final int RECEIVE_FAILED = OWN + 1;

  /** How a noted datagram stands in memory: these two, its address, zeros, the data. */
  private static final long LENGTH = 0;

  private static final long NAME_LENGTH = Integer.BYTES;
  private static final long NAME = 2 * Integer.BYTES;

  /** Behind an address, which may be a path without an end. */
  private static final long ZEROS = Long.BYTES;

  /** For a listener. */
  public NotedDatagrams(Notes notes, DatagramEvents listener) {
    super(notes, listener);
  }

  @Override
  public boolean mayReceive() {
    return notes.areTaken() ? notes.hasRoom() : listener.mayReceive();
  }

  @Override
  public void received(long data, int length, long name, int nameLength) {
    if (!notes.areTaken()) {
      listener.received(data, length, name, nameLength);
      return;
    }
    long copy = notes.allocate(NAME + nameLength + ZEROS + length);
    Memory.putInt(copy + LENGTH, length);
    Memory.putInt(copy + NAME_LENGTH, nameLength);
    Memory.copy(name, copy + NAME, nameLength);
    Memory.putLong(copy + NAME + nameLength, 0);
    Memory.copy(data, copy + NAME + nameLength + ZEROS, length);
    notes.add(this, RECEIVED, copy, 0);
  }

  @Override
  public void receiveFailed(int errno) {
    if (!note(RECEIVE_FAILED, errno, 0)) {
      listener.receiveFailed(errno);
    }
  }

  @Override
  void retellOwn(int event, long a, long b) {
    switch (event) {
      case RECEIVED -> {
        int nameLength = Memory.getInt(a + NAME_LENGTH);
        long data = a + NAME + nameLength + ZEROS;
        listener.received(data, Memory.getInt(a + LENGTH), a + NAME, nameLength);
      }
      case RECEIVE_FAILED -> listener.receiveFailed((int) a);
      default -> throw new IllegalArgumentException("no event of datagrams: " + event);
    }
  }
}
