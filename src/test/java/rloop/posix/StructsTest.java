package rloop.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.AF_INET;
import static rloop.posix.Constants.AF_INET6;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;

/** What is put into a structure comes out again, and touches no neighbour. */
final class StructsTest {
  private static final int LENGTH = 3;

  @Property(tries = 200)
  void iovec(
      @ForAll @IntRange(max = LENGTH - 1) int index, @ForAll long base, @ForAll long length) {
    long array = Memory.allocate(LENGTH * Iovec.SIZE);
    Iovec.put(array, index, base, length);
    for (int i = 0; i < LENGTH; i++) {
      assertThat(Iovec.base(array, i)).isEqualTo(i == index ? base : 0);
      assertThat(Iovec.length(array, i)).isEqualTo(i == index ? length : 0);
    }
  }

  @Property(tries = 100)
  void pollfd(@ForAll @IntRange(max = LENGTH - 1) int index, @ForAll int fd, @ForAll short events) {
    long array = Memory.allocate(LENGTH * Pollfd.SIZE);
    Pollfd.put(array, index, fd, events);
    for (int i = 0; i < LENGTH; i++) {
      assertThat(Pollfd.fd(array, i)).isEqualTo(i == index ? fd : 0);
      assertThat(Pollfd.events(array, i)).isEqualTo(i == index ? events : 0);
      assertThat(Pollfd.revents(array, i)).isZero();
    }
  }

  @Property(tries = 100)
  void epoll_event(@ForAll int events, @ForAll long data) {
    long array = Memory.allocate(2 * EpollEvent.SIZE);
    EpollEvent.put(array + EpollEvent.SIZE, events, data);
    assertThat(EpollEvent.events(array, 1)).isEqualTo(events);
    assertThat(EpollEvent.data(array, 1)).isEqualTo(data);
    assertThat(EpollEvent.data(array, 0)).isZero();
  }

  @Property(tries = 100)
  void timespec(@ForAll @LongRange(min = 0) long nanoseconds) {
    long timespec = Memory.allocate(Timespec.SIZE);
    Timespec.put(timespec, nanoseconds);
    long seconds = Memory.getLong(timespec);
    long rest = Memory.getLong(timespec + Long.BYTES);
    assertThat(rest).isBetween(0L, 999_999_999L);
    assertThat(seconds * 1_000_000_000 + rest).isEqualTo(nanoseconds);
  }

  @Property(tries = 100)
  void sockaddr_in(@ForAll @IntRange(max = 0xFFFF) int port) {
    long address = Memory.allocate(SockaddrIn.SIZE);
    Sockaddr.put(address, AF_INET, SockaddrIn.SIZE);
    SockaddrIn.putPort(address, port);
    assertThat(Sockaddr.family(address)).isEqualTo(AF_INET);
    assertThat(SockaddrIn.port(address)).isEqualTo(port);
    assertThat(Memory.getByte(address + SockaddrIn.PORT)).isEqualTo((byte) (port >> 8));
    assertThat(Memory.getInt(address + SockaddrIn.ADDRESS)).isZero();
  }

  @Property(tries = 100)
  void sockaddr_in6(
      @ForAll @IntRange(max = 0xFFFF) int port, @ForAll int flowInfo, @ForAll int scopeId) {
    long address = Memory.allocate(SockaddrIn6.SIZE);
    Sockaddr.put(address, AF_INET6, SockaddrIn6.SIZE);
    SockaddrIn6.put(address, port, flowInfo, scopeId);
    assertThat(Sockaddr.family(address)).isEqualTo(AF_INET6);
    assertThat(SockaddrIn6.port(address)).isEqualTo(port);
    assertThat(SockaddrIn6.flowInfo(address)).isEqualTo(Integer.toUnsignedLong(flowInfo));
    assertThat(SockaddrIn6.scopeId(address)).isEqualTo(Integer.toUnsignedLong(scopeId));
    assertThat(Memory.getLong(address + SockaddrIn6.ADDRESS)).isZero();
  }

  @Test
  void a_message_has_a_name_beside_its_memory() {
    long header = Memory.allocate(Mmsghdr.SIZE);
    Msghdr.put(header, 1234, 1);
    Msghdr.putName(header, 5678, Sockaddr.STORAGE_SIZE);
    assertThat(Memory.getLong(header + Msghdr.NAME)).isEqualTo(5678);
    assertThat(Msghdr.nameLength(header)).isEqualTo(Sockaddr.STORAGE_SIZE);
    assertThat(Mmsghdr.length(header)).isZero();
  }
}
