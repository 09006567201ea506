package rloop.posix;

import java.util.HashMap;
import java.util.Map;

/** The numbers of one system's C headers by name, parsed from {@code "EAGAIN=11,EINTR=4,…"}. */
final class Assignments {
  private final Map<String, Integer> values = new HashMap<>();

  Assignments(String text) {
    for (int start = 0; start < text.length(); ) {
      int comma = text.indexOf(',', start);
      int end = comma < 0 ? text.length() : comma;
      parse(text.substring(start, end));
      start = end + 1;
    }
  }

  private void parse(String assignment) {
    int equals = assignment.indexOf('=');
    if (equals <= 0) {
      throw new LinkageError("rloop.constants: expected NAME=number, found '" + assignment + "'");
    }
    String name = assignment.substring(0, equals);
    try {
      values.put(name, Integer.parseInt(assignment.substring(equals + 1)));
    } catch (NumberFormatException e) {
      throw new LinkageError("rloop.constants: not a number in '" + assignment + "'", e);
    }
  }

  /**
   * A number that every supported system has.
   *
   * @throws LinkageError if it is not there; an {@code Error}, because those come out of a static
   *     initialiser as they are
   */
  int required(String name) {
    Integer value = values.get(name);
    if (value == null) {
      throw new LinkageError(
          "the system property rloop.constants lacks "
              + name
              + "; it has "
              + values.size()
              + " names, made by rloop/constants.py from Python's own modules");
    }
    return value;
  }

  /** A number that not every system has. */
  int optional(String name, int absent) {
    return values.getOrDefault(name, absent);
  }
}
