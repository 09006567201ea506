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
  /** Is told whose turn it is: so what happens can be put in order afterwards. */
  public interface Turns {
    /** On the thread of a share, before one of its endpoints is used; the turns are counted up. */
    void begin(int share, int turn);
  }

  private final Driver driver;
  private final Turns turns;
  private final List<Endpoint> writers = new ArrayList<>();
  private final List<Channel> ready = new ArrayList<>();

  /** What a driver has to do. */
  public SharedStep(Driver driver, Turns turns) {
    this.driver = driver;
    this.turns = turns;
  }

  /** Collects who has something to send; returns how many. */
  public int collectWriters() {
    writers.clear();
    driver.takeWriters(writers);
    return writers.size();
  }

  /** Sends what the collected writers of a share have queued. */
  public void send(int share) {
    long started = System.nanoTime();
    for (int turn = 0; turn < writers.size(); turn++) {
      Endpoint writer = writers.get(turn);
      if (writer.share() == share) {
        turns.begin(share, turn);
        writer.sendShared();
      }
    }
    worked(share, started);
  }

  /** Tells the poller what has changed by that. */
  public void settleWriters() {
    settle(writers);
  }

  /** Collects who is ready, of the events of the last poll; returns how many. */
  public int collectReady() {
    ready.clear();
    driver.takeReady(ready);
    return ready.size();
  }

  /** Receives what there is for those of a share that are ready. */
  public void receive(int share) {
    long started = System.nanoTime();
    for (int i = 0; i < ready.size(); i++) {
      Channel channel = ready.get(i);
      if (channel.share() == share) {
        turns.begin(share, writers.size() + i);
        channel.readyShared();
      }
    }
    worked(share, started);
  }

  /** The first thread's time is that of the whole step. */
  private void worked(int share, long started) {
    if (share != 0) {
      driver.countersLent()[share].workedSince(started);
    }
  }

  /** Tells the poller what has changed by that. */
  public void settleReady() {
    settle(ready);
  }

  private static void settle(List<? extends Channel> channels) {
    for (Channel channel : channels) {
      channel.settleShared();
    }
  }
}
