package rloop.loop;

import java.util.Arrays;
import rloop.cpython.api.Owned;
import rloop.cpython.object.Batch;
import rloop.cpython.object.Ref;

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

  private final @Owned long noop;
  private final Batch batch = new Batch();
  private long[] pending = new long[INITIAL_ROOM];
  private int pendingSize;

  /** Sequence numbers of the first pending call, and of the first of the batch. */
  private long pendingStart;

  private long batchStart;

  /**
   * An empty queue.
   *
   * @param noop the call that stands for one taken back
   */
  public ReadyQueue(@Owned long noop) {
    this.noop = noop;
  }

  /** Adds a call for the next batch; returns its sequence number. */
  public long append(@Owned long call) {
    if (pendingSize == pending.length) {
      pending = Arrays.copyOf(pending, 2 * pendingSize);
    }
    pending[pendingSize] = call;
    return pendingStart + pendingSize++;
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
        : sequence - batchStart >= started();
  }

  /** Takes a call back; it must be waiting. */
  public void cancel(long sequence) {
    replace(sequence, Ref.take(noop));
  }

  /** Puts another call in the place of one, which must be waiting. */
  public void replace(long sequence, @Owned long call) {
    if (sequence >= pendingStart) {
      int index = (int) (sequence - pendingStart);
      long replaced = pending[index];
      pending[index] = call;
      Ref.drop(replaced);
    } else {
      batch.replace(sequence - batchStart, call);
    }
  }

  /** The call of a sequence number, borrowed; 0 if it is not waiting any more. */
  public long find(long sequence) {
    if (!isWaiting(sequence)) {
      return 0;
    }
    return sequence >= pendingStart
        ? pending[(int) (sequence - pendingStart)]
        : batch.get(sequence - batchStart);
  }

  /** How many calls of the batch have started; the last of them may be running. */
  private long started() {
    return batch.count() - batch.remaining();
  }

  /** Whether the batch has calls that have not started. */
  public boolean isInterrupted() {
    return batch.remaining() > 0;
  }

  /** The sequence number of the call that started last in the batch, or -1 before the first. */
  public long lastStarted() {
    long started = started();
    return started == 0 ? -1 : batchStart + started - 1;
  }

  /** Whether that call is the one of the batch that started last. */
  boolean isLastStarted(long sequence) {
    return sequence >= batchStart && sequence == lastStarted();
  }

  /** Makes the pending calls the batch, of which nothing is left, and returns its iterator. */
  @Owned
  public long startBatch() {
    batch.fill(pending, pendingSize);
    batchStart = pendingStart;
    pendingStart += pendingSize;
    pendingSize = 0;
    return batch.iterator();
  }

  /** An iterator over no call, while nothing is left of the batch. */
  @Owned
  long emptyBatch() {
    batch.fill(pending, 0);
    return batch.iterator();
  }

  /** An iterator over what is left of the batch. */
  @Owned
  public long resume() {
    return batch.iterator();
  }

  /** Forgets that calls of the batch have started. */
  public void finishBatch() {
    batchStart = pendingStart;
    batch.clear();
  }

  /** The end of the loop: forgets all calls. What they hold dies, which may run Python code. */
  public void close() {
    finishBatch();
    pendingStart += pendingSize;
    batchStart = pendingStart;
    int count = pendingSize;
    pendingSize = 0;
    for (int i = 0; i < count; i++) {
      Ref.drop(pending[i]);
    }
    batch.close();
    Ref.drop(noop);
  }
}
