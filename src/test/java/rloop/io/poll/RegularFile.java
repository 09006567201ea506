package rloop.io.poll;

import rloop.ffi.Memory;
import rloop.ffi.SystemCall;
import rloop.posix.ErrnoException;
import rloop.posix.Unistd;

/** An empty file without a name. */
record RegularFile(int fd) implements AutoCloseable {
  private static final SystemCall MKSTEMP = SystemCall.of("mkstemp");
  private static final SystemCall UNLINK = SystemCall.of("unlink");

  static RegularFile open() {
    long path = Memory.cString(System.getProperty("java.io.tmpdir") + "/rloop-XXXXXX");
    int fd = ErrnoException.check("mkstemp", (int) MKSTEMP.call(path));
    ErrnoException.check("unlink", (int) UNLINK.call(path));
    return new RegularFile(fd);
  }

  @Override
  public void close() {
    Unistd.close(fd);
  }
}
