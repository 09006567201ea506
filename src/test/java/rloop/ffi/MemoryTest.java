package rloop.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.NotEmpty;
import org.junit.jupiter.api.Test;

final class MemoryTest {
  private static final int ROOM = 4 * Long.BYTES;

  @Property(tries = 100)
  void what_is_put_at_any_address_is_got_again(
      @ForAll @IntRange(max = Long.BYTES) int offset,
      @ForAll byte b,
      @ForAll short s,
      @ForAll int i,
      @ForAll long l,
      @ForAll double d) {
    long address = Memory.allocate(ROOM) + offset;
    Memory.putByte(address, b);
    assertThat(Memory.getByte(address)).isEqualTo(b);
    Memory.putShort(address, s);
    assertThat(Memory.getShort(address)).isEqualTo(s);
    Memory.putInt(address, i);
    assertThat(Memory.getInt(address)).isEqualTo(i);
    Memory.putLong(address, l);
    assertThat(Memory.getLong(address)).isEqualTo(l);
    Memory.putDouble(address, d);
    assertThat(Memory.getDouble(address)).isEqualTo(d);
    assertThat(Memory.getLong(address + Long.BYTES)).as("the neighbour").isZero();
  }

  @Test
  void ranges_may_overlap_in_a_copy() {
    long text = Memory.cString("abcdef");
    Memory.copy(text, text + 1, 5);
    assertThat(Memory.string(text)).isEqualTo("aabcde");
    Memory.copy(text + 1, text, 5);
    assertThat(Memory.string(text)).isEqualTo("abcdee");
  }

  @Property(tries = 100)
  void strings_are_utf_8_up_to_the_first_nul(@ForAll @NotEmpty String text) {
    int nul = text.indexOf('\0');
    String expected = nul < 0 ? text : text.substring(0, nul);
    assertThat(Memory.string(Memory.cString(expected))).isEqualTo(expected);
  }

  @Test
  void memory_is_zeroed_and_aligned() {
    for (int bytes = 1; bytes <= Long.BYTES; bytes++) {
      long address = Memory.allocate(bytes);
      assertThat(address % Long.BYTES).isZero();
      assertThat(Memory.getByte(address + bytes - 1)).isZero();
    }
  }
}
