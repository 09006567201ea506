/*
 * The floor of the sendfile row: sends a file to whoever connects, one after the other, by as few calls as it takes.
 * Prints "LISTENING <port>" when it is ready.
 *
 *   sendfile_server FILE
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on_any_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        fail("listen");
    }
    printf("LISTENING %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void send_file(int fd, int file, off_t size)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    off_t offset = 0;
    while (offset < size) {
        if (sendfile(fd, file, &offset, (size_t)(size - offset)) < 0) {
            if (errno != EAGAIN) {
                fail("sendfile");
            }
            poll(&writable, 1, -1);
        }
    }
}

int main(int count, char **arguments)
{
    struct stat status;
    int file = count == 2 ? open(arguments[1], O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0 || fstat(file, &status) != 0) {
        fail("sendfile_server FILE");
    }
    int listener = listen_on_any_port();
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            fail("accept4");
        }
        send_file(fd, file, status.st_size);
        close(fd);
    }
}
