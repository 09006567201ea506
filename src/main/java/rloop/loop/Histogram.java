package rloop.loop;

import java.util.Arrays;

/**
 * How often which length of time was met, in constant memory, as HdrHistogram does it: as many
 * buckets between each power of two and the next, so that none is wider than a 64th of what it
 * holds.
 *
 * <p>Thread rule: with the loop's lock.
 */
final class Histogram {
  /** As {@code rloop.metrics.histogram} has it. */
  private static final int BUCKETS_BITS = 6;

  /** Of a power of two; below it each value has a bucket of its own. */
  private static final int BUCKETS = 1 << BUCKETS_BITS;

  /** More than an hour, in nanoseconds: what takes longer counts as that. */
  private static final long GREATEST = (1L << 42) - 1;

  private final long[] counts = new long[bucket(GREATEST) + 1];
  private long count;
  private long sum;
  private long least;
  private long most;

  Histogram() {
    reset();
  }

  private static int bucket(long value) {
    if (value < BUCKETS) {
      return (int) value;
    }
    int shift = Long.SIZE - 1 - BUCKETS_BITS - Long.numberOfLeadingZeros(value);
    return (shift << BUCKETS_BITS) + (int) (value >> shift);
  }

  /** Adds a length of time, in nanoseconds. */
  void record(long nanos) {
    record(nanos, 1);
  }

  /** Adds a length of time that was met several times. */
  void record(long nanos, long times) {
    long value = Math.clamp(nanos, 0, GREATEST);
    counts[bucket(value)] += times;
    count += times;
    sum += value * times;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }

  /** Forgets all. */
  void reset() {
    Arrays.fill(counts, 0);
    count = 0;
    sum = 0;
    least = Long.MAX_VALUE;
    most = 0;
  }

  /**
   * What it holds: how many values, their sum, the least and the greatest; how many buckets are not
   * empty, and of each its number and how many values are in it.
   */
  long[] snapshot() {
    int head = 5;
    int used = 0;
    for (long inBucket : counts) {
      used += inBucket > 0 ? 1 : 0;
    }
    long[] snapshot = new long[head + 2 * used];
    snapshot[0] = count;
    snapshot[1] = sum;
    snapshot[2] = count == 0 ? 0 : least;
    snapshot[3] = most;
    snapshot[4] = used;
    int at = head;
    for (int bucket = 0; bucket < counts.length; bucket++) {
      if (counts[bucket] > 0) {
        snapshot[at++] = bucket;
        snapshot[at++] = counts[bucket];
      }
    }
    return snapshot;
  }
}
