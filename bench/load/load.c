/*
 * A closed-loop load generator: one thread, one epoll, every connection with exactly one request in flight.
 *
 *   load echo --port P [--size BYTES]      sends BYTES, waits until they came back, compares them
 *   load udp --port P [--size BYTES]       the same by datagrams; one that gets lost is an error
 *   load http --port P [--path /]          keep-alive GET; the answer's end is told by Content-Length
 *   load ... --tls                         the same over TLS, after a handshake that is not measured
 *   load ... --reconnect                   one request on each connection; from connect to close all is measured
 *   load ... --threads                     the server's CPU by thread, too
 *   load ... --marks N,N,...               the server's CPU since its start, read at these numbers of requests
 *   load ... --slice S                     latencies of every S seconds by themselves
 *
 * After a warm-up that is not counted (just-in-time compilers need one) a window is measured: requests, latencies,
 * the generator's own CPU, so that a saturated generator is seen, and the server's, read at the same two instants as
 * the requests are counted between. The result is one JSON object on standard output.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect.h"
#include "histogram.h"
#include "options.h"
#include "server_cpu.h"
#include "thread_cpu.h"
#include "tls.h"

enum {
    EVENTS = 512,
    READ_BYTES = 256 * 1024,
    HEAD_BYTES = 16 * 1024, /* longest HTTP head that is understood */
    PATTERN_PERIOD = 251,   /* prime: a shifted or repeated piece of the message does not compare equal */
    WAIT_MS = 50,           /* how late the end of the window may be seen when nothing arrives */
    STALL_SECONDS = 2,
    NS_PER_S = 1000000000,
    NS_PER_US = 1000,
};

struct connection {
    int fd;
    size_t sent;
    size_t received;
    size_t expected; /* 0: not known yet (HTTP head incomplete) */
    uint64_t started;
    char *head; /* HTTP only */
    SSL *ssl;   /* TLS only */
};

static int epoll;
static SSL_CTX *tls_context;
static char *request;
static size_t request_length;
static char scratch[READ_BYTES];
static struct histogram latencies;
static struct histogram slice_latencies;
static uint64_t errors;
static int alive;
static bool measuring;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static void drop(struct connection *connection, const char *why)
{
    if (errors == 0) {
        fprintf(stderr, "load: %s\n", why);
    }
    errors++;
    alive--;
    close(connection->fd);
    connection->fd = -1;
}

/* Sends what is left of the request; a full socket buffer is continued at the next EPOLLOUT. */
static void send_rest(struct connection *connection)
{
    while (connection->sent < request_length) {
        const char *rest = request + connection->sent;
        size_t length = request_length - connection->sent;
        ssize_t sent = options.tls ? tls_send(connection->ssl, rest, length)
                                   : send(connection->fd, rest, length, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) {
                drop(connection, strerror(errno));
            }
            return;
        }
        connection->sent += (size_t)sent;
    }
}

static void start_request(struct connection *connection)
{
    connection->sent = 0;
    connection->received = 0;
    connection->expected = options.http ? 0 : request_length;
    connection->started = now_ns();
    send_rest(connection);
}

/* Not measured unless it is to be: then the handshake is left to the first request's sending and receiving. */
static void open_connection(struct connection *connection)
{
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    uint64_t started = now_ns();
    connection->fd = connect_to(&options.address);
    if (connection->fd < 0) {
        fail("cannot connect to the server");
    }
    if (options.tls) {
        connection->ssl = tls_new(tls_context, connection->fd);
        if (!options.reconnect) {
            tls_connect(connection->ssl, connection->fd);
        }
    }
    start_request(connection);
    if (options.reconnect) {
        connection->started = started;
    }
    if (connection->fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &interest) != 0) {
        fail("epoll_ctl");
    }
}

static void reopen(struct connection *connection)
{
    if (options.tls) {
        tls_close(connection->ssl);
    }
    close(connection->fd);
    open_connection(connection);
}

/* Finds the end of the head and the length of the body. False: the connection was dropped. */
static bool parse_head(struct connection *connection)
{
    static const char status[] = "HTTP/1.1 200 ";
    static const char length_field[] = "\r\ncontent-length:";

    connection->head[connection->received] = '\0';
    const char *end = strstr(connection->head, "\r\n\r\n");
    if (end == NULL) {
        if (connection->received == HEAD_BYTES) {
            drop(connection, "the head of the answer is too long");
            return false;
        }
        return true;
    }
    const char *length = strcasestr(connection->head, length_field);
    if (strncmp(connection->head, status, strlen(status)) != 0 || length == NULL || length > end) {
        drop(connection, "the answer is not a 200 with a Content-Length");
        return false;
    }
    size_t head_length = (size_t)(end - connection->head) + strlen("\r\n\r\n");
    connection->expected = head_length + strtoull(length + strlen(length_field), NULL, 10);
    return true;
}

/* Takes `length` bytes that were just read to `data`. False: the connection was dropped. */
static bool accept_bytes(struct connection *connection, const char *data, size_t length)
{
    size_t before = connection->received;
    connection->received += length;
    if (connection->expected == 0 && !parse_head(connection)) {
        return false;
    }
    if (connection->expected != 0 && connection->received > connection->expected) {
        drop(connection, "the answer is longer than it should be");
        return false;
    }
    if (!options.http && memcmp(data, request + before, length) != 0) {
        drop(connection, "the echo differs from the message");
        return false;
    }
    return true;
}

static void read_answer(struct connection *connection)
{
    for (;;) {
        bool in_head = connection->expected == 0;
        char *target = in_head ? connection->head + connection->received : scratch;
        size_t room = in_head ? HEAD_BYTES - connection->received : sizeof scratch;
        ssize_t length =
            options.tls ? tls_receive(connection->ssl, target, room) : recv(connection->fd, target, room, 0);
        if (length <= 0) {
            if (length == 0 || errno != EAGAIN) {
                drop(connection, length == 0 ? "the server closed a connection" : strerror(errno));
            }
            return;
        }
        if (!accept_bytes(connection, target, (size_t)length)) {
            return;
        }
        if (connection->received == connection->expected) {
            if (measuring) {
                uint64_t latency = now_ns() - connection->started;
                histogram_record(&latencies, latency);
                histogram_record(&slice_latencies, latency);
            }
            if (options.reconnect) {
                reopen(connection);
            } else {
                start_request(connection);
            }
            return; /* nothing more can have come: the request was in flight alone */
        }
        if (!options.tls && (size_t)length < room) {
            return; /* drained: edge-triggered epoll reports what comes next */
        }
    }
}

static void prepare_request(void)
{
    if (options.http) {
        request_length = (size_t)asprintf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", options.path,
                                          options.address.host);
        return;
    }
    request_length = options.size;
    request = malloc(request_length);
    for (size_t index = 0; index < request_length; index++) {
        request[index] = (char)(index % PATTERN_PERIOD);
    }
}

static void poll_once(void)
{
    static struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, WAIT_MS);
    if (count < 0 && errno != EINTR) {
        fail("epoll_wait");
    }
    for (int index = 0; index < count; index++) {
        struct connection *connection = events[index].data.ptr;
        if (connection->sent < request_length) {
            send_rest(connection);
        }
        if (connection->fd >= 0 && (events[index].events & ~(uint32_t)EPOLLOUT) != 0) {
            read_answer(connection);
        }
    }
}

/* Runs until the time is up, `requests` answers are in (0: no limit) or no connection is left. */
static void run(double seconds, uint64_t requests)
{
    uint64_t end = now_ns() + (uint64_t)(seconds * NS_PER_S);
    while (alive > 0 && now_ns() < end && (requests == 0 || latencies.count < requests)) {
        poll_once();
    }
}

static void read_server(struct server_cpu *cpu)
{
    if (options.server != 0 && server_cpu_read(options.server, cpu) != 0) {
        fprintf(stderr, "load: the server, process %d, is gone\n", (int)options.server);
        exit(1);
    }
}

/* A connection that hangs would otherwise only make the others look faster. */
static void drop_stalled(struct connection *connections)
{
    uint64_t now = now_ns();
    for (int index = 0; index < options.connections; index++) {
        struct connection *connection = &connections[index];
        if (connection->fd >= 0 && now - connection->started > (uint64_t)STALL_SECONDS * NS_PER_S) {
            drop(connection, "a request was not answered for seconds");
        }
    }
}

static void print_quantiles(const struct histogram *histogram)
{
    printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f",
           (double)histogram_quantile(histogram, 0.50) / NS_PER_US,
           (double)histogram_quantile(histogram, 0.99) / NS_PER_US,
           (double)histogram_quantile(histogram, 0.999) / NS_PER_US, (double)histogram->max / NS_PER_US);
}

/* Reads the server's CPU when so many requests were answered. */
static void run_to_marks(void)
{
    struct server_cpu cpu;
    printf("\"marks_cpu_ns\": [");
    for (int index = 0; index < options.mark_count; index++) {
        run(options.duration, options.marks[index]);
        read_server(&cpu);
        printf("%s%llu", index == 0 ? "" : ", ", (unsigned long long)cpu.total_ns);
    }
    printf("], ");
}

static void run_in_slices(void)
{
    printf("\"slices\": [");
    for (double done = 0; done < options.duration; done += options.slice) {
        memset(&slice_latencies, 0, sizeof slice_latencies);
        run(options.slice, 0);
        printf("%s{\"requests\": %llu, ", done == 0 ? "" : ", ", (unsigned long long)slice_latencies.count);
        print_quantiles(&slice_latencies);
        printf("}");
    }
    printf("], ");
}

static void measure(struct connection *connections)
{
    struct server_cpu before = {0};
    struct server_cpu after = {0};
    static struct thread_cpu threads_before[MOST_THREADS];
    static struct thread_cpu threads_after[MOST_THREADS];
    int count_before = 0;
    int count_after = 0;

    run(options.warmup, 0);
    measuring = true;
    if (options.threads) {
        count_before = threads_read(options.server, threads_before);
    }
    read_server(&before);
    uint64_t own_before = own_cpu_ns();
    uint64_t started = now_ns();
    printf("{");
    if (options.mark_count > 0) {
        run_to_marks();
    } else if (options.slice > 0) {
        run_in_slices();
    } else {
        run(options.duration, options.requests);
    }
    double elapsed_ns = (double)(now_ns() - started);
    double own_ns = (double)(own_cpu_ns() - own_before);
    read_server(&after);
    if (options.threads) {
        count_after = threads_read(options.server, threads_after);
    }
    drop_stalled(connections);

    printf("\"seconds\": %.6f, \"requests\": %llu, \"requests_per_second\": %.1f, ", elapsed_ns / NS_PER_S,
           (unsigned long long)latencies.count, (double)latencies.count * NS_PER_S / elapsed_ns);
    print_quantiles(&latencies);
    printf(", \"errors\": %llu, \"generator_cpu\": %.3f, ", (unsigned long long)errors, own_ns / elapsed_ns);
    printf("\"server_cpu_ns\": %llu, \"server_user_ticks\": %llu, \"server_kernel_ticks\": %llu, \"threads\": ",
           (unsigned long long)(after.total_ns - before.total_ns),
           (unsigned long long)(after.user_ticks - before.user_ticks),
           (unsigned long long)(after.kernel_ticks - before.kernel_ticks));
    threads_print(threads_before, count_before, threads_after, count_after);
    printf("}\n");
}

int main(int count, char **arguments)
{
    options_parse(count, arguments);
    prepare_request();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *connections = calloc((size_t)options.connections, sizeof *connections);
    if (epoll < 0 || connections == NULL) {
        fail("cannot set up");
    }
    tls_context = options.tls ? tls_client_context() : NULL;
    alive = options.connections;
    for (int index = 0; index < options.connections; index++) {
        connections[index].head = options.http ? malloc(HEAD_BYTES + 1) : NULL;
        open_connection(&connections[index]);
    }
    measure(connections);
    return errors == 0 ? 0 : 1;
}
