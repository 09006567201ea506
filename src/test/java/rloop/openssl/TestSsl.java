package rloop.openssl;

import java.lang.foreign.Arena;
import java.util.Arrays;
import rloop.ffi.Downcall;
import rloop.ffi.Memory;

/** Makes connections in memory, by what of OpenSSL only tests need. They need no certificate. */
@SuppressWarnings("restricted")
public final class TestSsl {
  /** Of the OpenSSL versions that Python can be built with, by {@code dlopen}. */
  private static final String[] NAMES = {"libssl.so.3", "libssl.so.1.1", "libssl.3.dylib"};

  private static final int RTLD_NOW = 2;
  private static final int SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
  private static final int SSL_CTRL_MODE = 33;
  private static final int BIO_C_SET_BUF_MEM_EOF_RETURN = 130;

  /** ENABLE_PARTIAL_WRITE, ACCEPT_MOVING_WRITE_BUFFER, AUTO_RETRY: as Python sets them. */
  private static final int MODES = 1 | 2 | 4;

  private static final int TLS1_2_VERSION = 0x0303;

  private static final long LIBRARY = load();

  private TestSsl() {}

  /** Whether there is an OpenSSL here. */
  public static boolean isAvailable() {
    return LIBRARY != 0;
  }

  private static long load() {
    Downcall dlopen = Downcall.of("dlopen");
    for (String name : NAMES) {
      try (Arena arena = Arena.ofConfined()) {
        long handle = dlopen.call(arena.allocateFrom(name).address(), RTLD_NOW);
        if (handle != 0) {
          Library.use(handle);
          return handle;
        }
      }
    }
    return 0;
  }

  private static long call(String function, long... arguments) {
    long[] a = Arrays.copyOf(arguments, 6);
    return Downcall.in(LIBRARY, function).call(a[0], a[1], a[2], a[3], a[4], a[5]);
  }

  /** One end of a connection. */
  public record End(long ssl, long incoming, long outgoing) {}

  /** Two ends after their handshake: server, client. TLS 1.2, which alone has anonymous suites. */
  public static End[] connected() {
    End server = end("TLS_server_method", "SSL_set_accept_state");
    End client = end("TLS_client_method", "SSL_set_connect_state");
    boolean done = false;
    for (int i = 0; i < 10 && !done; i++) {
      done = (int) call("SSL_do_handshake", client.ssl) == 1;
      move(client, server);
      done &= (int) call("SSL_do_handshake", server.ssl) == 1;
      move(server, client);
    }
    if (!done) {
      throw new IllegalStateException("no handshake");
    }
    return new End[] {server, client};
  }

  /** Leaves an error in this thread's queue. */
  public static void leaveAnError(End end) {
    call("SSL_set_cipher_list", end.ssl, Memory.cString("no such cipher"));
    if (Err.ERR_peek_last_error() == 0) {
      throw new IllegalStateException("no error was left");
    }
  }

  private static End end(String method, String role) {
    long context = call("SSL_CTX_new", call(method));
    call("SSL_CTX_ctrl", context, SSL_CTRL_SET_MAX_PROTO_VERSION, TLS1_2_VERSION);
    call("SSL_CTX_ctrl", context, SSL_CTRL_MODE, MODES);
    call("SSL_CTX_set_cipher_list", context, Memory.cString("aNULL:@SECLEVEL=0"));
    long ssl = call("SSL_new", context);
    End end = new End(ssl, memoryBio(), memoryBio());
    call("SSL_set_bio", ssl, end.incoming, end.outgoing);
    call(role, ssl);
    return end;
  }

  private static long memoryBio() {
    long bio = call("BIO_new", call("BIO_s_mem"));
    call("BIO_ctrl", bio, BIO_C_SET_BUF_MEM_EOF_RETURN, -1);
    return bio;
  }

  private static void move(End from, End to) {
    int room = 1 << 16;
    try (Arena arena = Arena.ofConfined()) {
      long buffer = arena.allocate(room).address();
      int size = Bio.BIO_read(from.outgoing, buffer, room);
      if (size > 0) {
        Bio.BIO_write(to.incoming, buffer, size);
      }
    }
  }

  /** Says goodbye: puts a {@code close_notify} where {@link End#outgoing} is read. */
  public static void shutdown(End end) {
    call("SSL_shutdown", end.ssl);
  }

  /** Asks for another handshake, which only a server that allows it grants. */
  public static void renegotiate(End end) {
    call("SSL_renegotiate", end.ssl);
    call("SSL_do_handshake", end.ssl);
  }
}
