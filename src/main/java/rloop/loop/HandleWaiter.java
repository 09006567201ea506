package rloop.loop;

/**
 * A handle of {@code add_reader} or {@code add_writer}, run whenever the descriptor is ready.
 *
 * <p>The handle is borrowed: the Python loop's dictionary {@code _watchers} keeps it, where the
 * cycle collector sees it, so that a loop that is dropped unclosed can be collected. {@link
 * FdWatches} puts it there before it is watched, and takes it out afterwards.
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
