package rloop.transport;

import rloop.cpython.api.Owned;
import rloop.cpython.object.PyException;
import rloop.io.Endpoint;

/**
 * Whether what arrives goes to a transport's protocol: from {@link #start} on, unless the protocol
 * has paused it, until the transport ends.
 */
public class Reading {
  private final TransportChannel channel;
  private final Endpoint endpoint;
  private final Undelivered undelivered;
  private final Callbacks callbacks;
  private boolean started;
  private boolean paused;

  /**
   * Of a channel that does not read before {@link #start}.
   *
   * @param undelivered what was received and is on its way to the protocol
   */
  Reading(
      TransportChannel channel, Endpoint endpoint, Undelivered undelivered, Callbacks callbacks) {
    this.channel = channel;
    this.endpoint = endpoint;
    this.undelivered = undelivered;
    this.callbacks = callbacks;
  }

  /**
   * Starts to deliver what arrives.
   *
   * @throws PyException an {@code OSError}, if the descriptor can't be watched
   */
  public final void start() {
    started = true;
    update();
  }

  /** Stops delivering; data that was read and not yet delivered is held back. */
  public final void pause() {
    if (channel.isOpen() && !paused) {
      paused = true;
      undelivered.takeBack();
      endpoint.stopReading(); // the poller learns of it, unless reading is resumed until then
    }
  }

  /**
   * Delivers what was held back, and reads on.
   *
   * @throws PyException an {@code OSError}, if the descriptor can't be watched
   */
  public final void resume() {
    if (channel.isOpen() && paused) {
      paused = false;
      try {
        update();
      } catch (PyException e) {
        paused = true;
        throw e;
      }
      undelivered.deliverHeld();
    }
  }

  /** After data was given to be delivered: others may have come in, who paused or closed. */
  final void takeBackUnwanted() {
    if (!isOn()) {
      if (channel.isGone()) {
        undelivered.drop();
      } else {
        undelivered.takeBack();
      }
    }
  }

  /** What is held comes first: until it is delivered nothing more is read. */
  final void update() {
    if (started && isOn()) {
      if (undelivered.holdsData()) {
        endpoint.stopReading();
      } else {
        PyException.checkErrno(endpoint.startReading());
      }
    }
  }

  /** Whether data is being delivered. */
  public final boolean isOn() {
    return !channel.isClosing() && !paused;
  }

  /** As {@link #isOn}; what was read before a write failed is delivered before that is told. */
  final boolean isDelivering() {
    return channel.isOpen() && !paused;
  }

  /**
   * Sets whom data goes to from now on, also data that was read before.
   *
   * @param receiver a protocol, or 0 for a {@code BufferedProtocol}
   */
  public final void setReceiver(long receiver) {
    undelivered.redirect();
    update();
    callbacks.setReceiver(receiver);
  }

  /** Data that was held back and may be delivered now, or 0. */
  @Owned
  public long takeHeld() {
    if (!isDelivering()) {
      return 0;
    }
    long held = undelivered.takeHeld();
    if (!undelivered.holdsData()) {
      update();
    }
    return held;
  }

  /** The transport sends what is queued and reads no more. */
  final void end() {
    undelivered.drop();
    endpoint.stopReading();
  }

  /** What was not delivered never will be. */
  final void drop() {
    undelivered.drop();
  }

  /** The transport is about to die. */
  final void dispose() {
    undelivered.dispose();
  }
}
