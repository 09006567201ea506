package rloop.loop;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Who makes the {@link Recorder} of each new loop; null while nothing is recorded. */
public final class Recorders {
  private static volatile @Nullable Supplier<Recorder> maker;

  private Recorders() {}

  /** From now on each new loop is recorded; null: none is. */
  public static void use(@Nullable Supplier<Recorder> maker) {
    Recorders.maker = maker;
  }

  /** The recorder of a loop, if there is to be one. */
  static @Nullable Recorder create() {
    Supplier<Recorder> maker = Recorders.maker;
    return maker == null ? null : maker.get();
  }
}
