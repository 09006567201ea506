package rloop.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.io.Fifo;

/**
 * Calls that wait to be run: the batch that Python runs now, and the pending ones that become the
 * next batch.
 *
 * <p>A call is a tuple {@code (context, callback, *arguments)}, as Python's {@code
 * Context.run(*call)} takes it. Each call has a sequence number, by which it can be taken back
 * until it starts: it is replaced by one that does nothing.
 */
public final class ReadyQueue {
  private static final int INITIAL_ROOM = 128;
  private static final long[] NONE = {};

  /**
   * Places that are kept until there is no memory for more, for the loop's own thread: whoever has
   * filled the queue and was told so may then still end, which takes a call for each task.
   */
  private static final int SPARE = 64;

  private final @Owned long noop;

  /** The batch: calls that have started, whose references Python has, and then those that wait. */
  private @Owned long[] batch = new long[INITIAL_ROOM];

  private int batchSize;
  private int started;

  private @Owned long[] pending = new long[INITIAL_ROOM];
  private int pendingSize;
  private int spare = SPARE;
  private boolean closed;

  /** While somebody wants to know them. */
  private @Nullable CallTimes times;

  /** Sequence numbers of the first pending call, and of the first of the batch. */
  private long pendingStart;

  private long batchStart;

  // Calls that were taken back, and so count as none: since the beginning, and of those that wait.
  private long takenBack;
  private int takenBackInBatch;
  private int takenBackPending;

  /**
   * An empty queue.
   *
   * @param noop the call that stands for one taken back
   */
  public ReadyQueue(@Owned long noop) {
    this.noop = noop;
  }

  /**
   * Adds a call for the next batch; returns its sequence number.
   *
   * @throws PyException if the loop is closed, perhaps while the call was made: a {@code
   *     RuntimeError}
   */
  public long append(@Owned long call) {
    if (closed) {
      Ref.drop(call);
      throw PyException.runtimeError("Event loop is closed");
    }
    try {
      reserve(1);
    } catch (OutOfMemoryError e) {
      Ref.drop(call);
      throw e;
    }
    if (times != null) {
      times.added(pendingSize);
    }
    pending[pendingSize] = call;
    return pendingStart + pendingSize++;
  }

  /** Makes room for more calls, so that {@link #append} finds it; throws before it changes. */
  void reserve(int count) {
    if (pending.length - pendingSize < count + spare) {
      grow(count);
    }
  }

  /** Makes room for a call of another thread, beside the spare places. */
  void reserveForOthers() {
    if (pending.length - pendingSize < 1 + SPARE) {
      grow(1);
    }
  }

  private void grow(int count) {
    spare = 0; // if it fails
    int room = Math.max(2 * pending.length, pendingSize + count + SPARE);
    room = Math.max(room, INITIAL_ROOM);
    if (times != null) {
      times.reserve(room);
    }
    pending = Arrays.copyOf(pending, room);
    spare = SPARE;
  }

  public boolean hasPending() {
    return pendingSize > 0;
  }

  /** The sequence number of the first call that is not in the batch. */
  public long pendingStart() {
    return pendingStart;
  }

  /** Whether a call has not started yet. */
  public boolean isWaiting(long sequence) {
    return sequence >= pendingStart
        ? sequence < pendingStart + pendingSize
        : sequence - batchStart >= started;
  }

  /** Takes a call back, if it is waiting. */
  public void cancel(long sequence) {
    if (isWaiting(sequence)) {
      if (sequence >= pendingStart) {
        takenBackPending++;
      } else {
        takenBackInBatch++;
      }
      replace(sequence, Ref.take(noop));
    }
  }

  /** Takes a waiting call out; it counts as taken back. */
  @Owned
  long take(long sequence) {
    long call = Ref.take(find(sequence));
    cancel(sequence);
    return call;
  }

  /** The sequence number of the first call that has not started. */
  long firstWaiting() {
    return batchStart + started;
  }

  /** The sequence number of the next call to be added. */
  long end() {
    return pendingStart + pendingSize;
  }

  /** Notes from now on since when each call is ready, or no more. */
  void keepTimes(boolean kept) {
    if (kept != (times != null)) {
      times = kept ? new CallTimes(batch.length, pending.length) : null;
    }
  }

  /** If times are kept: the pending call that was added last has been ready since then. */
  void wasReady(long since) {
    if (times != null && pendingSize > 0) {
      times.wasReady(pendingSize - 1, since);
    }
  }

  /** If times are kept: since when the call that started last was ready. */
  long readySince() {
    return times == null || started == 0 ? 0 : times.readySince(started - 1);
  }

  /** How many calls have run up to the end of the last batch. */
  long run() {
    return batchStart - takenBack;
  }

  /** Whether it stands for a call that was taken back. */
  boolean isTakenBack(long call) {
    return call == noop;
  }

  /** How many calls wait. */
  int waiting() {
    return batchSize - started + pendingSize;
  }

  /** How many calls the batch has or had. */
  int batchSize() {
    return batchSize;
  }

  /** Puts another call in the place of one, if that is waiting: else Python has its reference. */
  public void replace(long sequence, @Owned long call) {
    if (!isWaiting(sequence)) {
      Ref.drop(call);
      return;
    }
    boolean isPending = sequence >= pendingStart;
    long[] calls = isPending ? pending : batch;
    int index = (int) (sequence - (isPending ? pendingStart : batchStart));
    @Owned long replaced = calls[index];
    calls[index] = call;
    Ref.drop(replaced);
  }

  /** The call of a sequence number, borrowed; 0 if it is not waiting any more. */
  public long find(long sequence) {
    if (!isWaiting(sequence)) {
      return 0;
    }
    return sequence >= pendingStart
        ? pending[(int) (sequence - pendingStart)]
        : batch[(int) (sequence - batchStart)];
  }

  /** Whether the batch has calls that have not started. */
  public boolean hasNext() {
    return started < batchSize;
  }

  /** Starts the next call of the batch; 0 if it has none. */
  @Owned
  public long next() {
    return hasNext() ? batch[started++] : 0;
  }

  /** The sequence number of the call that started last in the batch, or -1 before the first. */
  public long lastStarted() {
    return started == 0 ? -1 : batchStart + started - 1;
  }

  /** Whether that call is the one of the batch that started last. */
  boolean isLastStarted(long sequence) {
    return sequence >= batchStart && sequence == lastStarted();
  }

  /** Makes the pending calls the batch, of which nothing is left. */
  public void startBatch() {
    long[] finished = batch;
    batch = pending;
    batchSize = pendingSize;
    started = 0;
    batchStart = pendingStart;
    pendingStart += pendingSize;
    pending = finished;
    pendingSize = 0;
    spare = SPARE;
    if (times != null) {
      times.startBatch();
    }
    takenBackInBatch = takenBackPending;
    takenBackPending = 0;
  }

  /** Forgets that calls of the batch have started. */
  public void finishBatch() {
    batchStart = pendingStart;
    takenBack += takenBackInBatch;
    takenBackInBatch = 0;
    batchSize = 0;
    started = 0;
    if (batch.length > Fifo.MOST_KEPT) {
      batch = NONE;
    }
  }

  /** The end of the loop: forgets all calls. What they hold dies, which may run Python code. */
  public void close() {
    closed = true;
    long[] calls = batch;
    int firstLeft = started;
    int left = batchSize;
    int right = pendingSize;
    takenBack += left - firstLeft + right; // none of these has run
    takenBackInBatch = 0;
    takenBackPending = 0;
    pendingStart += pendingSize;
    pendingSize = 0;
    finishBatch();
    drop(calls, firstLeft, left);
    drop(pending, 0, right);
    Ref.drop(noop);
  }

  /** Nobody adds any, or starts one, once it is closed. */
  private static void drop(@Owned long[] calls, int from, int to) {
    for (int i = from; i < to; i++) {
      Ref.drop(calls[i]);
    }
  }
}
