package rloop.io.stream;

import static rloop.posix.Constants.IOV_MAX;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import java.util.Arrays;
import rloop.ffi.Memory;
import rloop.ffi.Scratch;
import rloop.io.IoCounters;
import rloop.posix.Iovec;
import rloop.posix.Msghdr;
import rloop.posix.Stdlib;
import rloop.posix.SysSocket;

/**
 * Chunks of memory that wait to be sent, in order, each with the owner that keeps it alive.
 *
 * <p>One chunk goes by {@code send}, several by one {@code sendmsg} where the stream allows it:
 * that a server writes head and body apart costs it nothing.
 */
public final class WriteQueue {
  /** Gives an owner up, when its chunk is sent or dropped. */
  public interface Release {
    void release(long owner);
  }

  private static final int INITIAL_ROOM = 4;

  /** What was made larger by a rush starts anew once it is empty; in chunks. */
  private static final int MOST_KEPT = 1 << 12;

  private static final long[] NONE = {};

  /** A bit of an owner that is memory of libc's, which no Python object's address has. */
  private static final long ALLOCATED = 2;

  /** As many chunks as one call takes; more of them gain nothing. */
  private static final int MOST_CHUNKS = Math.min(IOV_MAX, 64);

  /** Filled anew for each call, by whoever sends; a thread's own. */
  private static final class Message {
    private final Scratch memory = new Scratch(Msghdr.SIZE + MOST_CHUNKS * Iovec.SIZE);
    final long header = memory.address();
    private final long iovecs = header + Msghdr.SIZE;

    /** Describes some chunks; returns how many bytes they are. */
    long gather(long[] addresses, long[] lengths, int from, int count) {
      long offered = 0;
      for (int i = 0; i < count; i++) {
        Iovec.put(iovecs, i, addresses[from + i], lengths[from + i]);
        offered += lengths[from + i];
      }
      Msghdr.put(header, iovecs, count);
      return offered;
    }
  }

  private static final ThreadLocal<Message> MESSAGE = ThreadLocal.withInitial(Message::new);

  private final Release release;
  private long[] owners = NONE;
  private long[] addresses = NONE;
  private long[] lengths = NONE;
  private int head;
  private int tail;
  private long bytes;

  /** An empty queue. */
  public WriteQueue(Release release) {
    this.release = release;
  }

  public boolean isEmpty() {
    return head == tail;
  }

  /** How many bytes wait. */
  public long bytes() {
    return bytes;
  }

  /**
   * Adds a chunk at the end; {@code owner} keeps its memory alive until it is released, which it is
   * at once where there is no memory for the queue to grow.
   */
  public void add(long owner, long address, long length) {
    try {
      reserve();
    } catch (OutOfMemoryError e) {
      release(owner);
      throw e;
    }
    owners[tail] = owner;
    addresses[tail] = address;
    lengths[tail] = length;
    tail++;
    bytes += length;
  }

  /** Adds a chunk that is a copy of some memory. */
  public void addCopy(long address, long length) {
    long copy = Stdlib.malloc(length);
    Memory.copy(address, copy, length);
    add(copy | ALLOCATED, copy, length);
  }

  private void release(long owner) {
    if ((owner & ALLOCATED) != 0) {
      Stdlib.free(owner & ~ALLOCATED);
    } else {
      release.release(owner);
    }
  }

  /** Makes room for one more chunk; throws before anything changes. */
  public void reserve() {
    if (tail < owners.length) {
      return;
    }
    int count = tail - head;
    if (head > count) {
      System.arraycopy(owners, head, owners, 0, count);
      System.arraycopy(addresses, head, addresses, 0, count);
      System.arraycopy(lengths, head, lengths, 0, count);
    } else {
      int end = head + Math.max(2 * count, INITIAL_ROOM);
      long[] largerOwners = Arrays.copyOfRange(owners, head, end);
      long[] largerAddresses = Arrays.copyOfRange(addresses, head, end);
      lengths = Arrays.copyOfRange(lengths, head, end);
      owners = largerOwners;
      addresses = largerAddresses;
    }
    head = 0;
    tail = count;
  }

  /**
   * Sends as much as the kernel takes.
   *
   * @return 0, or the {@code -errno} of the last call; some may be sent in either case
   */
  public int send(int fd, StreamCalls calls, IoCounters counters) {
    for (; ; ) {
      int chunks = calls.gathers ? Math.min(tail - head, MOST_CHUNKS) : 1;
      long offered = lengths[head];
      long sent;
      if (chunks == 1) {
        sent = calls.send(fd, addresses[head], offered);
      } else {
        Message message = MESSAGE.get();
        offered = message.gather(addresses, lengths, head, chunks);
        sent = SysSocket.sendmsg(fd, message.header, MSG_NOSIGNAL);
      }
      counters.sent(sent);
      if (sent < 0) {
        return (int) sent;
      }
      advance(sent);
      // Short of what was offered, the kernel's buffer is full: the next call would say so.
      if (sent < offered || isEmpty()) {
        return 0;
      }
    }
  }

  /** Whether there is exactly one chunk. */
  public boolean isOneChunk() {
    return tail - head == 1;
  }

  /** Where the first chunk's unsent part begins. */
  public long headAddress() {
    return addresses[head];
  }

  /** How many bytes of the first chunk are unsent. */
  public long headLength() {
    return lengths[head];
  }

  /** Copies the first bytes, as many as there are and have room; returns how many. */
  public int copyTo(long address, int room) {
    int copied = 0;
    for (int i = head; i < tail && copied < room; i++) {
      int length = (int) Math.min(lengths[i], room - copied);
      Memory.copy(addresses[i], address + copied, length);
      copied += length;
    }
    return copied;
  }

  /** Takes so many bytes off: they are sent. */
  public void advance(long sent) {
    bytes -= sent;
    long rest = sent;
    while (head < tail && rest >= lengths[head]) {
      rest -= lengths[head];
      release(owners[head++]);
    }
    if (head == tail) {
      startAnew();
    } else {
      addresses[head] += rest;
      lengths[head] -= rest;
    }
  }

  /** Drops what was not sent. */
  public void clear() {
    bytes = 0;
    while (head < tail) {
      release(owners[head++]);
    }
    startAnew();
  }

  private void startAnew() {
    head = 0;
    tail = 0;
    if (owners.length > MOST_KEPT) {
      owners = NONE;
      addresses = NONE;
      lengths = NONE;
    }
  }
}
