package rloop.loop;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;

/**
 * The calls of a connection that moves from one worker to another: they are taken out of the one
 * queue and added to the other, in order.
 *
 * <p>A call is the connection's if its context says so: that of its own calls, and of all that
 * descends from it. Timers stay where they were set, and go home as they fire.
 *
 * <p>Thread rule: with both loops' locks, and nobody is let in.
 */
final class HandOver {
  private final Scheduler from;
  private final Scheduler to;

  HandOver(Scheduler from, Scheduler to) {
    this.from = from;
    this.to = to;
  }

  /** Moves all calls that wait; throws before it moves any. */
  void move(long context, Affinity affinity, Renumbering renumbering) {
    ReadyQueue ready = from.ready();
    from.settleLastHandle();
    long end = ready.end();
    to.ready().reserve((int) (end - ready.firstWaiting()));
    for (long sequence = ready.firstWaiting(); sequence < end; sequence++) {
      long callContext = contextOf(ready.find(sequence));
      if (callContext == context || (callContext != 0 && Affinity.of(callContext) == affinity)) {
        long moved = to.ready().append(forOther(sequence));
        renumbering.renumber(sequence, moved);
      }
    }
  }

  private long contextOf(long call) {
    long handle = from.calls().handleOf(call);
    long ofHandle = handle == 0 ? 0 : from.callIn(handle);
    return Tuples.get(ofHandle == 0 ? call : ofHandle, Calls.CONTEXT);
  }

  /** A call as the other loop runs it: by its handle, if somebody has that and may cancel it. */
  @Owned
  private long forOther(long sequence) {
    long call = from.ready().take(sequence);
    long handle = from.calls().handleOf(call);
    if (handle == 0) {
      handle = from.keptHandle(sequence);
    }
    if (handle == 0) {
      return call;
    }
    long byHandle = to.calls().run(handle);
    Ref.drop(call);
    return byHandle;
  }
}
