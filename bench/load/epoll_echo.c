/*
 * The floor that every event loop is held against: an echo server that does only what the kernel needs.
 * One thread, level-triggered epoll, one recv and one send a message; with the argument "unix" the same
 * over a Unix socket, with the paths of a certificate and its key over TLS. Prints "LISTENING <port>", or
 * the socket's path in place of the port, when it is ready.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tls.h"

enum { EVENTS = 512, READ_BYTES = 256 * 1024, BACKLOG = 1024 };

struct connection {
    int fd;
    SSL *ssl;     /* NULL without TLS */
    char *unsent; /* owned; what a full socket buffer refused. While there is some, nothing is read. */
    size_t length;
    size_t offset;
};

static int epoll;
static SSL_CTX *tls_context; /* NULL without TLS */
static char buffer[READ_BYTES];

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int operation, struct connection *connection, uint32_t events)
{
    struct epoll_event interest = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll, operation, connection->fd, &interest) != 0) {
        fail("epoll_ctl");
    }
}

static void close_connection(struct connection *connection)
{
    if (connection->ssl != NULL) {
        tls_close(connection->ssl);
    }
    close(connection->fd);
    free(connection->unsent);
    free(connection);
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return; /* the client has gone already */
    }
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        fail("calloc");
    }
    connection->fd = fd;
    connection->ssl = tls_context == NULL ? NULL : tls_accept(tls_context, fd);
    watch(EPOLL_CTL_ADD, connection, EPOLLIN);
}

static ssize_t send_some(struct connection *connection, const char *data, size_t length)
{
    return connection->ssl != NULL ? tls_send(connection->ssl, data, length)
                                   : send(connection->fd, data, length, MSG_NOSIGNAL);
}

static void keep_unsent(struct connection *connection, const char *data, size_t length)
{
    connection->unsent = malloc(length);
    if (connection->unsent == NULL) {
        fail("malloc");
    }
    memcpy(connection->unsent, data, length);
    connection->length = length;
    connection->offset = 0;
    watch(EPOLL_CTL_MOD, connection, EPOLLOUT);
}

/* Returns whether there may be more that epoll will not tell: TLS reads ahead, and gives one record at a time. */
static bool echo(struct connection *connection)
{
    ssize_t received = connection->ssl != NULL ? tls_receive(connection->ssl, buffer, sizeof buffer)
                                               : recv(connection->fd, buffer, sizeof buffer, 0);
    if (received <= 0) {
        if (received == 0 || errno != EAGAIN) {
            close_connection(connection);
        }
        return false;
    }
    ssize_t sent = send_some(connection, buffer, (size_t)received);
    if (sent < 0 && errno != EAGAIN) {
        close_connection(connection);
        return false;
    }
    size_t accepted = sent < 0 ? 0 : (size_t)sent;
    if (accepted < (size_t)received) {
        keep_unsent(connection, buffer + accepted, (size_t)received - accepted);
        return false;
    }
    return connection->ssl != NULL;
}

static void echo_all(struct connection *connection)
{
    while (echo(connection)) {
    }
}

static void send_unsent(struct connection *connection)
{
    ssize_t sent =
        send_some(connection, connection->unsent + connection->offset, connection->length - connection->offset);
    if (sent < 0) {
        if (errno != EAGAIN) {
            close_connection(connection);
        }
        return;
    }
    connection->offset += (size_t)sent;
    if (connection->offset == connection->length) {
        free(connection->unsent);
        connection->unsent = NULL;
        watch(EPOLL_CTL_MOD, connection, EPOLLIN);
        if (connection->ssl != NULL) {
            echo_all(connection);
        }
    }
}

static int listen_on_any_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        fail("listen");
    }
    printf("LISTENING %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static int listen_on_new_path(void)
{
    char directory[] = "/tmp/rloop-bench-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || mkdtemp(directory) == NULL ||
        snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
        fail("listen");
    }
    printf("LISTENING %s\n", address.sun_path);
    fflush(stdout);
    return fd;
}

int main(int count, char **arguments)
{
    static struct epoll_event events[EVENTS];
    bool is_unix = count == 2 && strcmp(arguments[1], "unix") == 0;
    struct connection listener = {.fd = is_unix ? listen_on_new_path() : listen_on_any_port()};

    if (count > 2) {
        tls_context = tls_server_context(arguments[1], arguments[2]);
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        fail("epoll_create1");
    }
    watch(EPOLL_CTL_ADD, &listener, EPOLLIN);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (connection == &listener) {
                accept_one(listener.fd);
            } else if (connection->unsent != NULL) {
                send_unsent(connection);
            } else {
                echo_all(connection);
            }
        }
    }
}
