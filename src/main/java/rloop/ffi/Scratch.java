package rloop.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Zeroed memory, aligned for any C type, that is freed when nothing refers to this object any more:
 * what belongs to a thread or to a loop, of which a process may see many.
 */
public final class Scratch {
  /** Keeps the memory. */
  private final MemorySegment segment;

  /** So many bytes. */
  public Scratch(long bytes) {
    segment = Arena.ofAuto().allocate(bytes, Long.BYTES);
  }

  /** To be used only while somebody holds this object. */
  public long address() {
    return segment.address();
  }
}
