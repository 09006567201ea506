/* What the load generator is told on its command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "connect.h"

enum { MOST_MARKS = 16 };

struct options {
    bool http;
    bool tls;
    bool reconnect;
    bool threads; /* of the server, each by itself */
    struct address address;
    const char *path;
    size_t size;
    int connections;
    double warmup;
    double duration;
    uint64_t requests; /* 0: as many as the duration allows */
    pid_t server;      /* 0: do not measure the server */
    uint64_t marks[MOST_MARKS]; /* numbers of requests, ascending, at which the server's CPU is read */
    int mark_count;
    double slice; /* seconds; latencies are told of each, too; 0: of the whole time alone */
};

static struct options options = {
    .address.host = "127.0.0.1", .path = "/", .size = 1024, .connections = 1, .warmup = 1, .duration = 2};

static _Noreturn void fail_usage(const char *message)
{
    fprintf(stderr,
            "load: %s\n"
            "usage: load echo|udp|http (--port PORT [--host ADDRESS] | --unix PATH) [--size BYTES] [--path PATH]\n"
            "            [--connections N] [--warmup S] [--duration S] [--requests N] [--server-pid PID] [--tls]\n"
            "            [--reconnect] [--threads] [--marks N,N,…] [--slice S]\n",
            message);
    exit(2);
}

static void options_parse_marks(const char *list)
{
    char *rest;
    for (const char *from = list; options.mark_count < MOST_MARKS; from = rest + 1) {
        options.marks[options.mark_count++] = strtoull(from, &rest, 10);
        if (*rest != ',') {
            return;
        }
    }
}

static void options_parse(int count, char **arguments)
{
    static const struct option table[] = {
        {"host", required_argument, NULL, 'h'},     {"port", required_argument, NULL, 'p'},
        {"unix", required_argument, NULL, 'u'},     {"path", required_argument, NULL, 'a'},
        {"size", required_argument, NULL, 's'},     {"connections", required_argument, NULL, 'c'},
        {"warmup", required_argument, NULL, 'w'},   {"duration", required_argument, NULL, 'd'},
        {"requests", required_argument, NULL, 'r'}, {"server-pid", required_argument, NULL, 'i'},
        {"tls", no_argument, NULL, 't'},            {"reconnect", no_argument, NULL, 'o'},
        {"threads", no_argument, NULL, 'n'},        {"marks", required_argument, NULL, 'm'},
        {"slice", required_argument, NULL, 'l'},    {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(count, arguments, "", table, NULL)) != -1;) {
        switch (option) {
        case 'h': options.address.host = optarg; break;
        case 'p': options.address.port = atoi(optarg); break;
        case 'u': options.address.unix_path = optarg; break;
        case 'a': options.path = optarg; break;
        case 's': options.size = strtoull(optarg, NULL, 10); break;
        case 'c': options.connections = atoi(optarg); break;
        case 'w': options.warmup = atof(optarg); break;
        case 'd': options.duration = atof(optarg); break;
        case 'r': options.requests = strtoull(optarg, NULL, 10); break;
        case 'i': options.server = atoi(optarg); break;
        case 't':
#ifndef WITH_TLS
            fail_usage("--tls: this program was compiled without");
#endif
            options.tls = true;
            break;
        case 'o': options.reconnect = true; break;
        case 'n': options.threads = true; break;
        case 'm': options_parse_marks(optarg); break;
        case 'l': options.slice = atof(optarg); break;
        default: fail_usage("unknown option");
        }
    }
    if (optind != count - 1) {
        fail_usage("say echo, udp or http");
    }
    const char *protocol = arguments[optind];
    options.http = strcmp(protocol, "http") == 0;
    options.address.datagrams = strcmp(protocol, "udp") == 0;
    if (!options.http && !options.address.datagrams && strcmp(protocol, "echo") != 0) {
        fail_usage("say echo, udp or http");
    }
    if (options.size == 0 || options.connections <= 0 || (options.address.port <= 0 && options.address.unix_path == NULL)) {
        fail_usage("--size, --connections and --port take positive numbers");
    }
}

#endif
