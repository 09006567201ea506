package rloop.loop;

/**
 * A handle of {@code add_reader} or {@code add_writer}, run whenever the descriptor is ready.
 *
 * <p>The handle is borrowed: the Python loop keeps it in {@code _watchers} as long as it is
 * watched, where the cycle collector sees it. So a loop that is dropped unclosed can be collected.
 */
final class HandleWaiter implements Waiter {
  private final Scheduler scheduler;
  private final long handle;

  HandleWaiter(Scheduler scheduler, long handle) {
    this.scheduler = scheduler;
    this.handle = handle;
  }

  @Override
  public void ready() {
    scheduler.addHandle(handle);
  }

  @Override
  public void replaced() {
    scheduler.cancel(handle);
  }
}
