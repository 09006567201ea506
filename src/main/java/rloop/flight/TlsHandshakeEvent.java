package rloop.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A handshake. */
@Name("rloop.TlsHandshake")
@Label("TLS Handshake")
@Description("From when the connection was there until it could be used, or was lost")
final class TlsHandshakeEvent extends LoopEvent {
  @Label("File Descriptor")
  int fd;

  @Label("Succeeded")
  boolean succeeded;
}
