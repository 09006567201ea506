package rloop.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import org.jspecify.annotations.Nullable;

/** The beginning of a transport. */
@Name("rloop.ConnectionOpened")
@Label("Connection Opened")
@Description("A transport was made")
final class ConnectionOpenedEvent extends LoopEvent {
  @Label("Kind")
  @Nullable String kind;

  @Label("File Descriptor")
  int fd;
}
