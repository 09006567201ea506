package rloop.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import org.jspecify.annotations.Nullable;

/** The end of a transport. */
@Name("rloop.ConnectionClosed")
@Label("Connection Closed")
@Description(
    "A transport was closed; if it was opened during the recording, for how long it was open")
final class ConnectionClosedEvent extends LoopEvent {
  @Label("Kind")
  @Nullable String kind;

  @Label("File Descriptor")
  int fd;
}
