package rloop.module;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import rloop.posix.SysResource;

/**
 * The priority of the JIT's threads.
 *
 * <p>On one core, as most containers have, they take time slices of some milliseconds from the
 * loop. When a new kind of load comes to a server, such as the first TLS clients, what it needs is
 * compiled, and in that second one request in a hundred took 4.7 ms; with a lower priority, 1.2.
 *
 * <p>Not from the beginning: a young process that has its one core to the full would run
 * interpreted code for longer, and take twice the CPU for 100,000 requests.
 *
 * <p>Linux, where threads have priorities of their own; elsewhere there is nothing to be seen of
 * them. Threads that the JIT starts later have theirs from it.
 */
final class CompilerPriority {
  private static final Path THREADS = Path.of("/proc/self/task");

  /** Of the kernel's weights, 1024 for what is not nice: this much nicer has a sixth of it. */
  private static final int LOWER_BY = 8;

  private static final int LOWEST = 19;

  // proc_pid_stat(5): "tid (name) state ...", of which the name may have spaces
  private static final char NAME_BEGINS = '(';
  private static final char NAME_ENDS = ')';
  private static final int STATE_FIELD = 3;
  private static final int NICE_FIELD = 19;

  private CompilerPriority() {}

  /** Has the JIT give way to all other threads; once. */
  static void lower() {
    String[] threads = new File(THREADS.toString()).list();
    if (threads == null) {
      return;
    }
    for (String thread : threads) {
      try {
        lower(Integer.parseInt(thread));
      } catch (IOException e) {
        // The thread has ended meanwhile.
      }
    }
  }

  private static void lower(int thread) throws IOException {
    String stat = Files.readString(THREADS.resolve(thread + "/stat"));
    int nameEnd = stat.lastIndexOf(NAME_ENDS);
    String name = stat.substring(stat.indexOf(NAME_BEGINS) + 1, nameEnd);
    if (name.startsWith("C1 Compiler") || name.startsWith("C2 Compiler")) {
      String[] fields = stat.substring(nameEnd + 2).split(" ", -1);
      int nice = Integer.parseInt(fields[NICE_FIELD - STATE_FIELD]);
      var _ = SysResource.setpriority(thread, Math.min(nice + LOWER_BY, LOWEST)); // a courtesy
    }
  }
}
