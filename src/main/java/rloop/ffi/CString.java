package rloop.ffi;

/** A NUL-terminated copy of a text, in UTF-8, that is freed when this is closed. */
public final class CString implements AutoCloseable {
  private final long address;

  /** Copies a text. */
  public CString(String text) {
    address = Memory.cString(text);
  }

  /** Where the copy is, as long as this isn't closed. */
  public long address() {
    return address;
  }

  @Override
  public void close() {
    Memory.free(address);
  }
}
