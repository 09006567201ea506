package rloop.flight;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.Configuration;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;
import rloop.loop.Recorder;
import rloop.loop.Recorders;

/**
 * The recordings that Python has asked for, by number.
 *
 * <p>Thread rule: any thread, without the GIL.
 */
public final class FlightRecording {
  /** What JFR calls the folder of its unfinished files, which it removes as the JVM ends. */
  private static final String REPOSITORY = "jdk.jfr.repository";

  private static final List<Class<? extends LoopEvent>> EVENTS =
      List.of(
          IterationEvent.class,
          SlowCallEvent.class,
          PollEvent.class,
          ConnectionOpenedEvent.class,
          ConnectionClosedEvent.class,
          TlsHandshakeEvent.class);

  private static final ArrayList<Recording> RECORDINGS = new ArrayList<>();

  private FlightRecording() {}

  /** Makes the recorder of a loop. */
  public static Recorder recorder() {
    return new LoopRecorder();
  }

  /**
   * Starts a recording.
   *
   * @param path where it is written to when it is stopped
   * @param configuration the JDK's, {@code default} or {@code profile}; empty: our events alone
   * @param settings what is set beyond it: names and values in turn, as {@code
   *     rloop.Poll#threshold}
   * @return its number
   * @throws UncheckedIOException if Flight Recorder has nowhere to write
   */
  public static synchronized int start(String path, String configuration, String... settings) {
    try {
      FlightRecorder.getFlightRecorder();
    } catch (IllegalStateException e) {
      throw new UncheckedIOException(e.getMessage(), new IOException(e));
    }
    for (Class<? extends LoopEvent> event : EVENTS) {
      FlightRecorder.register(event);
    }
    Recording recording = new Recording(settings(configuration, settings));
    try {
      recording.setName("rloop");
      recording.setDestination(Path.of(path));
      recording.start();
    } catch (IOException e) {
      recording.close();
      throw new UncheckedIOException(e);
    }
    Recorders.use(LoopRecorder::new);
    RECORDINGS.add(recording);
    return RECORDINGS.size() - 1;
  }

  private static Map<String, String> settings(String configuration, String... settings) {
    Map<String, String> all = new HashMap<>();
    if (!configuration.isEmpty()) {
      try {
        all.putAll(Configuration.getConfiguration(configuration).getSettings());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (ParseException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
    }
    for (int i = 0; i < settings.length; i += 2) {
      all.put(settings[i], settings[i + 1]);
    }
    return all;
  }

  /**
   * Ends a recording, which is written then.
   *
   * @throws UncheckedIOException if it cannot be written; it is over all the same
   */
  public static synchronized void stop(int number) {
    Recording recording = RECORDINGS.get(number);
    Path path = recording.getDestination();
    try {
      recording.stop();
      if (recording.getState() != RecordingState.CLOSED) { // as it is once it was written
        recording.dump(path); // says why it was not
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      recording.close();
      if (!isRecording()) {
        Recorders.use(null);
        removeRepository();
      }
    }
  }

  /** Whether anything is recorded. */
  public static boolean isRecording() {
    return !FlightRecorder.getFlightRecorder().getRecordings().isEmpty();
  }

  /** The JVM never ends, and so never does it; a later recording makes a new one. */
  private static void removeRepository() {
    String repository = System.getProperty(REPOSITORY);
    if (repository != null) {
      try {
        Files.deleteIfExists(Path.of(repository));
      } catch (IOException e) {
        // something is left in it
      }
    }
  }
}
