package rloop.loop;

/** Something that delivered data in a batch. */
public interface Reader {
  /** The batch is over. */
  void batchFinished();

  /** Whether that call was this reader's delivery. */
  boolean isDelivery(long sequence);

  /** The Python transport whose protocol the data was for, borrowed. */
  long transport();
}
