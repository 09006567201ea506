package rloop.loop;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** The workers of one Python loop that has several. */
public final class Workers {
  private final List<EventLoop> all = new CopyOnWriteArrayList<>();

  Workers() {}

  void add(EventLoop worker) {
    all.add(worker);
  }

  /** The one that this thread is, while the loop runs; or null. */
  public @Nullable EventLoop ofThisThread() {
    for (EventLoop worker : all) {
      if (worker.gathers()) {
        return worker;
      }
    }
    return null;
  }
}
