/* Whole numbers, so that nothing drifts and tests compare equal. */
#include "gate/gate_bucket.h"

#define PARTS          INT64_C(60000)
#define DEBT_MINUTES   10
#define ELAPSED_MS_MAX ((DEBT_MINUTES + 1) * PARTS)

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static void fill(struct gate_bucket *b, uint64_t now_ms)
{
    if (now_ms <= b->at_ms) /* another thread's clock was read a moment later */
        return;
    uint64_t elapsed = now_ms - b->at_ms;
    int64_t ms = elapsed > ELAPSED_MS_MAX ? ELAPSED_MS_MAX : (int64_t)elapsed;
    int64_t full = b->per_minute * PARTS;
    b->level = clamp(b->level + ms * b->per_minute, -DEBT_MINUTES * full, full);
    b->at_ms = now_ms;
}

void gate_bucket_configure(struct gate_bucket *b, uint32_t per_minute, uint64_t now_ms)
{
    if (b->per_minute == per_minute)
        return;
    fill(b, now_ms);
    int64_t taken = b->per_minute ? b->per_minute * PARTS - b->level : 0;
    int64_t full = per_minute * PARTS;
    *b = (struct gate_bucket){.per_minute = per_minute,
                              .level = clamp(full - taken, -DEBT_MINUTES * full, full),
                              .at_ms = now_ms};
}

uint64_t gate_bucket_wait_ms(struct gate_bucket *b, int64_t units, uint64_t now_ms)
{
    if (b->per_minute == 0)
        return 0;
    fill(b, now_ms);
    int64_t need = clamp(units, 0, b->per_minute) * PARTS - b->level;
    return need <= 0 ? 0 : (uint64_t)((need + b->per_minute - 1) / b->per_minute);
}

void gate_bucket_take(struct gate_bucket *b, int64_t units, uint64_t now_ms)
{
    if (b->per_minute == 0)
        return;
    fill(b, now_ms);
    int64_t most = (int64_t)b->per_minute * DEBT_MINUTES, full = b->per_minute * PARTS;
    b->level = clamp(b->level - clamp(units, -most, most) * PARTS, -DEBT_MINUTES * full, full);
}
