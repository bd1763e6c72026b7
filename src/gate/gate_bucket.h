/* Private to gate/gate.c: a token bucket that holds a minute's worth and fills evenly. Exact: levels are counted in
 * 1/60000 of a unit, which is what one millisecond brings for each unit a minute. A plain value; the clock is passed
 * in. */
#pragma once

#include <stdint.h>

struct gate_bucket {
    uint32_t per_minute; /* 0: unlimited */
    int64_t level;       /* in 1/60000; below 0: taken in advance */
    uint64_t at_ms;      /* when the level was true */
};

/* A new limit; what was taken stays taken. The first one begins full. */
void gate_bucket_configure(struct gate_bucket *b, uint32_t per_minute, uint64_t now_ms);
/* How long until `units` may be taken, 0: now. More than the bucket holds may be taken when it is full. */
uint64_t gate_bucket_wait_ms(struct gate_bucket *b, int64_t units, uint64_t now_ms);
/* Takes, or with a negative number gives back; never more than is full, nor a debt of over ten minutes. */
void gate_bucket_take(struct gate_bucket *b, int64_t units, uint64_t now_ms);
