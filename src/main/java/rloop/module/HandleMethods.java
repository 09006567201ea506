package rloop.module;

import static rloop.cpython.type.Methods.NO_ARGUMENTS;

import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.cpython.type.Methods;
import rloop.loop.EventLoop;
import rloop.loop.HandleType;

/** The methods of {@code rloop._core.Handle} and {@code TimerHandle}. */
@SuppressWarnings("unused") // reached through method handles
final class HandleMethods {
  private static @Nullable HandleTypes types;

  private HandleMethods() {}

  static void add(HandleTypes handleTypes) {
    types = handleTypes;
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    new Methods(handleTypes.handle().base, lookup, "lock")
        .add("cancel", "cancel", NO_ARGUMENTS, "($self, /)")
        .add("_get_call", "getCall", NO_ARGUMENTS, "($self, /)")
        .add("_runs_elsewhere", "runsElsewhere", NO_ARGUMENTS, "($self, /)");
    new Methods(handleTypes.timerHandle().base, lookup, "lockOfTimer")
        .add("cancel", "cancelTimer", NO_ARGUMENTS, "($self, /)")
        .add("_get_call", "getTimerCall", NO_ARGUMENTS, "($self, /)")
        .add("_get_when", "getWhen", NO_ARGUMENTS, "($self, /)");
  }

  private static HandleType handles() {
    return HandleTypes.require(types).handle();
  }

  private static HandleType timerHandles() {
    return HandleTypes.require(types).timerHandle();
  }

  private static long state(HandleType type, long handle) {
    return Loops.state(type.loop(handle), type.worker(handle));
  }

  private static EventLoop loop(HandleType type, long handle) {
    return Loops.ofState(state(type, handle));
  }

  private static long lock(long self, long b) {
    return state(handles(), self);
  }

  private static long lockOfTimer(long self, long b) {
    return state(timerHandles(), self);
  }

  private static long cancel(long self, long b, long c, long d) {
    loop(handles(), self).scheduler().cancel(self);
    return Arguments.none();
  }

  private static long cancelTimer(long self, long b, long c, long d) {
    loop(timerHandles(), self).scheduler().cancelTimer(self);
    return Arguments.none();
  }

  /** {@code _get_call()}: the tuple {@code (context, callback, *arguments)}, or {@code None}. */
  private static long getCall(long self, long b, long c, long d) {
    return orNone(loop(handles(), self).scheduler().callOf(self));
  }

  /** {@code _runs_elsewhere()}: whether another thread runs the handle's call just now. */
  private static long runsElsewhere(long self, long b, long c, long d) {
    return Arguments.bool(loop(handles(), self).runsElsewhere(self));
  }

  private static long getTimerCall(long self, long b, long c, long d) {
    return orNone(timerHandles().call(self));
  }

  private static long getWhen(long self, long b, long c, long d) {
    return Ref.take(timerHandles().when(self));
  }

  @Owned
  private static long orNone(long object) {
    return object == 0 ? Arguments.none() : Ref.take(object);
  }
}
