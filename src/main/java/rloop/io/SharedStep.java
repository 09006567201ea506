package rloop.io;

import java.util.ArrayList;
import java.util.List;

/**
 * What is to be sent and received in one step of a lent {@link Driver}, for several threads to do
 * at once.
 *
 * <p>Sending and receiving is what takes long. It touches nothing but the endpoint, and what
 * belongs to its share: so each thread does that for the endpoints of one share. The poller, and
 * who waits to be flushed, stay the owner's, before and after.
 *
 * <p>Thread rule: the driver's owner, but for {@link #send} and {@link #receive}: any threads of
 * those it was lent to, for different shares, each between two calls of the owner's.
 */
public final class SharedStep {
  private final Driver driver;
  private final List<Endpoint> writers = new ArrayList<>();
  private final List<Endpoint> ready = new ArrayList<>();

  /** What a driver has to do. */
  public SharedStep(Driver driver) {
    this.driver = driver;
  }

  /** Collects who has something to send; returns how many. */
  public int collectWriters() {
    writers.clear();
    driver.takeWriters(writers);
    return writers.size();
  }

  /** Sends what the collected writers of a share have queued. */
  public void send(int share) {
    for (Endpoint writer : writers) {
      if (writer.share() == share) {
        writer.sendShared();
      }
    }
  }

  /** Tells the poller what has changed by that. */
  public void settleWriters() {
    settle(writers);
  }

  /**
   * Collects who is ready, of the events of the last poll, and hands out those of channels that are
   * no endpoints; returns how many.
   */
  public int collectReady() {
    ready.clear();
    driver.takeReady(ready);
    return ready.size();
  }

  /** Receives what there is for a share's endpoints that are ready. */
  public void receive(int share) {
    for (Endpoint endpoint : ready) {
      if (endpoint.share() == share) {
        endpoint.receiveShared();
      }
    }
  }

  /** Tells the poller what has changed by that. */
  public void settleReady() {
    settle(ready);
  }

  private static void settle(List<Endpoint> endpoints) {
    for (Endpoint endpoint : endpoints) {
      endpoint.settleShared();
    }
    endpoints.clear();
  }
}
