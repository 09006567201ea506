package rloop.io.poll;

/**
 * Watches file descriptors.
 *
 * <p>Thread rule: {@link #wakeup} may be called by any thread at any time, even after {@link
 * #close}. Everything else is called by one thread at a time, the one that runs the loop, and not
 * while {@link #poll} runs.
 *
 * <p>What is watched is a file, under the number that it had when it was added. Closed, it is
 * silent, though its number may be another file's by now, which is not watched: unless a duplicate
 * of it lives on, whose events epoll goes on to report, and nobody can delete by the number.
 *
 * <p>Level-triggered: what was not consumed is reported again by the next {@link #poll}. Nothing
 * here allocates Java memory, except to grow and to throw.
 */
public interface Poller {
  /** Interest and readiness: data, an end of file, a connection to accept. */
  int READ = 1;

  /** Interest and readiness: room to write, a connection made or refused. */
  int WRITE = 2;

  /** What {@link #poll} returns when a signal ended it. */
  int INTERRUPTED = -1;

  /** A key has 62 bits and a sign: the two bits that are left belong to the poller. */
  long MIN_KEY = Long.MIN_VALUE >> 2;

  /** The greatest key. */
  long MAX_KEY = Long.MAX_VALUE >> 2;

  /**
   * Starts watching a descriptor.
   *
   * @param interest {@link #READ}, {@link #WRITE} or both; not 0, see {@link #modify}
   * @param key what {@link #key} is to say about it, chosen by the caller. An event that is already
   *     taken carries the key of its time: put a generation into it, as a descriptor's number is
   *     used again as soon as it is closed
   * @return 0 or {@code -errno}: {@code EBADF} (not open), {@code EEXIST} (watched already), {@code
   *     EPERM} (epoll alone: nothing to wait for, as in a regular file)
   */
  int add(int fd, int interest, long key);

  /**
   * Changes interest and key of a watched descriptor.
   *
   * <p>Interest can't be 0, {@link #remove} it instead: the kernel reports errors and hang-ups to
   * whoever is in the set at all, so that an uninterested descriptor would make every poll return
   * at once with nothing in it.
   *
   * @return 0 or {@code -errno}: {@code ENOENT} (the file that has this number is not watched),
   *     {@code EBADF} (closed)
   */
  int modify(int fd, int interest, long key);

  /**
   * Stops watching a descriptor. To be called before it is closed.
   *
   * @return 0 or {@code -errno}: {@code ENOENT} (not watched), {@code EBADF} (closed; epoll alone)
   */
  int remove(int fd);

  /**
   * Forgets all that is watched, also files whose numbers are others' by now.
   *
   * @return false if there was no descriptor for that: all is as before
   */
  boolean reopen();

  /**
   * Waits until a watched descriptor is ready, the time is over, or somebody calls {@link #wakeup}.
   *
   * @param timeoutNanos 0: look, don't wait; negative: wait for ever. Waits never end early for
   *     want of precision, but may end up to a millisecond late
   * @return how many descriptors are ready (a bounded number; who did not fit comes first in the
   *     next poll); 0 when the time is over or a wake-up came, at times a wake-up that an earlier
   *     poll did not wait for; {@link #INTERRUPTED} when a signal came
   */
  int poll(long timeoutNanos);

  /** The key of the descriptor that the last poll found ready at {@code index}. */
  long key(int index);

  /**
   * What that descriptor is ready for, never 0. On an error or a hang-up, all that it is watched
   * for, so that whoever tries to read or write meets it.
   */
  int readiness(int index);

  /**
   * Ends the {@link #poll} that waits, or keeps the next one from waiting.
   *
   * <p>Many calls before a poll are one wake-up, and only one to a thread that really sleeps costs
   * a system call. What was done before this call is seen by the polling thread after its poll;
   * each poll uses up the wake-ups before it, so it has to look every time.
   */
  void wakeup();

  /** How often {@link #wakeup} has cost a system call; for any thread. */
  long wakeUps();

  /** Gives everything back to the kernel; the watched descriptors stay open. */
  void close();
}
