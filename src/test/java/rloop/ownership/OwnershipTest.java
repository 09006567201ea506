package rloop.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** References to Python's objects change hands as {@code @Owned} says. */
final class OwnershipTest {
  /** A class that one more member is put into. */
  private static final String SAMPLE =
      """
      package rloop.module.sample;

      import rloop.cpython.api.Owned;
      import rloop.cpython.api.PyObjects;
      import rloop.cpython.object.PyException;
      import rloop.cpython.object.Ref;
      import rloop.ffi.Memory;

      final class Sample {
        @Owned long kept;
        long seen;
        @Owned long[] all;

        @Owned
        static native long make();

        static native void give(@Owned long object);

        static native void show(long object);

        MEMBER
      }
      """;

  @Test
  void references_change_hands_as_they_are_marked() throws IOException {
    assertThat(Sources.findingsOfAll()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          void a() { make(); }                                         | dropped
          void a() { PyException.check(make()); }                      | dropped
          void a() { Runnable r = () -> { make(); }; }                 | dropped
          void a() { show(make()); }                                   | lost in show(long)
          void a() { show(PyException.check(make())); }                | lost in show(long)
          void a(boolean b) { show(b ? seen : make()); }               | lost in show(long)
          void a(long object) { give(object); }                        | given away to give(long)
          void a() { give(seen); }                                     | given away to give(long)
          void a() { give(PyObjects.Py_None); }                        | given away to give(long)
          void a(long slot) { give(Memory.getLong(slot)); }            | given away to give(long)
          void a() { long object = seen; give(object); }               | given away to give(long)
          void a() { long object = 0; object = seen; give(object); }   | given away to give(long)
          void a(boolean b) { give(b ? make() : seen); }               | given away to give(long)
          void a() { seen = make(); }                                  | kept as borrowed by seen
          long a = make();                                             | kept as borrowed by a
          void a() { kept = seen; }                                    | kept as owned by kept
          @Owned long a() { return seen; }                             | returned as owned by a()
          @Owned long a(int i) { return switch (i) { default -> seen; }; } | as owned by a(int)
          long a() { return make(); }                                  | as borrowed by a()
          long a() { long object = make(); return object; }            | as borrowed by a()
          long a(@Owned long object) { return object; }                | as borrowed by a(long)
          private static long a(long self, long b, long c, long d) { return self; } | as owned by a
          """)
  void what_changes_hands_without_a_mark_is_found(String member, String finding)
      throws IOException {
    assertThat(findings(member)).singleElement().asString().contains(finding);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          void a() { give(make()); }
          void a() { long object = PyException.check(make()); show(object); give(object); }
          void a() { give(kept); kept = 0; }
          void a() { give(all[0]); all[0] = make(); }
          void a(@Owned long object) { give(object); }
          void a(long slot) { @Owned long object = Memory.getLong(slot); give(object); }
          void a(long slot) { Memory.putLong(slot, make()); }
          void a(boolean b) { kept = b ? 0 : make(); }
          long a() { return kept; }
          @Owned long a(long object) { return Ref.take(object); }
          @Owned long a(@Owned long object) { return object & ~1; }
          @Owned long a(int i) { return switch (i) { case 1 -> 0; default -> make(); }; }
          private static long a(long self, long b, long c, long d) { return make(); }
          static final long A = make();
          """)
  void what_is_marked_passes(String member) throws IOException {
    assertThat(findings(member)).isEmpty();
  }

  private static Iterable<String> findings(String member) throws IOException {
    return Sources.findingsOf("Sample", SAMPLE.replace("MEMBER", member));
  }
}
