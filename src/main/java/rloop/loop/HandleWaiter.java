package rloop.loop;

import rloop.cpython.api.PyContainers;
import rloop.cpython.api.PyErrors;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/**
 * A handle of {@code add_reader} or {@code add_writer}, run whenever the descriptor is ready.
 *
 * <p>The handle is borrowed: the Python loop's dictionary {@code _watchers} keeps it, where the
 * cycle collector sees it, so that a loop that is dropped unclosed can be collected. It stands
 * there from before it is watched until it isn't any more, under a key of its own, which is the
 * handle: whoever watches the same descriptor at the same time doesn't take it out.
 */
final class HandleWaiter implements Waiter {
  private final Scheduler scheduler;
  private final long handle;
  private final long watchers;

  private HandleWaiter(Scheduler scheduler, long handle, long watchers) {
    this.scheduler = scheduler;
    this.handle = handle;
    this.watchers = watchers;
  }

  /**
   * Has the dictionary keep a handle, until {@link #letGo}.
   *
   * @param file what it keeps with the handle
   */
  static HandleWaiter keep(Scheduler scheduler, long handle, long watchers, long file) {
    PyException.checkStatus(PyContainers.PyDict_SetItem(watchers, handle, file));
    return new HandleWaiter(scheduler, handle, watchers);
  }

  @Override
  public void ready() {
    if (!scheduler.isWaiting(handle)) { // as it may be when an I/O thread looks again
      scheduler.addHandle(handle);
    }
  }

  @Override
  public void replaced() {
    long kept = Ref.take(handle); // others come in, as the call dies
    scheduler.cancel(handle);
    letGo();
    Ref.drop(kept);
  }

  @Override
  public boolean isHeard() {
    return true;
  }

  @Override
  public boolean isByNumber() {
    return true;
  }

  @Override
  public boolean isFor(int fd) {
    return false;
  }

  void letGo() {
    if (PyContainers.PyDict_DelItem(watchers, handle) < 0) {
      PyErrors.PyErr_Clear(); // the dictionary was cleared
    }
  }
}
