package rloop.io;

/** A thread of Java's that a {@link Driver} may be lent to. */
public final class IoThread extends Thread {
  /** A daemon, which ends with the process: it touches nothing of Python's. */
  public IoThread(Runnable work) {
    super(work, "rloop I/O");
    setDaemon(true);
  }
}
