package rloop.io.poll;

import org.jspecify.annotations.Nullable;

/** Chooses a poller. */
public final class Pollers {
  private Pollers() {}

  /**
   * A new poller.
   *
   * @param name {@code "epoll"}, {@code "poll"}, or null for the best that this system has; users
   *     give it in the environment variable {@code RLOOP_POLLER}
   * @throws IllegalArgumentException if there is no such poller on this system
   * @throws rloop.posix.ErrnoException if the system has no descriptors left for it
   */
  public static Poller create(@Nullable String name) {
    if (name == null) {
      return Epoll.isAvailable() ? Epoll.open() : Poll.open();
    }
    return switch (name) {
      case "epoll" -> epoll();
      case "poll" -> Poll.open();
      default ->
          throw new IllegalArgumentException(
              "RLOOP_POLLER='" + name + "': expected 'epoll' or 'poll'");
    };
  }

  private static Poller epoll() {
    if (!Epoll.isAvailable()) {
      throw new IllegalArgumentException("RLOOP_POLLER='epoll': this system has no epoll");
    }
    return Epoll.open();
  }
}
