package rloop.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;

/**
 * What is written while the I/O is lent: it waits here until the I/O is back, in order.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class Outbox {
  /** Who has written. */
  public interface Writer {
    /** Queues what was written; the I/O is at home. */
    void queue(@Owned long owner, long address, long length, boolean isPlaintext);
  }

  private static final int INITIAL_ROOM = 64;

  private @Nullable Writer[] writers = new Writer[INITIAL_ROOM];
  private @Owned long[] owners = new long[INITIAL_ROOM];
  private long[] addresses = new long[INITIAL_ROOM];
  private long[] lengths = new long[INITIAL_ROOM];
  private boolean[] arePlaintext = new boolean[INITIAL_ROOM];
  private int size;
  private int emptied;

  Outbox() {}

  /**
   * Adds a piece.
   *
   * @param owner what keeps the memory alive
   * @param isPlaintext whether it is to be encrypted
   */
  public void add(
      Writer writer, @Owned long owner, long address, long length, boolean isPlaintext) {
    if (size == owners.length) {
      grow();
    }
    writers[size] = writer;
    owners[size] = owner;
    addresses[size] = address;
    lengths[size] = length;
    arePlaintext[size] = isPlaintext;
    size++;
  }

  private void grow() {
    int room = 2 * size;
    @Nullable Writer[] moreWriters = Arrays.copyOf(writers, room);
    long[] moreOwners = Arrays.copyOf(owners, room);
    long[] moreAddresses = Arrays.copyOf(addresses, room);
    long[] moreLengths = Arrays.copyOf(lengths, room);
    arePlaintext = Arrays.copyOf(arePlaintext, room);
    lengths = moreLengths;
    addresses = moreAddresses;
    owners = moreOwners;
    writers = moreWriters;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /** Has everybody queue what they wrote; what is left when one throws, the next call queues. */
  void empty() {
    while (emptied < size) {
      int piece = emptied++;
      Writer writer = writers[piece];
      writers[piece] = null;
      if (writer != null) {
        writer.queue(owners[piece], addresses[piece], lengths[piece], arePlaintext[piece]);
      }
    }
    size = 0;
    emptied = 0;
  }
}
