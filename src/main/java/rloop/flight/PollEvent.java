package rloop.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** A wait of a loop. */
@Name("rloop.Poll")
@Label("Poll")
@Description("The loop waited for events and timers")
@Threshold("20 ms")
final class PollEvent extends LoopEvent {}
