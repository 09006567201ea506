/* CPU time of another process, all its threads together (for a JVM: the compiler's and the collector's too). */
#ifndef SERVER_CPU_H
#define SERVER_CPU_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

struct server_cpu {
    uint64_t total_ns;     /* exact, from the scheduler's own accounting */
    uint64_t user_ticks;   /* sampled by the kernel's timer: good for the split, too coarse for the sum */
    uint64_t kernel_ticks;
};

/* Returns 0, or -1 when the process is gone. */
static inline int server_cpu_read(pid_t pid, struct server_cpu *cpu)
{
    clockid_t clock;
    struct timespec spent;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) != 0) {
        return -1;
    }
    cpu->total_ns = (uint64_t)spent.tv_sec * 1000000000ULL + (uint64_t)spent.tv_nsec;

    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return -1;
    }
    size_t length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[length] = '\0';

    /* The command's name, field 2, may hold blanks and parentheses: count from the last one. */
    const char *after_name = strrchr(line, ')');
    unsigned long user;
    unsigned long kernel;
    if (after_name == NULL ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2) {
        return -1;
    }
    cpu->user_ticks = user;
    cpu->kernel_ticks = kernel;
    return 0;
}

#endif
