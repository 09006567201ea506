package rloop.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** An iteration of a loop. */
@Name("rloop.Iteration")
@Label("Iteration")
@Description("The loop worked, from one wait to the next or to the next look at the kernel")
@Threshold("10 ms")
final class IterationEvent extends LoopEvent {
  @Label("Calls")
  @Description("How many calls ran")
  long calls;
}
