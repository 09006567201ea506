package rloop.io.relay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import rloop.io.Driver;
import rloop.io.tls.TlsStream;
import rloop.posix.Stdlib;

/**
 * What happened while the I/O was lent, in order, to be told when it is back; and the memory that
 * was received into meanwhile.
 *
 * <p>Thread rule: the driver's owner.
 */
public final class Notes {
  /** Something that is told later. */
  public interface Noted {
    /** Tells what was noted, on the loop's own thread. */
    void retell(int event, long a, long b);
  }

  /** What one read may take, decrypted or not, in bytes. */
  private static final long MOST_A_READ = Driver.READ_BUFFER_SIZE + TlsStream.LARGEST_RECORD;

  /** As much as a batch reads at home, in bytes. */
  private static final long ARENA_SIZE = (1 << 20) + MOST_A_READ;

  private static final int INITIAL_ROOM = 256;
  private static final long ALIGNMENT = Long.BYTES;

  private final long arenaSize;
  private @Nullable Noted[] whom;
  private int[] events;
  private long[] first;
  private long[] second;
  private int[] turns;
  private int size;
  private int told;

  /** What happens now comes after what happens in lower turns, also of other notes. */
  private int turn;

  /** Memory of libc's, 0 before the first read; address space alone until it is written to. */
  private long arena;

  private long used;

  /** What has come elsewhere, in bytes: a batch is as large as at home. */
  private long ahead;

  /** What had no room in it, memory of libc's. */
  private final List<Long> allocated = new ArrayList<>();

  private boolean areTaken;

  Notes() {
    this(ARENA_SIZE, INITIAL_ROOM);
  }

  /** For so many bytes, and at first so many notes. */
  Notes(long arenaSize, int initialRoom) {
    this.arenaSize = arenaSize;
    whom = new Noted[initialRoom];
    events = new int[initialRoom];
    first = new long[initialRoom];
    second = new long[initialRoom];
    turns = new int[initialRoom];
  }

  /** The smallest arena: it has room for one read. */
  static long smallest() {
    return MOST_A_READ;
  }

  /** From now on, or no longer, what happens is noted instead of told. */
  void take(boolean areTaken) {
    this.areTaken = areTaken;
  }

  /** Whether what happens is to be noted. */
  public boolean areTaken() {
    return areTaken;
  }

  /** Notes an event. */
  public void add(Noted noted, int event, long a, long b) {
    if (size == events.length) {
      int room = size * 2;
      @Nullable Noted[] moreWhom = Arrays.copyOf(whom, room);
      int[] moreEvents = Arrays.copyOf(events, room);
      long[] moreFirst = Arrays.copyOf(first, room);
      int[] moreTurns = Arrays.copyOf(turns, room);
      second = Arrays.copyOf(second, room);
      first = moreFirst;
      turns = moreTurns;
      events = moreEvents;
      whom = moreWhom;
    }
    whom[size] = noted;
    events[size] = event;
    first[size] = a;
    second[size] = b;
    turns[size] = turn;
    size++;
  }

  /** Where the next read goes, {@link #roomSize} bytes; 0 if it has to wait until all is told. */
  long room() {
    if (arena == 0) {
      arena = Stdlib.malloc(arenaSize);
    }
    return hasRoom() ? arena + used : 0;
  }

  long roomSize() {
    return MOST_A_READ;
  }

  /** So many bytes have come, to {@link #room} or to where there was room ahead. */
  void use(long address, long bytes) {
    if (address == arena + used) {
      use(bytes);
    } else {
      ahead += bytes;
    }
  }

  private void use(long bytes) {
    used += (bytes + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /** Memory for a copy, until all is told. */
  long allocate(long bytes) {
    if (arena != 0 && bytes <= arenaSize - used) {
      long address = arena + used;
      use(bytes);
      return address;
    }
    long address = Stdlib.malloc(bytes);
    allocated.add(address);
    return address;
  }

  /** Whether more may be read. */
  boolean hasRoom() {
    return arenaSize - used - ahead >= MOST_A_READ;
  }

  /** What follows happens in this turn; they are counted up. */
  void begin(int turn) {
    this.turn = turn;
  }

  /** Tells all, in the order of turns; what is left when somebody throws, the next call tells. */
  static void retell(Notes[] all) {
    Notes next;
    while ((next = firstOf(all)) != null) {
      next.retellNext();
    }
    for (Notes notes : all) {
      notes.forget();
    }
  }

  private static @Nullable Notes firstOf(Notes[] all) {
    Notes first = null;
    for (Notes notes : all) {
      if (notes.told < notes.size
          && (first == null || notes.turns[notes.told] < first.turns[first.told])) {
        first = notes;
      }
    }
    return first;
  }

  private void retellNext() {
    int note = told++;
    Noted noted = whom[note];
    whom[note] = null;
    if (noted != null) {
      noted.retell(events[note], first[note], second[note]);
    }
  }

  private void forget() {
    turn = 0;
    size = 0;
    told = 0;
    used = 0;
    ahead = 0;
    for (long address : allocated) {
      Stdlib.free(address);
    }
    allocated.clear();
  }

  /** Gives the memory back; nothing is told any more. */
  void close() {
    forget();
    Stdlib.free(arena);
    arena = 0;
  }
}
