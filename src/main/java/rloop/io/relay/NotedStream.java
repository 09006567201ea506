package rloop.io.relay;

import rloop.io.stream.StreamEndpoint;
import rloop.io.stream.StreamEvents;

/** What a {@link StreamEndpoint} tells, at once or later. */
public final class NotedStream extends NotedEndpoint<StreamEndpoint, StreamEvents>
    implements StreamEvents {
  private static final int RECEIVED = OWN;
  private static final int ENDED = OWN + 1;
  private static final int READABLE = OWN + 2;
  private static final int HANDSHAKE_FED = OWN + 3;
  private static final int TLS_ENDED = OWN + 4;
  private static final int TLS_HANDED_BACK = OWN + 5;
  private static final int TLS_FAILED = OWN + 6;

  /** For a listener, whose endpoint comes next. */
  public NotedStream(Notes notes, StreamEvents listener) {
    super(notes, listener);
  }

  @Override
  public boolean makeRoom() {
    if (!notes.areTaken()) {
      return listener.makeRoom();
    }
    StreamEndpoint offered = endpoint();
    if (offered.hasRoomAhead()) {
      return true; // much of it is not copied
    }
    long room = notes.room();
    if (room != 0) {
      offered.offer(room, notes.roomSize());
    }
    return room != 0;
  }

  @Override
  public void prepareRoom() {
    listener.prepareRoom();
  }

  @Override
  public void received(long address, long count) {
    if (!note(RECEIVED, address, count)) {
      listener.received(address, count);
    } else {
      notes.use(address, count);
    }
  }

  @Override
  public void ended(int errno) {
    if (!note(ENDED, errno, 0)) {
      listener.ended(errno);
    }
  }

  @Override
  public void readable() {
    if (!note(READABLE)) {
      listener.readable();
    }
  }

  @Override
  public void handshakeFed() {
    if (!note(HANDSHAKE_FED)) {
      listener.handshakeFed();
    }
  }

  @Override
  public void tlsEnded() {
    if (!note(TLS_ENDED)) {
      listener.tlsEnded();
    }
  }

  @Override
  public void tlsHandedBack() {
    if (!note(TLS_HANDED_BACK)) {
      listener.tlsHandedBack();
    }
  }

  @Override
  public void tlsFailed(long error) {
    if (!note(TLS_FAILED, error, 0)) {
      listener.tlsFailed(error);
    }
  }

  @Override
  void retellOwn(int event, long a, long b) {
    switch (event) {
      case RECEIVED -> {
        listener.received(a, b);
        listener.prepareRoom();
      }
      case ENDED -> listener.ended((int) a);
      case READABLE -> listener.readable();
      case HANDSHAKE_FED -> listener.handshakeFed();
      case TLS_ENDED -> listener.tlsEnded();
      case TLS_HANDED_BACK -> listener.tlsHandedBack();
      case TLS_FAILED -> listener.tlsFailed(a);
      default -> throw new IllegalArgumentException("no event of a stream: " + event);
    }
  }
}
