package rloop.io.stream;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import rloop.ffi.Memory;

/** Writes down what a stream's endpoint tells, and makes room for what comes. */
public final class RecordedStream implements StreamEvents {
  private static final int ROOM = 64 * 1024;

  /** Names of events, with what came. */
  public final List<String> told = new CopyOnWriteArrayList<>();

  /** What was given back. */
  public final List<Long> released = new ArrayList<>();

  /** On which threads it was told. */
  public final List<Thread> threads = new CopyOnWriteArrayList<>();

  private final long room = Memory.allocate(ROOM);
  private @Nullable StreamEndpoint endpoint;

  public void setEndpoint(StreamEndpoint endpoint) {
    this.endpoint = endpoint;
  }

  private void tell(String event) {
    told.add(event);
    threads.add(Thread.currentThread());
  }

  @Override
  public boolean makeRoom() {
    if (endpoint != null) {
      endpoint.offer(room, ROOM);
    }
    return endpoint != null;
  }

  @Override
  public void prepareRoom() {}

  @Override
  public void received(long address, long count) {
    StringBuilder text = new StringBuilder();
    for (long i = 0; i < count; i++) {
      text.append((char) Memory.getByte(address + i));
    }
    tell("received " + text);
  }

  @Override
  public void ended(int errno) {
    tell("ended " + errno);
  }

  @Override
  public void readable() {
    tell("readable");
  }

  @Override
  public void handshakeFed() {
    tell("handshake fed");
  }

  @Override
  public void tlsEnded() {
    tell("TLS ended");
  }

  @Override
  public void tlsHandedBack() {
    tell("TLS handed back");
  }

  @Override
  public void tlsFailed(long error) {
    tell("TLS failed");
  }

  @Override
  public void progressed() {
    tell("progressed");
  }

  @Override
  public void drained() {
    tell("drained");
  }

  @Override
  public void failed(int errno) {
    tell("failed " + errno);
  }

  @Override
  public void released(long owner) {
    released.add(owner);
  }

  @Override
  public void used(boolean isUsed) {}

  @Override
  public void held(boolean isHeld) {
    tell(isHeld ? "held" : "let go");
  }

  @Override
  public void driverClosed() {
    tell("driver closed");
  }
}
