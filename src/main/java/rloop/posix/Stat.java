package rloop.posix;

import rloop.ffi.Memory;

/**
 * {@code struct stat}, of which the same two fields say on every 64-bit Unix which file it is.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/stat.3type.html">stat(3type)</a>
 */
public final class Stat {
  /** {@code dev_t st_dev}, whose first four bytes every system has. */
  private static final long DEVICE = 0;

  /** {@code ino_t st_ino}. */
  public static final long INODE = Long.BYTES;

  /** Room for it: more than any system takes. */
  public static final long ROOM = 256;

  private Stat() {}

  public static int device(long stat) {
    return Memory.getInt(stat + DEVICE);
  }

  public static long inode(long stat) {
    return Memory.getLong(stat + INODE);
  }
}
