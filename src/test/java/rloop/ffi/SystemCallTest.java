package rloop.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.ENOENT;

import org.junit.jupiter.api.Test;

final class SystemCallTest {
  private static final SystemCall CLOSE = SystemCall.of("close");
  private static final SystemCall READ = SystemCall.of("read");
  private static final SystemCall LSEEK = SystemCall.of("lseek");

  @Test
  void a_failure_is_the_negative_errno_whether_c_returned_an_int_or_a_long() {
    assertThat(CLOSE.call(-1)).isEqualTo(-EBADF);
    assertThat(READ.call(-1, 0, 0)).isEqualTo(-EBADF);
  }

  @Test
  void each_failure_has_its_own_errno() {
    assertThat(SystemCall.of("rmdir").call(Memory.cString("/no/such/folder"))).isEqualTo(-ENOENT);
    assertThat(CLOSE.call(-1)).isEqualTo(-EBADF);
  }

  @Test
  void threads_do_not_see_each_others_errno() throws InterruptedException {
    long[] results = new long[2];
    Thread other = new Thread(() -> results[1] = CLOSE.call(-1));
    results[0] = LSEEK.call(-1, 0, 0);
    other.start();
    other.join();
    assertThat(results).containsExactly(-EBADF, -EBADF);
  }
}
