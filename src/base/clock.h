/* Time: monotonic for deadlines and durations, wall for people, CPU for benches. */
#pragma once

#include <stdint.h>

uint64_t clock_now_ns(void);    /* monotonic */
uint64_t clock_now_ms(void);    /* monotonic */
int64_t clock_wall_ms(void);    /* since the epoch */
double clock_cpu_seconds(void); /* CPU time of this thread */
