package rloop.loop;

/** When a loop lends its I/O to another thread. */
public enum Lending {
  /** It does its I/O itself. */
  NEVER,
  /** When the next batch is worth it. */
  WHEN_BUSY,
  /** For every batch: for tests. */
  ALWAYS
}
