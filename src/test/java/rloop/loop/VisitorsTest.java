package rloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class VisitorsTest {
  private final Visitors visitors = new Visitors();

  @Test
  void a_thread_is_inside_until_its_method_ends() throws InterruptedException {
    CountDownLatch hasCome = new CountDownLatch(1);
    CountDownLatch goes = new CountDownLatch(1);
    Thread visitor =
        new Thread(() -> {
          visitors.come();
          hasCome.countDown();
          awaitUninterrupted(goes);
        });
    visitor.start();
    hasCome.await();
    assertThat(visitors.areInside()).isTrue();
    goes.countDown();
    visitor.join();
    assertThat(visitors.areInside()).isFalse();
  }

  @Test
  void who_asks_is_no_visitor() {
    visitors.come();
    assertThat(visitors.areInside()).isFalse();
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
