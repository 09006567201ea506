package rloop.loop;

/**
 * How many of a kind there have been, and are.
 *
 * <p>Thread rule: with the loop's lock.
 */
public final class Tally {
  private long begun;
  private long ended;

  Tally() {}

  /** There is one more. */
  public void begin() {
    begun++;
  }

  /** One is gone. */
  public void end() {
    ended++;
  }

  /** One of them is another one's from now on. */
  public void moveTo(Tally other) {
    begun--;
    other.begun++;
  }

  /** How many there are. */
  long open() {
    return begun - ended;
  }

  /** How many there have been. */
  long opened() {
    return begun;
  }
}
