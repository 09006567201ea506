package rloop.module;

import org.jspecify.annotations.Nullable;
import rloop.loop.HandleType;

/** The two types of handles. */
record HandleTypes(HandleType handle, HandleType timerHandle) {
  /** The types, which the module has set up before any loop is made. */
  static HandleTypes require(@Nullable HandleTypes types) {
    if (types == null) {
      throw new IllegalStateException("rloop._core.install was not called");
    }
    return types;
  }
}
