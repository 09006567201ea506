package rloop.io.poll;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that hand items over and wake the poller, which looks only after its polls, as a loop
 * does. A lost wake-up is a wait to the end of the time-out with an item in the queue.
 */
final class WakeUpStress {
  private static final int THREADS = 3;
  private static final int ITEMS = 10_000;
  private static final long TOO_LONG = TimeUnit.SECONDS.toNanos(10);

  private final Poller poller;
  private final Queue<Integer> queue = new ConcurrentLinkedQueue<>();

  WakeUpStress(Poller poller) {
    this.poller = poller;
  }

  void run() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      threads.add(Thread.ofPlatform().start(this::produce));
    }
    int received = 0;
    while (received < THREADS * ITEMS) {
      long start = System.nanoTime();
      poller.poll(TOO_LONG);
      assertThat(System.nanoTime() - start).as("one wait").isLessThan(TOO_LONG);
      while (queue.poll() != null) {
        received++;
      }
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void produce() {
    for (int i = 0; i < ITEMS; i++) {
      queue.add(i);
      poller.wakeup();
      if (i % 64 == 0) {
        LockSupport.parkNanos(1); // lets the poller fall asleep now and then
      }
    }
  }
}
