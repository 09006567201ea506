package rloop.posix;

/**
 * The numbers behind the names in the C headers of the system that this runs on.
 *
 * <p>They differ between systems ({@code AF_INET6} is 10 on Linux and 30 on macOS), and Java cannot
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

  // errno.h
  public static final int EAGAIN = SYSTEM.required("EAGAIN");
  public static final int EWOULDBLOCK = SYSTEM.required("EWOULDBLOCK");
  public static final int EINTR = SYSTEM.required("EINTR");
  public static final int EINPROGRESS = SYSTEM.required("EINPROGRESS");
  public static final int ECONNRESET = SYSTEM.required("ECONNRESET");
  public static final int EPIPE = SYSTEM.required("EPIPE");
  public static final int ECONNABORTED = SYSTEM.required("ECONNABORTED");
  public static final int EBADF = SYSTEM.required("EBADF");
  public static final int EEXIST = SYSTEM.required("EEXIST");
  public static final int ENOENT = SYSTEM.required("ENOENT");
  public static final int EPERM = SYSTEM.required("EPERM");
  public static final int EMFILE = SYSTEM.required("EMFILE");
  public static final int ENFILE = SYSTEM.required("ENFILE");
  public static final int ENOBUFS = SYSTEM.required("ENOBUFS");
  public static final int ENOMEM = SYSTEM.required("ENOMEM");
  public static final int EINVAL = SYSTEM.required("EINVAL");
  public static final int EALREADY = SYSTEM.required("EALREADY");
  public static final int EISCONN = SYSTEM.required("EISCONN");
  public static final int ESHUTDOWN = SYSTEM.required("ESHUTDOWN");
  public static final int ENOTCONN = SYSTEM.required("ENOTCONN");

  // sys/socket.h, netinet/in.h, netinet/tcp.h
  public static final int AF_INET = SYSTEM.required("AF_INET");
  public static final int AF_INET6 = SYSTEM.required("AF_INET6");
  public static final int AF_UNIX = SYSTEM.required("AF_UNIX");
  public static final int SOCK_STREAM = SYSTEM.required("SOCK_STREAM");
  public static final int SOCK_DGRAM = SYSTEM.required("SOCK_DGRAM");
  public static final int SOL_SOCKET = SYSTEM.required("SOL_SOCKET");
  public static final int SO_ERROR = SYSTEM.required("SO_ERROR");
  public static final int SO_KEEPALIVE = SYSTEM.required("SO_KEEPALIVE");
  public static final int IPPROTO_TCP = SYSTEM.required("IPPROTO_TCP");
  public static final int TCP_NODELAY = SYSTEM.required("TCP_NODELAY");
  public static final int MSG_PEEK = SYSTEM.required("MSG_PEEK");
  public static final int SHUT_RD = SYSTEM.required("SHUT_RD");
  public static final int SHUT_WR = SYSTEM.required("SHUT_WR");
  public static final int SHUT_RDWR = SYSTEM.required("SHUT_RDWR");
  public static final int SOMAXCONN = SYSTEM.required("SOMAXCONN");

  // poll.h
  public static final int POLLIN = SYSTEM.required("POLLIN");
  public static final int POLLOUT = SYSTEM.required("POLLOUT");
  public static final int POLLERR = SYSTEM.required("POLLERR");
  public static final int POLLHUP = SYSTEM.required("POLLHUP");
  public static final int POLLNVAL = SYSTEM.required("POLLNVAL");

  // fcntl.h
  public static final int O_NONBLOCK = SYSTEM.required("O_NONBLOCK");
  public static final int O_CLOEXEC = SYSTEM.required("O_CLOEXEC");

  // Not everywhere: 0 where the system lacks them, which as a flag asks for nothing.
  public static final int MSG_NOSIGNAL = SYSTEM.optional("MSG_NOSIGNAL", 0);
  public static final int MSG_DONTWAIT = SYSTEM.optional("MSG_DONTWAIT", 0);
  public static final int EPOLLIN = SYSTEM.optional("EPOLLIN", 0);
  public static final int EPOLLOUT = SYSTEM.optional("EPOLLOUT", 0);
  public static final int EPOLLERR = SYSTEM.optional("EPOLLERR", 0);
  public static final int EPOLLHUP = SYSTEM.optional("EPOLLHUP", 0);
  public static final int EPOLLRDHUP = SYSTEM.optional("EPOLLRDHUP", 0);
  public static final int EPOLLET = SYSTEM.optional("EPOLLET", 0);
  public static final int EPOLL_CLOEXEC = SYSTEM.optional("EPOLL_CLOEXEC", 0);
  public static final int EFD_CLOEXEC = SYSTEM.optional("EFD_CLOEXEC", 0);
  public static final int EFD_NONBLOCK = SYSTEM.optional("EFD_NONBLOCK", 0);

  /** How many buffers one call may gather; where Python doesn't know, the least POSIX allows. */
  public static final int IOV_MAX = SYSTEM.optional("IOV_MAX", 16);

  private Constants() {}
}
