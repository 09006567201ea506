package rloop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Sets {@code rloop.constants} before any test loads a class. No Python is the host of this
 * process, so the script that makes them is run by itself. A property that is set already stays.
 */
public final class ConstantsOfThisSystem implements LauncherSessionListener {
  private static final String PROPERTY = "rloop.constants";
  private static final String SCRIPT = "src/rloop/java/constants.py";

  @Override
  public void launcherSessionOpened(LauncherSession session) {
    if (System.getProperty(PROPERTY) == null) {
      System.setProperty(PROPERTY, outputOf("python3", SCRIPT).strip());
    }
  }

  private static String outputOf(String... command) {
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      int status = process.waitFor();
      if (status != 0) {
        throw new IllegalStateException(String.join(" ", command) + ": exit status " + status);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
