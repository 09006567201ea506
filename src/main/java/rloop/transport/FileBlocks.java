package rloop.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.poll.Poller;
import rloop.io.relay.FileSender;
import rloop.loop.EventLoop;
import rloop.loop.Waiter;
import rloop.posix.ErrnoException;

/**
 * Blocks of files that another thread sends, and the futures of those who wait for them.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class FileBlocks implements Waiter {
  private record Block(CompletableFuture<Long> sent, @Owned long future) {}

  private final EventLoop loop;
  private final FileSender sender;
  private final List<Block> blocks = new ArrayList<>();

  private FileBlocks(EventLoop loop, FileSender sender) {
    this.loop = loop;
    this.sender = sender;
  }

  /** Null if there are no descriptors left. */
  static @Nullable FileBlocks open(EventLoop loop) {
    FileSender sender;
    try {
      sender = new FileSender();
    } catch (ErrnoException e) {
      return null;
    }
    FileBlocks opened = new FileBlocks(loop, sender);
    try {
      loop.fdWatches().at(sender.fd()).await(Poller.READ, opened);
    } catch (PyException e) {
      sender.close();
      throw e;
    }
    return opened;
  }

  /**
   * Has a block sent.
   *
   * @return a future of how many bytes were, or {@code -errno}; 0 if there are no descriptors left
   */
  @Owned
  long send(int socket, int file, long offset, long count) {
    long future = FutureCalls.create(loop.pythonLoop());
    CompletableFuture<Long> sent;
    try {
      sent = sender.sendSoon(socket, file, offset, count);
    } catch (OutOfMemoryError e) {
      Ref.drop(future);
      throw e;
    }
    if (sent == null) {
      Ref.drop(future);
      return 0;
    }
    blocks.add(new Block(sent, Ref.take(future)));
    return future;
  }

  /** Waits until the block is sent whose future that is, or was; returns what became of it. */
  long await(long future) {
    for (Block block : blocks) {
      if (block.future == future) {
        return await(block);
      }
    }
    return 0;
  }

  private static long await(Block block) {
    long threadState = PyRuntime.PyEval_SaveThread();
    try {
      return block.sent.join();
    } finally {
      PyRuntime.PyEval_RestoreThread(threadState);
    }
  }

  @Override
  public void ready() {
    sender.told();
    for (Block block = takeDone(); block != null; block = takeDone()) {
      try {
        long count = block.sent.join();
        loop.driver().countersAtHome().sent(count);
        FutureCalls.setResult(block.future, PyScalars.PyLong_FromLongLong(count));
      } finally {
        Ref.drop(block.future);
      }
    }
  }

  /** One at a time: who is told may let others in. */
  private @Nullable Block takeDone() {
    for (int i = 0; i < blocks.size(); i++) {
      if (blocks.get(i).sent.isDone()) {
        return blocks.remove(i);
      }
    }
    return null;
  }

  @Override
  public boolean isHeard() {
    return true;
  }

  @Override
  public boolean isByNumber() {
    return false;
  }

  @Override
  public boolean isFor(int fd) {
    return fd == sender.fd();
  }

  @Override
  public void replaced() {
    // The loop is being closed.
  }

  /** The loop is closed. */
  void close() {
    sender.close();
    for (Block block : blocks) {
      Ref.drop(block.future);
    }
    blocks.clear();
  }
}
