package rloop.loop;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;

/** A handle of {@code add_reader} or {@code add_writer}, run whenever the descriptor is ready. */
final class HandleWaiter implements Waiter {
  private final Scheduler scheduler;
  private final @Owned long handle;

  HandleWaiter(Scheduler scheduler, long handle) {
    this.scheduler = scheduler;
    this.handle = Ref.take(handle);
  }

  @Override
  public void ready() {
    scheduler.addHandle(handle);
  }

  @Override
  public void replaced() {
    scheduler.cancel(handle);
    Ref.drop(handle);
  }
}
