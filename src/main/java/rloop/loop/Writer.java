package rloop.loop;

/** Something that gathers what a batch writes and sends it when the batch is over. */
public interface Writer {
  /** Sends what was gathered, as far as the kernel takes it. */
  void flush();
}
