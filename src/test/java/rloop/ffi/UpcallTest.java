package rloop.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

final class UpcallTest {
  private static final Downcall QSORT = Downcall.of("qsort");
  private static final long COMPARE = stub("compare");

  private static long stub(String method) {
    MethodType type =
        MethodType.methodType(long.class, long.class, long.class, long.class, long.class);
    try {
      return Upcall.stub(MethodHandles.lookup().findStatic(UpcallTest.class, method, type));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(method, e);
    }
  }

  /** {@code int compare(const void *, const void *)}. */
  @SuppressWarnings("unused") // reached through the stub
  private static long compare(long a, long b, long unused, long alsoUnused) {
    return Long.compare(Memory.getLong(a), Memory.getLong(b));
  }

  @Property(tries = 50)
  void c_sorts_by_a_java_method(@ForAll List<Long> numbers) {
    long array = Memory.allocate((numbers.size() + 1L) * Long.BYTES);
    for (int i = 0; i < numbers.size(); i++) {
      Memory.putLong(array + (long) i * Long.BYTES, numbers.get(i));
    }
    QSORT.call(array, numbers.size(), Long.BYTES, COMPARE);
    List<Long> expected = numbers.stream().sorted().toList();
    for (int i = 0; i < expected.size(); i++) {
      assertThat(Memory.getLong(array + (long) i * Long.BYTES)).isEqualTo(expected.get(i));
    }
  }
}
