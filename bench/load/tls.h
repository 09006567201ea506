/*
 * TLS for the load programs, with the conventions of send(2) and recv(2): -1 and EAGAIN where the socket is not ready.
 * The server's certificate is not checked, that is not what is measured.
 */
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include <sys/types.h>

#ifndef WITH_TLS

/* Without OpenSSL's headers: what names TLS compiles, and does nothing. */
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

static inline SSL_CTX *tls_client_context(void)
{
    return NULL;
}

static inline SSL *tls_new(SSL_CTX *context, int fd)
{
    (void)context, (void)fd;
    return NULL;
}

static inline void tls_connect(SSL *ssl, int fd)
{
    (void)ssl, (void)fd;
}

static inline void tls_close(SSL *ssl)
{
    (void)ssl;
}

static inline SSL_CTX *tls_server_context(const char *certificate, const char *key)
{
    (void)certificate, (void)key;
    return NULL;
}

static inline SSL *tls_accept(SSL_CTX *context, int fd)
{
    return tls_new(context, fd);
}

static inline ssize_t tls_send(SSL *ssl, const void *data, size_t length)
{
    (void)ssl, (void)data, (void)length;
    return -1;
}

static inline ssize_t tls_receive(SSL *ssl, void *data, size_t room)
{
    (void)ssl, (void)data, (void)room;
    return -1;
}

#else

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void tls_fail(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static SSL_CTX *tls_context_of(const SSL_METHOD *side)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    SSL_CTX *context = SSL_CTX_new(side);
    if (context == NULL) {
        tls_fail("cannot set up TLS");
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); /* one system call for a record instead of two */
    return context;
}

static inline SSL_CTX *tls_client_context(void)
{
    return tls_context_of(TLS_client_method());
}

/* Both files are PEM. */
static inline SSL_CTX *tls_server_context(const char *certificate, const char *key)
{
    SSL_CTX *context = tls_context_of(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        tls_fail("cannot use the certificate");
    }
    return context;
}

/* The client's end of a connection that has yet to shake hands; sending and receiving do it, unless tls_connect did. */
static inline SSL *tls_new(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        tls_fail("cannot set up TLS");
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

/* The server's end; it shakes hands as the client's does. */
static inline SSL *tls_accept(SSL_CTX *context, int fd)
{
    SSL *ssl = tls_new(context, fd);
    SSL_set_accept_state(ssl);
    return ssl;
}

/* The whole handshake, however long it takes; the socket need not block. */
static inline void tls_connect(SSL *ssl, int fd)
{
    for (int result; (result = SSL_do_handshake(ssl)) != 1;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ || poll(&readable, 1, -1) < 0) {
            tls_fail("the TLS handshake failed");
        }
    }
}

/* Tells the peer, does not wait for its answer, and frees; the socket is still open. */
static inline void tls_close(SSL *ssl)
{
    SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

static ssize_t tls_result(SSL *ssl, int result)
{
    if (result > 0) {
        return result;
    }
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: errno = EPROTO; return -1;
    }
}

static inline ssize_t tls_send(SSL *ssl, const void *data, size_t length)
{
    ERR_clear_error();
    return tls_result(ssl, SSL_write(ssl, data, (int)length));
}

static inline ssize_t tls_receive(SSL *ssl, void *data, size_t room)
{
    ERR_clear_error();
    return tls_result(ssl, SSL_read(ssl, data, (int)room));
}

#endif /* WITH_TLS */

#endif
