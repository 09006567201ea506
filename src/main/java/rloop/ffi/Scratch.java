package rloop.ffi;

import jdk.internal.ref.CleanerFactory;

/**
 * Zeroed memory, aligned for any C type, that is freed when nothing refers to this object any more:
 * what belongs to a thread or to a loop, of which a process may see many.
 */
public final class Scratch {
  private final long address;

  /** So many bytes. */
  public Scratch(long bytes) {
    address = Memory.allocate(bytes);
    var _ = CleanerFactory.cleaner().register(this, new Freeing(address));
  }

  /** To be used only while somebody holds this object. */
  public long address() {
    return address;
  }

  /** It must not know the object whose end it waits for. */
  private record Freeing(long address) implements Runnable {
    @Override
    public void run() {
      Memory.free(address);
    }
  }
}
