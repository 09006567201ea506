package rloop.loop;

import java.util.Arrays;

/**
 * Since when each call of a {@link ReadyQueue} has been ready, by {@link System#nanoTime}. It
 * exists while somebody wants to know.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class CallTimes {
  private long[] batch;
  private long[] pending;

  /** Of a queue with so much room, in which calls may wait already: since now. */
  CallTimes(int batchRoom, int pendingRoom) {
    batch = new long[batchRoom];
    pending = new long[pendingRoom];
    long now = System.nanoTime();
    Arrays.fill(batch, now);
    Arrays.fill(pending, now);
  }

  /** Makes room for so many pending calls; throws before anything changes. */
  void reserve(int room) {
    if (pending.length < room) {
      pending = Arrays.copyOf(pending, room);
    }
  }

  /** The pending call of an index is ready since now. */
  void added(int index) {
    pending[index] = System.nanoTime();
  }

  /** The pending call of an index was ready since then. */
  void wasReady(int index, long since) {
    pending[index] = since;
  }

  /** The pending calls become the batch. */
  void startBatch() {
    long[] finished = batch;
    batch = pending;
    pending = finished;
  }

  /** Since when a call of the batch was ready. */
  long readySince(int index) {
    return batch[index];
  }
}
