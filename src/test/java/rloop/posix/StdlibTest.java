package rloop.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;

final class StdlibTest {
  @Test
  void memory_is_zeroed_and_keeps_its_content_when_it_grows() {
    long memory = Stdlib.calloc(2, Long.BYTES);
    assertThat(Memory.getLong(memory + Long.BYTES)).isZero();
    Memory.putLong(memory, 42);
    memory = Stdlib.realloc(memory, 1 << 20);
    assertThat(Memory.getLong(memory)).isEqualTo(42);
    Stdlib.free(memory);
  }

  @Test
  void too_much_memory_is_an_error() {
    assertThatExceptionOfType(OutOfMemoryError.class)
        .isThrownBy(() -> Stdlib.calloc(1, Long.MAX_VALUE));
  }
}
