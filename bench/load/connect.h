/* Connecting to the server that is measured. */
#ifndef CONNECT_H
#define CONNECT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
    const char *host; /* IPv4, numeric */
    int port;
    const char *unix_path; /* instead of host and port, or NULL */
    bool datagrams;
};

/* Returns a connected descriptor that does not block, or -1 with errno; EINVAL: not an IPv4 address. */
static inline int connect_to(const struct address *server)
{
    union {
        struct sockaddr any;
        struct sockaddr_in internet;
        struct sockaddr_un local;
    } address = {0};
    socklen_t length;

    if (server->unix_path != NULL) {
        address.local.sun_family = AF_UNIX;
        strncpy(address.local.sun_path, server->unix_path, sizeof address.local.sun_path - 1);
        length = sizeof address.local;
    } else {
        address.internet.sin_family = AF_INET;
        address.internet.sin_port = htons((uint16_t)server->port);
        if (inet_pton(AF_INET, server->host, &address.internet.sin_addr) != 1) {
            errno = EINVAL;
            return -1;
        }
        length = sizeof address.internet;
    }
    int fd = socket(address.any.sa_family, (server->datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &address.any, length) != 0) {
        return -1;
    }
    if (address.any.sa_family == AF_INET && !server->datagrams) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

#endif
