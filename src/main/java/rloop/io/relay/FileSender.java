package rloop.io.relay;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import rloop.io.IoThread;
import rloop.io.poll.WakeFd;
import rloop.posix.Fcntl;
import rloop.posix.SysSendfile;
import rloop.posix.Unistd;

/**
 * A thread that sends from files into sockets: to copy a block takes as long as many requests do,
 * and to wait for a disk far longer.
 *
 * <p>It works with duplicates of the descriptors, since the numbers may be other files' before the
 * block is sent.
 *
 * <p>Thread rule: the loop's thread.
 */
public final class FileSender {
  private final ExecutorService thread = Executors.newSingleThreadExecutor(IoThread::new);
  private final WakeFd done = WakeFd.open();

  /** Is readable when a block is done. */
  public int fd() {
    return done.fd();
  }

  /** Who waits for {@link #fd} has been told. */
  public void told() {
    done.drain();
  }

  /**
   * Has a block sent, as far as the socket has room for it.
   *
   * @return what the kernel will have answered: how many bytes were sent, 0 at the end of the file,
   *     or {@code -errno}; null if there are no descriptors left
   */
  public @Nullable CompletableFuture<Long> sendSoon(int socket, int file, long offset, long count) {
    int ofSocket = Fcntl.duplicate(socket);
    int ofFile = Fcntl.duplicate(file);
    if (ofSocket < 0 || ofFile < 0) {
      close(ofSocket, ofFile);
      return null;
    }
    CompletableFuture<Long> block;
    try {
      block = CompletableFuture.supplyAsync(() -> send(ofSocket, ofFile, offset, count), thread);
    } catch (OutOfMemoryError e) { // there can be no thread
      close(ofSocket, ofFile);
      throw e;
    }
    var _ = block.whenComplete((sent, thrown) -> done.signal());
    return block;
  }

  private static long send(int socket, int file, long offset, long count) {
    try {
      return SysSendfile.sendfile(socket, file, offset, count);
    } finally {
      close(socket, file);
    }
  }

  /** Closes the duplicates that there are. */
  private static void close(int socket, int file) {
    if (socket >= 0) {
      Unistd.close(socket);
    }
    if (file >= 0) {
      Unistd.close(file);
    }
  }

  /** Ends the thread, when it has sent what it was given. */
  public void close() {
    thread.execute(done::close);
    thread.shutdown();
  }
}
