package rloop.transport;

/**
 * How a connection is written to: once a batch, or in several pieces.
 *
 * <p>Pieces are worth waiting for: sent in one call they save a server that writes head and body
 * apart a third of its time in the kernel. Who writes once is not to wait, and is spared the queue.
 * Protocols don't change their ways, so the last batch with a write foretells the next one.
 */
final class WriteHabit {
  private static final long NONE = -1;

  /** The batch in which something was written last, and whether more than once. */
  private long lastBatch = NONE;

  private boolean wroteMore;

  /** Notes a write; answers whether it is likely to be the only one of its batch. */
  boolean isLikelyAlone(long batch) {
    boolean isFirst = batch != lastBatch;
    boolean isAlone = isFirst && !wroteMore;
    lastBatch = batch;
    wroteMore = !isFirst;
    return isAlone;
  }
}
