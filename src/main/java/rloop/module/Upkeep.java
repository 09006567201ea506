package rloop.module;

import rloop.posix.Malloc;
import rloop.posix.Time;

/**
 * What is seen to now and then, as the JIT has less and less to do: after five seconds, ten, twenty
 * and so on.
 *
 * <p>The memory with which the JIT has worked is given back to the system, about 8 MB once a
 * server's hot code is compiled. The C library keeps what is freed, and takes all of the process's
 * memory into account when it is asked to give back: in a large program that may take a tenth of a
 * second, in which nobody else allocates. So it is not asked for ever, as the JVM's own option
 * (TrimNativeHeapInterval) does.
 *
 * <p>A process that has worked for a while has its JIT give way ({@link CompilerPriority}).
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
      while (true) {
        sleep(seconds * MILLIS_PER_SECOND);
        Malloc.malloc_trim(0);
        if (!jitGivesWay && Time.clock() >= HOT_CODE_MICROS) {
          jitGivesWay = true;
          CompilerPriority.lower();
        }
        seconds *= 2;
      }
    } catch (InterruptedException e) {
      // Nobody interrupts it; if somebody does, it is to end.
      return;
    }
  }
}
