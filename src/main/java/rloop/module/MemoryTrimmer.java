package rloop.module;

import rloop.posix.Malloc;

/**
 * Gives the memory back to the system with which the JIT has worked, about 8 MB once a server's hot
 * code is compiled.
 *
 * <p>The C library keeps what is freed, and takes all of the process's memory into account when it
 * is asked to give back: in a large program that may take a tenth of a second, in which nobody else
 * allocates. So it is asked for it after five seconds, ten, twenty and so on, as the JIT has less
 * and less to do; the JVM's own option for it (TrimNativeHeapInterval) does it for ever.
 */
final class MemoryTrimmer extends Thread {
  private static final String NAME = "rloop-trimmer";
  private static final long STACK_BYTES = 256 << 10;
  private static final long FIRST_SECONDS = 5;
  private static final long MILLIS_PER_SECOND = 1000;

  private long seconds;

  private MemoryTrimmer(long seconds) {
    super(null, null, NAME, STACK_BYTES);
    this.seconds = seconds;
  }

  /** Begins with it; the first time comes as late as the property says, or after five seconds. */
  static void begin() {
    MemoryTrimmer trimmer = new MemoryTrimmer(Long.getLong("rloop.trim.seconds", FIRST_SECONDS));
    trimmer.setDaemon(true);
    trimmer.start();
  }

  @Override
  public void run() {
    try {
      while (true) {
        sleep(seconds * MILLIS_PER_SECOND);
        Malloc.malloc_trim(0);
        seconds *= 2;
      }
    } catch (InterruptedException e) {
      // Nobody interrupts it; if somebody does, it is to end.
      return;
    }
  }
}
