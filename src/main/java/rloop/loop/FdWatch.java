package rloop.loop;

import org.jspecify.annotations.Nullable;
import rloop.io.Channel;
import rloop.io.poll.Poller;

/**
 * A descriptor that user code owns, with at most one waiter in each direction.
 *
 * <p>It may stay registered without a waiter: who waits for a socket again and again ({@code
 * sock_recv}) then costs no system call but the one that does the work. Only when the descriptor
 * gets ready and nobody waits is the poller told.
 */
public final class FdWatch extends Channel {
  private final EventLoop loop;
  private @Nullable Waiter reader;
  private @Nullable Waiter writer;

  FdWatch(EventLoop loop, int fd) {
    super(fd);
    this.loop = loop;
  }

  @Override
  protected void ready(int readiness) {
    int unwanted = readiness & ~wanted(); // before who waits is satisfied
    if ((readiness & Poller.READ) != 0 && reader != null) {
      reader.ready();
    }
    if ((readiness & Poller.WRITE) != 0 && writer != null) {
      writer.ready();
    }
    if (unwanted != 0) {
      loop.watch(this, wanted());
    }
  }

  /**
   * Has somebody wait, in place of who did.
   *
   * @param direction {@link Poller#READ} or WRITE
   * @throws rloop.cpython.object.PyException if the kernel refuses, an {@code OSError}
   */
  public void await(int direction, Waiter waiter) {
    if (!isWatched(direction)) {
      loop.watch(this, wanted() | direction);
    }
    replace(direction, waiter);
  }

  /** Nobody knows whether the number is still the same file: the poller is asked anew. */
  public void distrust() {
    loop.forget(this);
    loop.watch(this, wanted());
  }

  /** Whether the poller watches that direction: it then tells of everything new. */
  public boolean isRegistered(int direction) {
    return isWatched(direction);
  }

  /** The waiter has got what it waited for; the descriptor stays registered. */
  public void satisfied(int direction) {
    if (direction == Poller.READ) {
      reader = null;
    } else {
      writer = null;
    }
  }

  /** Nobody waits in that direction any more; returns whether somebody did. */
  boolean cancel(int direction) {
    boolean was = (wanted() & direction) != 0;
    replace(direction, null);
    loop.watch(this, wanted());
    return was;
  }

  @SuppressWarnings("ReferenceEquality") // asks whether it is the same one, set again
  private void replace(int direction, @Nullable Waiter waiter) {
    Waiter old;
    if (direction == Poller.READ) {
      old = reader;
      reader = waiter;
    } else {
      old = writer;
      writer = waiter;
    }
    if (old != null && old != waiter) {
      old.replaced();
    }
  }

  /** The directions in which somebody waits. */
  int wanted() {
    return (reader != null ? Poller.READ : 0) | (writer != null ? Poller.WRITE : 0);
  }

  @Override
  protected void pollerClosed() {
    replace(Poller.READ, null);
    replace(Poller.WRITE, null);
  }
}
