/*
 * Downloads from a server that sends one file to whoever connects and then closes.
 *
 *   fetch --port P --size BYTES --times N --server-pid PID
 *
 * What arrives is counted and thrown away in the kernel (MSG_TRUNC), so that the receiver costs as little as it can.
 * The result is one JSON object on standard output: seconds and the server's CPU for each download.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connect.h"
#include "server_cpu.h"

enum { PIECE = 1 << 20, NS_PER_S = 1000000000, PATIENCE_MS = 10000 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "fetch: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static void fetch(const struct address *server, uint64_t size)
{
    int fd = connect_to(server);
    if (fd < 0) {
        fail("cannot connect to the server");
    }
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    uint64_t received = 0;
    for (;;) {
        ssize_t length = recv(fd, NULL, PIECE, MSG_TRUNC);
        if (length > 0) {
            received += (uint64_t)length;
        } else if (length == 0) {
            break;
        } else if (errno != EAGAIN) {
            fail("recv");
        } else if (poll(&readable, 1, PATIENCE_MS) == 0) {
            errno = ETIMEDOUT;
            fail("nothing came");
        }
    }
    close(fd);
    if (received != size) {
        fprintf(stderr, "fetch: %llu bytes came instead of %llu\n", (unsigned long long)received,
                (unsigned long long)size);
        exit(1);
    }
}

static void read_server(pid_t server, struct server_cpu *cpu)
{
    if (server_cpu_read(server, cpu) != 0) {
        fail("the server is gone");
    }
}

int main(int count, char **arguments)
{
    static const struct option table[] = {
        {"port", required_argument, NULL, 'p'},  {"size", required_argument, NULL, 's'},
        {"times", required_argument, NULL, 't'}, {"server-pid", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    struct address server = {.host = "127.0.0.1"};
    uint64_t size = 0;
    int times = 1;
    pid_t pid = 0;
    for (int option; (option = getopt_long(count, arguments, "", table, NULL)) != -1;) {
        switch (option) {
        case 'p': server.port = atoi(optarg); break;
        case 's': size = strtoull(optarg, NULL, 10); break;
        case 't': times = atoi(optarg); break;
        case 'i': pid = atoi(optarg); break;
        default: return 2;
        }
    }
    struct server_cpu before;
    struct server_cpu after;
    read_server(pid, &before);
    uint64_t started = now_ns();
    for (int i = 0; i < times; i++) {
        fetch(&server, size);
    }
    uint64_t elapsed = now_ns() - started;
    read_server(pid, &after);
    printf("{\"seconds\": %.6f, \"server_cpu_s\": %.6f}\n", (double)elapsed / NS_PER_S / times,
           (double)(after.total_ns - before.total_ns) / NS_PER_S / times);
    return 0;
}
