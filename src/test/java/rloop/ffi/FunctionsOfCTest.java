package rloop.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class FunctionsOfCTest {
  static Stream<CFunction> everyKindOfStrnlen() {
    return Stream.of(Downcall.of("strnlen"), CriticalCall.of("strnlen"), SystemCall.of("strnlen"));
  }

  @ParameterizedTest
  @MethodSource("everyKindOfStrnlen")
  void arguments_go_in_and_the_result_comes_out(CFunction strnlen) {
    long text = Memory.cString("four");
    assertThat(strnlen.call(text, 100)).isEqualTo(4);
    assertThat(strnlen.call(text, 2)).isEqualTo(2);
  }

  @Test
  void six_arguments_arrive_in_their_order() {
    long text = Memory.allocate(64);
    long format = Memory.cString("%ld %ld %ld");
    CFunction snprintf = Downcall.of("snprintf");
    assertThat((int) snprintf.call(text, 64, format, 1, -2, Long.MAX_VALUE)).isEqualTo(24);
    assertThat(Memory.string(text)).isEqualTo("1 -2 9223372036854775807");
  }

  @Test
  void a_missing_symbol_is_named() {
    assertThat(Symbols.addressOrZero("no_such_function")).isZero();
    assertThatExceptionOfType(UnsatisfiedLinkError.class)
        .isThrownBy(() -> Downcall.of("no_such_function"))
        .withMessageContaining("no_such_function");
  }
}
