package rloop.module;

import rloop.posix.Malloc;
import rloop.posix.Time;

/**
 * What is seen to now and then.
 *
 * <p>The memory with which the JIT has worked is given back to the system, about 8 MB once a
 * server's hot code is compiled: after five seconds, ten, twenty and so on, as the JIT has less and
 * less to do. The C library keeps what is freed, and takes all of the process's memory into account
 * when it is asked to give back: in a large program that may take a tenth of a second, in which
 * nobody else allocates. So it is not asked for ever, as the JVM's own option
 * (TrimNativeHeapInterval) does.
 *
 * <p>A process that has worked for a while has its JIT give way ({@link CompilerPriority}); whether
 * it has is asked every five seconds until then.
 */
final class Upkeep extends Thread {
  private static final String NAME = "rloop-upkeep";
  private static final long STACK_BYTES = 256 << 10;
  private static final long FIRST_SECONDS = 5;
  private static final long MILLIS_PER_SECOND = 1000;

  /** CPU that the process has taken by the time that the hot code of a server is compiled. */
  private static final long HOT_CODE_MICROS = 3_000_000;

  private long seconds;
  private boolean jitGivesWay;

  private Upkeep(long seconds) {
    super(null, null, NAME, STACK_BYTES);
    this.seconds = seconds;
  }

  /** Begins with it; the first time comes as late as the property says, or after five seconds. */
  static void begin() {
    Upkeep upkeep = new Upkeep(Long.getLong("rloop.upkeep.seconds", FIRST_SECONDS));
    upkeep.setDaemon(true);
    upkeep.start();
  }

  @Override
  public void run() {
    try {
      long untilTrim = seconds;
      while (true) {
        long pause = jitGivesWay ? untilTrim : Math.min(untilTrim, FIRST_SECONDS);
        sleep(pause * MILLIS_PER_SECOND);
        untilTrim -= pause;
        if (untilTrim == 0) {
          Malloc.malloc_trim(0);
          seconds *= 2;
          untilTrim = seconds;
        }
        if (!jitGivesWay && Time.clock() >= HOT_CODE_MICROS) {
          jitGivesWay = true;
          CompilerPriority.lower();
        }
      }
    } catch (InterruptedException e) {
      // Nobody interrupts it; if somebody does, it is to end.
      return;
    }
  }
}
