package rloop.loop;

import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.object.CallList;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;

/**
 * Calls that wait to be run, in two lists: the batch that Python runs now, and the pending one that
 * becomes the next batch.
 *
 * <p>A call is a tuple {@code (context, callback, *arguments)}, as {@code starmap(Context.run, …)}
 * takes it. Each call has a sequence number, by which it can be taken back until it starts: it is
 * replaced by one that does nothing, which works while Python iterates, because a list iterator
 * goes by index.
 */
public final class ReadyQueue {
  private final @Owned long noop;
  private CallList pending = new CallList();
  private CallList batch = new CallList();

  /** Sequence numbers of the first call in each list. */
  private long pendingStart;

  private long batchStart;
  private long batchSize;

  /** Iterates over the batch; 0 where there is none. */
  private @Owned long iterator;

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
    long sequence = pendingStart + pending.size();
    pending.append(call);
    return sequence;
  }

  public boolean hasPending() {
    return pending.size() > 0;
  }

  /** The sequence number of the first call that is not in the batch. */
  public long pendingStart() {
    return pendingStart;
  }

  /** The sequence number that the next call will have. */
  private long nextSequence() {
    return pendingStart + pending.size();
  }

  /** Whether a call has not started yet. */
  public boolean isWaiting(long sequence) {
    return sequence >= pendingStart
        ? sequence < nextSequence()
        : sequence >= batchStart && sequence - batchStart >= started();
  }

  /** Takes a call back; it must be waiting. */
  public void cancel(long sequence) {
    replace(sequence, Ref.take(noop));
  }

  private void replace(long sequence, @Owned long call) {
    if (sequence >= pendingStart) {
      pending.replace(sequence - pendingStart, call);
    } else {
      batch.replace(sequence - batchStart, call);
    }
  }

  /** The call of a sequence number, borrowed; 0 if it is in neither list any more. */
  public long find(long sequence) {
    if (sequence >= pendingStart) {
      return sequence < nextSequence() ? pending.get(sequence - pendingStart) : 0;
    }
    return sequence >= batchStart && sequence - batchStart < batchSize
        ? batch.get(sequence - batchStart)
        : 0;
  }

  /** How many calls of the batch have started; the last of them may be running. */
  private long started() {
    if (iterator == 0) {
      return batchSize;
    }
    long rest = PyObjects.PyObject_LengthHint(iterator, 0);
    PyException.checkStatus((int) rest);
    return batchSize - rest;
  }

  /** Whether the batch has calls that have not started. */
  public boolean isInterrupted() {
    return iterator != 0 && started() < batchSize;
  }

  /** The sequence number of the call that started last in the batch, or -1 before the first. */
  public long lastStarted() {
    long started = started();
    return started == 0 ? -1 : batchStart + started - 1;
  }

  /** Whether that call is the one of the batch that started last. */
  boolean isLastStarted(long sequence) {
    return iterator != 0 && sequence >= batchStart && sequence == lastStarted();
  }

  /** The iterator over the batch, once more. */
  @Owned
  public long resume() {
    return Ref.take(iterator);
  }

  /** Lets the finished batch go; its calls die here, which may run Python code. */
  public void finishBatch() {
    if (iterator != 0) {
      long finished = iterator;
      iterator = 0;
      Ref.drop(finished);
      batchStart = pendingStart;
      batchSize = 0;
      batch.clear();
    }
  }

  /** Makes the pending calls the batch and returns an iterator over it. */
  @Owned
  public long startBatch() {
    CallList next = pending;
    pending = batch;
    batch = next;
    batchStart = pendingStart;
    batchSize = next.size();
    pendingStart += batchSize;
    iterator = PyException.check(PyObjects.PyObject_GetIter(next.object()));
    return Ref.take(iterator);
  }

  /** Forgets all calls, at the end of the loop. */
  public void clear() {
    finishBatch();
    pendingStart += pending.size();
    batchStart = pendingStart;
    pending.clear();
  }
}
