package rloop.io.relay;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static rloop.posix.Constants.EAGAIN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import rloop.ffi.Memory;
import rloop.ffi.SystemCall;
import rloop.posix.ErrnoException;
import rloop.posix.Pair;
import rloop.posix.Unistd;

@Timeout(60)
class FileSenderTest {
  private static final String TEXT = "what the file says";
  private static final int ROOM = 1 << 16;
  private static final SystemCall OPEN = SystemCall.of("open");
  private static final long READ_ONLY = 0; // O_RDONLY of <fcntl.h>

  private final long received = Memory.allocate(ROOM);
  private final Pair pair = Pair.nonBlockingSockets();
  private final FileSender sender = new FileSender();
  @TempDir private Path folder;

  @AfterEach
  void close() {
    sender.close();
    pair.close();
  }

  private int open(String content) throws IOException {
    Path path = folder.resolve("file");
    Files.writeString(path, content);
    return ErrnoException.check(
        "open", (int) OPEN.call(Memory.cString(path.toString()), READ_ONLY));
  }

  private CompletableFuture<Long> send(int file, long offset, long count) {
    CompletableFuture<Long> block = sender.sendSoon(pair.first(), file, offset, count);
    return Objects.requireNonNull(block);
  }

  @Test
  void a_block_arrives_though_the_numbers_are_closed_meanwhile() throws Exception {
    int file = open(TEXT);
    CompletableFuture<Long> block = send(file, 5, 8);
    Unistd.close(file);
    assertThat(block.get(60, SECONDS)).isEqualTo(8);
    assertThat(Unistd.read(pair.second(), received, ROOM)).isEqualTo(8);
    assertThat(Memory.string(received)).isEqualTo(TEXT.substring(5, 13));
  }

  @Test
  void it_is_told_of_the_end_of_the_file_and_of_a_socket_without_room() throws Exception {
    int file = open(TEXT.repeat(ROOM));
    assertThat(send(file, (long) TEXT.length() * ROOM, 1).get(60, SECONDS)).isZero();
    while (send(file, 0, ROOM).get(60, SECONDS) > 0) {
      // until the peer's buffer is full
    }
    assertThat(send(file, 0, 1).get(60, SECONDS)).isEqualTo(-EAGAIN);
    Unistd.close(file);
  }

  @Test
  void who_watches_is_told_when_a_block_is_done() throws Exception {
    int file = open(TEXT);
    assertThat(send(file, 0, 1).get(60, SECONDS)).isEqualTo(1);
    while (Unistd.read(sender.fd(), received, Long.BYTES) == -EAGAIN) {
      Thread.onSpinWait(); // it is told right after
    }
    sender.told();
    assertThat(Unistd.read(sender.fd(), received, Long.BYTES)).isEqualTo(-EAGAIN);
    Unistd.close(file);
  }
}
