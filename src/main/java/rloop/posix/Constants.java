package rloop.posix;

/**
 * The numbers behind the names in the C headers of the system that this runs on.
 *
 * <p>They differ between systems ({@code EAGAIN} is 11 on Linux and 35 on macOS), and Java cannot
 * read headers; Python was compiled with them. So {@code rloop/constants.py} hands them over in the
 * system property {@code rloop.constants}, before this class is loaded. They are {@code static
 * final} so that the JIT compiles them as constants.
 *
 * <p>Where a name is missing that every supported system has, the first use of this class throws a
 * {@link LinkageError} that says which.
 */
public final class Constants {
  private static final Assignments SYSTEM =
      new Assignments(System.getProperty("rloop.constants", ""));

  /** What no constant is: stands for a name that the system lacks where 0 would mean something. */
  private static final int NONE = -1;

  // errno.h
  public static final int EAGAIN = SYSTEM.required("EAGAIN");
  public static final int EINTR = SYSTEM.required("EINTR");
  public static final int EPIPE = SYSTEM.required("EPIPE");
  public static final int EBADF = SYSTEM.required("EBADF");
  public static final int EEXIST = SYSTEM.required("EEXIST");
  public static final int ENOENT = SYSTEM.required("ENOENT");
  public static final int EPERM = SYSTEM.required("EPERM");

  // sys/socket.h
  public static final int AF_UNIX = SYSTEM.required("AF_UNIX");
  public static final int AF_INET = SYSTEM.required("AF_INET");
  public static final int AF_INET6 = SYSTEM.optional("AF_INET6", NONE);
  public static final int SOCK_STREAM = SYSTEM.required("SOCK_STREAM");
  public static final int SOCK_DGRAM = SYSTEM.required("SOCK_DGRAM");
  public static final int SHUT_WR = SYSTEM.required("SHUT_WR");

  // poll.h
  public static final int POLLIN = SYSTEM.required("POLLIN");
  public static final int POLLOUT = SYSTEM.required("POLLOUT");
  public static final int POLLERR = SYSTEM.required("POLLERR");
  public static final int POLLHUP = SYSTEM.required("POLLHUP");
  public static final int POLLNVAL = SYSTEM.required("POLLNVAL");

  // fcntl.h
  public static final int O_NONBLOCK = SYSTEM.required("O_NONBLOCK");
  public static final int O_CLOEXEC = SYSTEM.required("O_CLOEXEC");

  /** Not on every system: its {@code sendfile} is another one as well. */
  public static final int F_DUPFD_CLOEXEC = SYSTEM.optional("F_DUPFD_CLOEXEC", NONE);

  // Not everywhere: 0 where the system lacks them, which as a flag asks for nothing.
  public static final int MSG_NOSIGNAL = SYSTEM.optional("MSG_NOSIGNAL", 0);
  public static final int MSG_DONTWAIT = SYSTEM.optional("MSG_DONTWAIT", 0);
  public static final int SOCK_CLOEXEC = SYSTEM.optional("SOCK_CLOEXEC", 0);
  public static final int SOCK_NONBLOCK = SYSTEM.optional("SOCK_NONBLOCK", 0);
  public static final int EPOLLIN = SYSTEM.optional("EPOLLIN", 0);
  public static final int EPOLLOUT = SYSTEM.optional("EPOLLOUT", 0);
  public static final int EPOLLERR = SYSTEM.optional("EPOLLERR", 0);
  public static final int EPOLLHUP = SYSTEM.optional("EPOLLHUP", 0);
  public static final int EPOLL_CLOEXEC = SYSTEM.optional("EPOLL_CLOEXEC", 0);
  public static final int EFD_CLOEXEC = SYSTEM.optional("EFD_CLOEXEC", 0);
  public static final int EFD_NONBLOCK = SYSTEM.optional("EFD_NONBLOCK", 0);

  /** How many buffers one call may gather; where Python doesn't know, the least POSIX allows. */
  public static final int IOV_MAX = SYSTEM.optional("IOV_MAX", 16);

  private Constants() {}
}
