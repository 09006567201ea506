package rloop.io.stream;

import static rloop.posix.Constants.IOV_MAX;
import static rloop.posix.Constants.MSG_NOSIGNAL;

import java.util.Arrays;
import rloop.ffi.Memory;
import rloop.ffi.Scratch;
import rloop.posix.Iovec;
import rloop.posix.Msghdr;
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
  private long[] owners = new long[INITIAL_ROOM];
  private long[] addresses = new long[INITIAL_ROOM];
  private long[] lengths = new long[INITIAL_ROOM];
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

  /** Adds a chunk at the end; {@code owner} keeps its memory alive until it is released. */
  public void add(long owner, long address, long length) {
    if (tail == owners.length) {
      makeRoom();
    }
    owners[tail] = owner;
    addresses[tail] = address;
    lengths[tail] = length;
    tail++;
    bytes += length;
  }

  private void makeRoom() {
    int count = tail - head;
    int room = count > owners.length / 2 ? owners.length * 2 : owners.length;
    owners = Arrays.copyOfRange(owners, head, head + room);
    addresses = Arrays.copyOfRange(addresses, head, head + room);
    lengths = Arrays.copyOfRange(lengths, head, head + room);
    head = 0;
    tail = count;
  }

  /**
   * Sends as much as the kernel takes.
   *
   * @return 0, or the {@code -errno} of the last call; some may be sent in either case
   */
  public int send(int fd, StreamCalls calls) {
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
      release.release(owners[head++]);
    }
    if (head == tail) {
      head = 0;
      tail = 0;
    } else {
      addresses[head] += rest;
      lengths[head] -= rest;
    }
  }

  /** Drops what was not sent. */
  public void clear() {
    bytes = 0;
    while (head < tail) {
      release.release(owners[head++]);
    }
    head = 0;
    tail = 0;
  }
}
