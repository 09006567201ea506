package rloop.loop;

import org.jspecify.annotations.Nullable;

/**
 * What a context says about where its calls run: on a worker of a loop, with all that descends from
 * a connection, or from a task that was placed there.
 *
 * <p>The context holds an object that stands for this one. Where nothing else is said the worker is
 * the first of whatever loop it is.
 */
public final class Affinity {
  private volatile @Nullable EventLoop home;

  /** To a worker, or to the first one of any loop. */
  public Affinity(@Nullable EventLoop home) {
    this.home = home;
  }

  /** The worker; null for the first one of any loop. */
  public @Nullable EventLoop home() {
    return home;
  }

  /** From now on it is another worker. */
  public void moveTo(EventLoop home) {
    this.home = home;
  }
}
