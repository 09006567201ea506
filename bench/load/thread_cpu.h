/* CPU time of each thread of another process, from the scheduler's accounting. */
#ifndef THREAD_CPU_H
#define THREAD_CPU_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum {
    MOST_THREADS = 256,
    COMM_BYTES = 16, /* as long as the kernel lets a thread's name be, with its end */
};

struct thread_cpu {
    pid_t id;
    char name[COMM_BYTES];
    uint64_t ns; /* of a running thread: as of the last tick, a few milliseconds ago at most */
};

static inline bool thread_file(pid_t process, pid_t thread, const char *name, char *text, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)process, (int)thread, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t length = fread(text, 1, room - 1, file);
    fclose(file);
    text[length] = '\0';
    return length > 0;
}

/* Returns how many there are: of a thread that ends meanwhile nothing is said. */
static inline int threads_read(pid_t process, struct thread_cpu *threads)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *folder = opendir(path);
    int count = 0;
    for (struct dirent *entry; folder != NULL && count < MOST_THREADS && (entry = readdir(folder)) != NULL;) {
        struct thread_cpu *thread = &threads[count];
        char times[128];
        thread->id = atoi(entry->d_name);
        if (thread->id > 0 && thread_file(process, thread->id, "comm", thread->name, sizeof thread->name) &&
            thread_file(process, thread->id, "schedstat", times, sizeof times)) {
            thread->name[strcspn(thread->name, "\n\"\\")] = '\0';
            thread->ns = strtoull(times, NULL, 10);
            count++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

/* A JSON list of what each thread that is there now has spent since; one that is new, since its start. */
static inline void threads_print(const struct thread_cpu *before, int before_count, const struct thread_cpu *after,
                                 int after_count)
{
    printf("[");
    for (int index = 0; index < after_count; index++) {
        uint64_t spent = after[index].ns;
        for (int other = 0; other < before_count; other++) {
            spent -= before[other].id == after[index].id ? before[other].ns : 0;
        }
        printf("%s{\"id\": %d, \"name\": \"%s\", \"cpu_ns\": %llu}", index == 0 ? "" : ", ", (int)after[index].id,
               after[index].name, (unsigned long long)spent);
    }
    printf("]");
}

#endif
