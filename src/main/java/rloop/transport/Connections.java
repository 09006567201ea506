package rloop.transport;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.object.PyException;

/** The connections of all loops, found by the number that a Python transport carries. */
public final class Connections {
  private static final int INITIAL_ROOM = 64;

  private final TransportType type;
  private @Nullable Connection[] table = new Connection[INITIAL_ROOM];
  private int[] free = new int[INITIAL_ROOM];
  private int freeCount;
  private int used = 1;

  /** No connections yet. */
  public Connections(TransportType type) {
    this.type = type;
  }

  /**
   * The connection of a Python transport.
   *
   * @throws PyException a {@code RuntimeError} if {@code __init__} has not run
   */
  public Connection of(long transport) {
    Connection connection = table[type.connection(transport)];
    if (connection == null) {
      throw PyException.runtimeError("the transport was not initialised");
    }
    return connection;
  }

  /** Gives a transport its connection. */
  public void add(long transport, Connection connection) {
    int number;
    if (freeCount > 0) {
      number = free[--freeCount];
    } else {
      if (used == table.length) {
        table = Arrays.copyOf(table, used * 2);
        free = Arrays.copyOf(free, used * 2);
      }
      number = used++;
    }
    table[number] = connection;
    type.setConnection(transport, number);
  }

  /** Forgets the connection of a transport that is about to die. */
  public void remove(long transport) {
    int number = type.connection(transport);
    if (number != 0) {
      type.setConnection(transport, 0);
      table[number] = null;
      free[freeCount++] = number;
    }
  }
}
