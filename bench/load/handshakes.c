/*
 * TLS connections one after another: connect, whole handshake, one byte there and back, close.
 *
 *   handshakes --port P [--warmup S] [--duration S] [--server-pid PID]
 *
 * The byte makes sure that the server has finished its part. The result is one JSON object on standard output.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server_cpu.h"
#include "tls.h"

static const double NS_PER_S = 1e9;

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / NS_PER_S;
}

static void connect_once(SSL_CTX *context, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        tls_fail("cannot connect to the server");
    }
    SSL *ssl = tls_connect(context, fd);
    char byte = 'x';
    if (tls_send(ssl, &byte, 1) != 1 || tls_receive(ssl, &byte, 1) != 1) {
        tls_fail("a byte did not come back");
    }
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static uint64_t connect_for(SSL_CTX *context, int port, double seconds)
{
    uint64_t count = 0;
    for (double end = now_s() + seconds; now_s() < end; count++) {
        connect_once(context, port);
    }
    return count;
}

int main(int count, char **arguments)
{
    static const struct option table[] = {{"port", required_argument, NULL, 'p'},
                                          {"warmup", required_argument, NULL, 'w'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"server-pid", required_argument, NULL, 'i'},
                                          {NULL, 0, NULL, 0}};
    int port = 0;
    double warmup = 1;
    double duration = 2;
    pid_t server = 0;
    for (int option; (option = getopt_long(count, arguments, "", table, NULL)) != -1;) {
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'w': warmup = atof(optarg); break;
        case 'd': duration = atof(optarg); break;
        case 'i': server = atoi(optarg); break;
        default: return 2;
        }
    }
    SSL_CTX *context = tls_client_context();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    struct server_cpu before = {0};
    struct server_cpu after = {0};
    connect_for(context, port, warmup);
    if (server != 0 && server_cpu_read(server, &before) != 0) {
        tls_fail("the server is gone");
    }
    double started = now_s();
    uint64_t connections = connect_for(context, port, duration);
    double elapsed = now_s() - started;
    if (server != 0 && server_cpu_read(server, &after) != 0) {
        tls_fail("the server is gone");
    }
    printf("{\"connections\": %llu, \"connections_per_second\": %.1f, \"server_cpu_ns\": %llu}\n",
           (unsigned long long)connections, (double)connections / elapsed,
           (unsigned long long)(after.total_ns - before.total_ns));
    return 0;
}
