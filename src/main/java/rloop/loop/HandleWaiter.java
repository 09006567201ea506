package rloop.loop;

import rloop.cpython.api.Owned;
import rloop.cpython.object.Ref;

/** A handle of {@code add_reader} or {@code add_writer}, run whenever the descriptor is ready. */
final class HandleWaiter implements Waiter {
  private final EventLoop loop;
  private final HandleType type;
  private final @Owned long handle;

  HandleWaiter(EventLoop loop, HandleType type, long handle) {
    this.loop = loop;
    this.type = type;
    this.handle = Ref.take(handle);
  }

  @Override
  public void ready() {
    loop.addHandle(type, handle);
  }

  @Override
  public void replaced() {
    loop.cancel(handle);
    Ref.drop(handle);
  }
}
