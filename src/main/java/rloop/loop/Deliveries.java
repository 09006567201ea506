package rloop.loop;

import java.util.ArrayList;
import java.util.List;

/**
 * Those who deliver what they have read: in the running batch, and in the one that is being filled.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class Deliveries {
  /** How much is read for one batch, in bytes, before the other events wait for the next one. */
  private static final long MOST_BYTES_A_BATCH = 1 << 20;

  private ArrayList<Reader> running = new ArrayList<>();
  private ArrayList<Reader> pending = new ArrayList<>();
  private long pendingBytes;

  Deliveries() {}

  /** Makes room for one more, so that {@link #add} finds it. */
  void reserve() {
    pending.ensureCapacity(pending.size() + 1);
  }

  /** Has a reader told when the batch that is being filled is over, for which it reads so much. */
  void add(Reader reader, long bytes) {
    pending.add(reader);
    pendingBytes += bytes;
  }

  /** A reader is another loop's from now on. */
  void remove(Reader reader) {
    running.remove(reader);
    pending.remove(reader);
  }

  /** How many there are in the batch that is being filled. */
  int pending() {
    return pending.size();
  }

  /** Whether enough was read for the batch that is being filled. */
  boolean areFull() {
    return pendingBytes >= MOST_BYTES_A_BATCH;
  }

  /** Those of the running batch. */
  List<Reader> running() {
    return running;
  }

  /** The batch that was filled runs; the other one is over. */
  void startBatch() {
    ArrayList<Reader> over = running;
    running = pending;
    pending = over;
    pendingBytes = 0;
  }

  /** The running batch is over. */
  void finishBatch() {
    finish(running);
  }

  /** No batch runs any more. */
  void close() {
    finish(running);
    finish(pending);
  }

  private static void finish(List<Reader> readers) {
    for (int i = 0; i < readers.size(); i++) {
      readers.get(i).batchFinished();
    }
    readers.clear();
  }
}
