package rloop.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;
import org.jspecify.annotations.Nullable;

/** A call that kept the loop. */
@Name("rloop.SlowCall")
@Label("Slow Call")
@Description("A callback, or a step of a task, that took long")
@Threshold("10 ms")
final class SlowCallEvent extends LoopEvent {
  @Label("Callback")
  @Description("What was called, of which task")
  @Nullable String callback;
}
