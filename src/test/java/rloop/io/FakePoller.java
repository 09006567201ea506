package rloop.io;

import static rloop.posix.Constants.EEXIST;
import static rloop.posix.Constants.ENOENT;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import rloop.io.poll.Poller;

/** Knows what it was asked to watch; tests say what happens. */
final class FakePoller implements Poller {
  /** What is watched for, and under which key. */
  record Watch(int interest, long key) {}

  private record Event(long key, int readiness) {}

  /** By descriptor. */
  final Map<Integer, Watch> watched = new HashMap<>();

  private final List<Event> events = new ArrayList<>();

  /** How many times it was told to change anything. */
  int changes;

  boolean isClosed;

  /** How many times it was told to forget everything. */
  int reopened;

  /** Whether the next {@link #add} is refused, and with which number. */
  int refusal;

  /** Adds to what the last poll has found. */
  void happens(long key, int readiness) {
    events.add(new Event(key, readiness));
  }

  /** What a descriptor is watched for. */
  Watch watch(int fd) {
    return Objects.requireNonNull(watched.get(fd), () -> "nobody watches " + fd);
  }

  @Override
  public int add(int fd, int interest, long key) {
    changes++;
    if (refusal != 0) {
      return -refusal;
    }
    return watched.putIfAbsent(fd, new Watch(interest, key)) == null ? 0 : -EEXIST;
  }

  @Override
  public int modify(int fd, int interest, long key) {
    changes++;
    return watched.replace(fd, new Watch(interest, key)) == null ? -ENOENT : 0;
  }

  @Override
  public int remove(int fd) {
    changes++;
    return watched.remove(fd) == null ? -ENOENT : 0;
  }

  @Override
  public boolean reopen() {
    watched.clear();
    reopened++;
    return true;
  }

  @Override
  public int poll(long timeoutNanos) {
    return events.size();
  }

  @Override
  public long key(int index) {
    return events.get(index).key;
  }

  @Override
  public int readiness(int index) {
    return events.get(index).readiness;
  }

  @Override
  public void wakeup() {}

  @Override
  public long wakeUps() {
    return 0;
  }

  @Override
  public void close() {
    isClosed = true;
  }
}
