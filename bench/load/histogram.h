/* A log-linear histogram of nanoseconds: 64 buckets for each power of two, so a value is known within 1.6 %. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BITS = 6,
    HISTOGRAM_SPLIT = 1 << HISTOGRAM_BITS,
    HISTOGRAM_BUCKETS = HISTOGRAM_SPLIT * (64 - HISTOGRAM_BITS + 1),
};

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max;
};

static inline void histogram_record(struct histogram *histogram, uint64_t value)
{
    int exponent = value < 2 * HISTOGRAM_SPLIT ? 0 : 63 - __builtin_clzll(value) - HISTOGRAM_BITS;
    histogram->buckets[(uint64_t)exponent * HISTOGRAM_SPLIT + (value >> exponent)]++;
    histogram->count++;
    if (value > histogram->max) {
        histogram->max = value;
    }
}

/* The middle of the bucket that holds the value below which `quantile` (0 to 1) of all values lie. */
static inline uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)histogram->count);
    uint64_t seen = 0;
    for (int index = 0; index < HISTOGRAM_BUCKETS; index++) {
        seen += histogram->buckets[index];
        if (seen > wanted) {
            int exponent = index < 2 * HISTOGRAM_SPLIT ? 0 : index / HISTOGRAM_SPLIT - 1;
            uint64_t low = (uint64_t)(index - exponent * HISTOGRAM_SPLIT) << exponent;
            return low + ((1ULL << exponent) >> 1);
        }
    }
    return histogram->max;
}

#endif
