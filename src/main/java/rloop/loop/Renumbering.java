package rloop.loop;

/** Whoever knows calls by their sequence numbers. */
public interface Renumbering {
  /** A call that waits has another number now, of another loop. */
  void renumber(long from, long to);
}
