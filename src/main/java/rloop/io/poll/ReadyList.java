package rloop.io.poll;

/** What a poll found, apart from the kernel's structures, which the next change may overwrite. */
final class ReadyList {
  /** Bounds one iteration of the loop; enough to make the cost of a system call small. */
  static final int CAPACITY = 256;

  private final long[] keys = new long[CAPACITY];
  private final int[] readiness = new int[CAPACITY];
  private int size;

  void clear() {
    size = 0;
  }

  void add(long key, int ready) {
    keys[size] = key;
    readiness[size] = ready;
    size++;
  }

  int size() {
    return size;
  }

  boolean isFull() {
    return size == CAPACITY;
  }

  long key(int index) {
    return keys[index];
  }

  int readiness(int index) {
    return readiness[index];
  }
}
