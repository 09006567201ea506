package rloop.io.relay;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import rloop.io.Endpoint;
import rloop.io.EndpointEvents;

/** What an endpoint tells, at once or, while the I/O is lent, later. */
abstract class NotedEndpoint<P extends Endpoint, E extends EndpointEvents>
    implements EndpointEvents, Notes.Noted {
  private static final int PROGRESSED = 0;
  private static final int DRAINED = 1;
  private static final int FAILED = 2;
  static final int RELEASED = 3;
  private static final int HELD = 4;

  /** The first event that is a kind's own. */
  static final int OWN = 5;

  final Notes notes;
  final E listener;
  private @Nullable P endpoint;

  NotedEndpoint(Notes notes, E listener) {
    this.notes = notes;
    this.listener = listener;
  }

  /** Whose events these are; to be called before the first. */
  public final void setEndpoint(P endpoint) {
    this.endpoint = endpoint;
  }

  final P endpoint() {
    return Objects.requireNonNull(endpoint);
  }

  /** Notes an event, if that is to be done. */
  final boolean note(int event, long a, long b) {
    boolean notes = this.notes.areTaken();
    if (notes) {
      this.notes.add(this, event, a, b);
    }
    return notes;
  }

  final boolean note(int event) {
    return note(event, 0, 0);
  }

  @Override
  public final void progressed() {
    if (!note(PROGRESSED)) {
      listener.progressed();
    }
  }

  @Override
  public final void drained() {
    if (!note(DRAINED)) {
      listener.drained();
    }
  }

  @Override
  public final void failed(int errno) {
    if (!note(FAILED, errno, 0)) {
      listener.failed(errno);
    }
  }

  @Override
  public final void released(long owner) {
    if (!note(RELEASED, owner, 0)) {
      listener.released(owner);
    }
  }

  @Override
  public final void held(boolean isHeld) {
    if (!note(HELD, isHeld ? 1 : 0, 0)) {
      listener.held(isHeld);
    }
  }

  /** On the I/O thread nobody's owner can die. */
  @Override
  public final void used(boolean isUsed) {
    if (!notes.areTaken()) {
      listener.used(isUsed);
    }
  }

  @Override
  public final void driverClosed() {
    listener.driverClosed();
  }

  @Override
  public final void retell(int event, long a, long b) {
    if (endpoint().isClosed()) { // by whom an earlier event has let in; its owner may be dead
      if (event == RELEASED) {
        listener.released(a);
      }
      return;
    }
    listener.used(true);
    try {
      tell(event, a, b);
    } finally {
      listener.used(false);
    }
  }

  private void tell(int event, long a, long b) {
    switch (event) {
      case PROGRESSED -> listener.progressed();
      case DRAINED -> listener.drained();
      case FAILED -> listener.failed((int) a);
      case RELEASED -> listener.released(a);
      case HELD -> listener.held(a != 0);
      default -> retellOwn(event, a, b);
    }
  }

  /** As {@link #retell}, of what the kind has beyond that. */
  abstract void retellOwn(int event, long a, long b);
}
