package rloop.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.EAGAIN;
import static rloop.posix.Constants.EBADF;
import static rloop.posix.Constants.EPIPE;
import static rloop.posix.Constants.MSG_DONTWAIT;
import static rloop.posix.Constants.MSG_NOSIGNAL;
import static rloop.posix.Constants.SHUT_WR;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;

final class SocketCallsTest {
  private static final int CAPACITY = 64;
  private static final int CAPACITY_OF_MESSAGES = 4;

  private final long buffer = Memory.allocate(CAPACITY);

  @Test
  void what_is_sent_is_received() {
    try (Pair pair = Pair.sockets()) {
      assertThat(SysSocket.send(pair.first(), Memory.cString("hello"), 5, 0)).isEqualTo(5);
      assertThat(received(pair.second(), 0)).isEqualTo("hello");
    }
  }

  @Test
  void sendmsg_gathers() {
    try (Pair pair = Pair.sockets()) {
      long message = Memory.allocate(Msghdr.SIZE);
      Msghdr.put(message, headAndBody(), 2);
      assertThat(SysSocket.sendmsg(pair.first(), message, MSG_NOSIGNAL)).isEqualTo(8);
      assertThat(received(pair.second(), 0)).isEqualTo("headbody");
    }
  }

  @Test
  void recvmmsg_keeps_datagrams_apart() {
    try (Pair pair = Pair.datagramSockets()) {
      for (String text : List.of("one", "three")) {
        SysSocket.sendto(pair.first(), Memory.cString(text), text.length(), 0, 0, 0);
      }
      long messages = Memory.allocate(CAPACITY_OF_MESSAGES * Mmsghdr.SIZE);
      for (int i = 0; i < CAPACITY_OF_MESSAGES; i++) {
        long iovec = Memory.allocate(Iovec.SIZE);
        Iovec.put(iovec, 0, buffer, CAPACITY);
        Msghdr.put(Mmsghdr.element(messages, i), iovec, 1);
      }
      assertThat(SysSocket.recvmmsg(pair.second(), messages, CAPACITY_OF_MESSAGES, MSG_DONTWAIT))
          .isEqualTo(2);
      assertThat(Mmsghdr.length(messages)).isEqualTo("one".length());
      assertThat(Mmsghdr.length(Mmsghdr.element(messages, 1))).isEqualTo("three".length());
    }
  }

  @Test
  void shutdown_is_an_end_of_file_for_the_peer() {
    try (Pair pair = Pair.sockets()) {
      assertThat(SysSocket.shutdown(pair.first(), SHUT_WR)).isZero();
      assertThat(SysSocket.recv(pair.second(), buffer, CAPACITY, 0)).isZero();
    }
  }

  @Test
  void errors_are_negative() {
    try (Pair pair = Pair.sockets()) {
      assertThat(SysSocket.recv(pair.first(), buffer, CAPACITY, MSG_DONTWAIT)).isEqualTo(-EAGAIN);
      pair.closeSecond();
      assertThat(SysSocket.send(pair.first(), buffer, 1, MSG_NOSIGNAL)).isEqualTo(-EPIPE);
    }
    assertThat(Unistd.close(-1)).isEqualTo(-EBADF);
    assertThat(Unistd.read(-1, buffer, CAPACITY)).isEqualTo(-EBADF);
  }

  private static long headAndBody() {
    long array = Memory.allocate(2 * Iovec.SIZE);
    Iovec.put(array, 0, Memory.cString("head"), 4);
    Iovec.put(array, 1, Memory.cString("body"), 4);
    return array;
  }

  private String received(int fd, int flags) {
    return text((int) SysSocket.recv(fd, buffer, CAPACITY, flags));
  }

  private String text(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = Memory.getByte(buffer + i);
    }
    return new String(bytes, StandardCharsets.US_ASCII);
  }
}
