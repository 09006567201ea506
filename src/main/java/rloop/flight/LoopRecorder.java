package rloop.flight;

import org.jspecify.annotations.Nullable;
import rloop.loop.Recorder;

/** Makes Flight Recorder's events of what a loop does; those of the hot paths are used again. */
final class LoopRecorder implements Recorder {
  private final IterationEvent iteration = new IterationEvent();
  private final PollEvent poll = new PollEvent();
  private SlowCallEvent call = new SlowCallEvent();

  /** One that waits to be described. */
  private @Nullable SlowCallEvent slowCall;

  @Override
  public void workBegins() {
    iteration.begin();
  }

  @Override
  public void workEnds(long calls) {
    iteration.end();
    if (iteration.shouldCommit()) {
      iteration.calls = calls;
      iteration.commit();
    }
  }

  @Override
  public void waitBegins() {
    poll.begin();
  }

  @Override
  public void waitEnds() {
    poll.end();
  }

  @Override
  public void waitIsTold() {
    if (poll.shouldCommit()) {
      poll.commit();
    }
  }

  @Override
  public void callStarts() {
    call.begin();
  }

  @Override
  public boolean callEnds() {
    call.end();
    if (!call.shouldCommit()) {
      return false;
    }
    slowCall = call;
    call = new SlowCallEvent();
    return true;
  }

  @Override
  public void describeSlowCall(String description) {
    SlowCallEvent slow = slowCall;
    slowCall = null;
    if (slow != null) {
      slow.callback = description;
      slow.commit();
    }
  }

  @Override
  public Span transportOpened(String kind, int fd) {
    ConnectionOpenedEvent opened = new ConnectionOpenedEvent();
    opened.kind = kind;
    opened.fd = fd;
    opened.commit();
    ConnectionClosedEvent closed = new ConnectionClosedEvent();
    closed.kind = kind;
    closed.fd = fd;
    closed.begin();
    return well -> closed.commit();
  }

  @Override
  public void transportClosed(@Nullable Span span, String kind, int fd) {
    if (span != null) {
      span.end(true);
    } else {
      ConnectionClosedEvent closed = new ConnectionClosedEvent();
      closed.kind = kind;
      closed.fd = fd;
      closed.commit();
    }
  }

  @Override
  public Span handshake(int fd) {
    TlsHandshakeEvent handshake = new TlsHandshakeEvent();
    handshake.fd = fd;
    handshake.begin();
    return well -> {
      handshake.succeeded = well;
      handshake.commit();
    };
  }
}
