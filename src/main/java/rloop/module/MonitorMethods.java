package rloop.module;

import static rloop.cpython.type.Methods.FAST;
import static rloop.cpython.type.Methods.NO_ARGUMENTS;
import static rloop.cpython.type.Methods.ONE_ARGUMENT;

import java.lang.invoke.MethodHandles;
import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.type.Methods;
import rloop.ffi.Memory;
import rloop.loop.EventLoop;

/** The methods of {@code rloop.RLoop} that tell what it does; unused parameters are the shape's. */
@SuppressWarnings("unused") // reached through method handles
final class MonitorMethods {
  private MonitorMethods() {}

  static void addTo(long loopClass) {
    new Methods(loopClass, MethodHandles.lookup(), "lock")
        .add("_figures", "figures", NO_ARGUMENTS, "($self, /)")
        .add("_add_monitor", "addMonitor", FAST, "($self, threshold, resolution, /)")
        .add("_read_monitor", "readMonitor", ONE_ARGUMENT, "($self, number, /)")
        .add("_reset_monitor", "resetMonitor", ONE_ARGUMENT, "($self, number, /)")
        .add("_remove_monitor", "removeMonitor", ONE_ARGUMENT, "($self, number, /)");
  }

  private static long lock(long self, long b) {
    return Loops.state(self);
  }

  /** {@code _figures()}: as {@code bytes}, 64 bits a figure. */
  private static long figures(long self, long b, long c, long d) {
    return bytesOf(Loops.of(self).figures());
  }

  /** {@code _add_monitor(threshold, resolution)}, both in nanoseconds: the monitor's number. */
  private static long addMonitor(long self, long arguments, long count, long d) {
    Arguments.expect("_add_monitor", count, 2);
    return PyScalars.PyLong_FromLongLong(
        Loops.open(self)
            .monitors()
            .add(
                Arguments.toLong(Arguments.get(arguments, 0)),
                Arguments.toLong(Arguments.get(arguments, 1))));
  }

  /** {@code _read_monitor(number)}: its histograms, as {@code _figures()} is given. */
  private static long readMonitor(long self, long number, long c, long d) {
    return bytesOf(Loops.of(self).monitors().snapshot(Arguments.toInt(number)));
  }

  private static long resetMonitor(long self, long number, long c, long d) {
    Loops.of(self).monitors().reset(Arguments.toInt(number));
    return Arguments.none();
  }

  private static long removeMonitor(long self, long number, long c, long d) {
    EventLoop loop = Loops.of(self);
    loop.monitors().remove(Arguments.toInt(number));
    return Arguments.none();
  }

  @Owned
  private static long bytesOf(long[]... parts) {
    int size = 0;
    for (long[] part : parts) {
      size += part.length;
    }
    long bytes =
        PyException.check(PyScalars.PyBytes_FromStringAndSize(0, (long) size * Long.BYTES));
    long at = bytes + Layout.BYTES_DATA;
    for (long[] part : parts) {
      for (long value : part) {
        Memory.putLong(at, value);
        at += Long.BYTES;
      }
    }
    return bytes;
  }
}
