package rloop.flight;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.StackTrace;

/** What all events have in common: where they are shown, and that Java's stack says nothing. */
@Category({"rloop"})
@StackTrace(false)
abstract class LoopEvent extends Event {}
