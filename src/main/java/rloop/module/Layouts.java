package rloop.module;

import rloop.cpython.abi.Assumptions;
import rloop.cpython.abi.Layout;
import rloop.cpython.object.CriticalSection;
import rloop.cpython.object.PyBuffer;
import rloop.cpython.type.Methods;
import rloop.cpython.type.TypeSpec;
import rloop.posix.ArpaInet;
import rloop.posix.Mmsghdr;
import rloop.posix.Msghdr;
import rloop.posix.Sockaddr;
import rloop.posix.SockaddrIn;
import rloop.posix.SockaddrIn6;
import rloop.posix.SockaddrUn;

/** Gathers what the packages below assume of C headers, for the test that checks it. */
final class Layouts {
  private Layouts() {}

  /** A line for each assumption: an expression of C, a tabulator, its value. */
  static String assumed() {
    StringBuilder lines = new StringBuilder();
    Assumptions assumptions =
        (expression, value) -> lines.append(expression).append('\t').append(value).append('\n');
    Layout.tell(assumptions);
    PyBuffer.tell(assumptions);
    CriticalSection.tell(assumptions);
    Methods.tell(assumptions);
    TypeSpec.tell(assumptions);
    tellOfSockets(assumptions);
    return lines.toString();
  }

  private static void tellOfSockets(Assumptions assumptions) {
    assumptions.add("offsetof(struct sockaddr, sa_family)", Sockaddr.FAMILY);
    assumptions.add("sizeof(struct sockaddr_storage)", Sockaddr.STORAGE_SIZE);
    assumptions.add("offsetof(struct sockaddr_in, sin_port)", SockaddrIn.PORT);
    assumptions.add("offsetof(struct sockaddr_in, sin_addr)", SockaddrIn.ADDRESS);
    assumptions.add("sizeof(struct sockaddr_in)", SockaddrIn.SIZE);
    assumptions.add("offsetof(struct sockaddr_in6, sin6_port)", SockaddrIn6.PORT);
    assumptions.add("offsetof(struct sockaddr_in6, sin6_flowinfo)", SockaddrIn6.FLOW_INFO);
    assumptions.add("offsetof(struct sockaddr_in6, sin6_addr)", SockaddrIn6.ADDRESS);
    assumptions.add("offsetof(struct sockaddr_in6, sin6_scope_id)", SockaddrIn6.SCOPE_ID);
    assumptions.add("sizeof(struct sockaddr_in6)", SockaddrIn6.SIZE);
    assumptions.add("offsetof(struct sockaddr_un, sun_path)", SockaddrUn.PATH);
    assumptions.add("sizeof(struct sockaddr_un)", SockaddrUn.SIZE);
    assumptions.add("INET6_ADDRSTRLEN", ArpaInet.TEXT_SIZE);
    assumptions.add("offsetof(struct msghdr, msg_name)", Msghdr.NAME);
    assumptions.add("offsetof(struct msghdr, msg_namelen)", Msghdr.NAME_LENGTH);
    assumptions.add("offsetof(struct msghdr, msg_iov)", Msghdr.IOV);
    assumptions.add("offsetof(struct msghdr, msg_iovlen)", Msghdr.IOVLEN);
    assumptions.add("sizeof(struct msghdr)", Msghdr.SIZE);
    assumptions.add("offsetof(struct mmsghdr, msg_len)", Mmsghdr.LENGTH);
    assumptions.add("sizeof(struct mmsghdr)", Mmsghdr.SIZE);
  }
}
