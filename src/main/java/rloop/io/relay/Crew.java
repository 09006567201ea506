package rloop.io.relay;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import rloop.io.IoThread;

/**
 * Threads that work beside the first I/O thread, each on a share of what a step has to do.
 *
 * <p>Thread rule: the first I/O thread, but for {@link #close}.
 */
final class Crew {
  private final ExecutorService helpers;
  private final List<Future<?>> running = new ArrayList<>();
  private final int shares;

  /** For so many shares, the first of which is the calling thread's. */
  Crew(int shares) {
    this.shares = shares;
    helpers = Executors.newFixedThreadPool(shares - 1, IoThread::new);
  }

  /** Does all shares of some work at once; throws what one of them threw, when all are done. */
  void share(IntConsumer work) {
    for (int share = 1; share < shares; share++) {
      int ofHelper = share;
      running.add(helpers.submit(() -> work.accept(ofHelper)));
    }
    @Nullable Throwable failure = null;
    try {
      work.accept(0);
    } catch (Throwable thrown) {
      failure = thrown;
    }
    for (Future<?> helper : running) {
      Throwable thrown = await(helper);
      failure = failure == null ? thrown : failure;
    }
    running.clear();
    if (failure != null) {
      throw new IllegalStateException("a share of the step has failed", failure);
    }
  }

  /** Waits for a share; returns what it threw. Nobody interrupts these threads. */
  private static @Nullable Throwable await(Future<?> helper) {
    try {
      helper.get();
      return null;
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (InterruptedException e) {
      return e;
    }
  }

  /** Ends the threads; no step runs. */
  void close() {
    helpers.shutdown();
  }
}
