package rloop.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both linkages: the process uses one of them. */
final class LinkageTest {
  private static final int EBADF = 9;

  private static Stream<Linkage> linkages() {
    return Stream.of(new PublicLinkage(), new InnerLinkage());
  }

  @ParameterizedTest
  @MethodSource("linkages")
  void arguments_and_result_go_where_c_has_them(Linkage linkage) throws Throwable {
    long format = Memory.cString("%ld %ld %ld");
    long text = Memory.allocate(64);
    for (boolean critical : new boolean[] {false, true}) {
      MethodHandle call = linkage.downcall(critical);
      long length =
          (long)
              call.invokeExact(
                  Symbols.address("snprintf"), text, 64L, format, -1L, 2L, Long.MIN_VALUE, 0L);
      assertThat(Memory.string(text)).isEqualTo("-1 2 " + Long.MIN_VALUE).hasSize((int) length);
    }
  }

  @ParameterizedTest
  @MethodSource("linkages")
  void errno_is_there_after_the_call(Linkage linkage) throws Throwable {
    long errno = Memory.allocate(Integer.BYTES);
    long result =
        (long)
            linkage
                .downcallWithErrno()
                .invokeExact(Symbols.address("close"), errno, -1L, 0L, 0L, 0L, 0L, 0L, 0L);
    assertThat((int) result).isEqualTo(-1);
    assertThat(Memory.getInt(errno)).isEqualTo(EBADF);
  }

  @ParameterizedTest
  @MethodSource("linkages")
  void c_calls_java(Linkage linkage) throws Throwable {
    MethodHandle sum =
        MethodHandles.lookup()
            .findStatic(
                LinkageTest.class,
                "sum",
                MethodType.methodType(long.class, long.class, long.class, long.class, long.class));
    long stub = linkage.upcall(sum);
    long result =
        (long) linkage.downcall(false).invokeExact(stub, 1L, 20L, 300L, -4000L, 5L, 6L, 0L);
    assertThat(result).isEqualTo(321 - 4000);
  }

  @SuppressWarnings("unused") // reached through the stub
  private static long sum(long a, long b, long c, long d) {
    return a + b + c + d;
  }
}
