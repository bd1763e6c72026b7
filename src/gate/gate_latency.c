/* How long calls to an expert take: see gate.h. All that is known stands in one word, so that any thread may read and
 * write it without a lock: the mean's bits above, the time of the last news in seconds below, and in the last bit
 * whether nothing but calls that were called off are in it. */
#include "gate/gate_int.h"

#include <string.h>

#define WEIGHT      0.125f /* of the newest */
#define LATENCY_MIN 1.0f   /* 0 says that it is unknown */
#define LATENCY_MAX 4e9f
#define STRETCH     2 /* to the whole of a call, of what had passed of it when it was called off */

struct latency {
    float mean_ms;   /* 0: unknown */
    bool is_guessed; /* no call of it was answered */
};

static uint64_t pack(float mean_ms, bool is_guessed, uint64_t now_ms)
{
    uint32_t bits;
    memcpy(&bits, &mean_ms, sizeof(bits));
    return (uint64_t)bits << 32 | (uint32_t)(now_ms / 1000 << 1) | is_guessed;
}

static struct latency unpack(const struct gate *g, uint64_t word, uint64_t now_ms)
{
    uint32_t bits = (uint32_t)(word >> 32), second = (uint32_t)word >> 1;
    struct latency l = {.is_guessed = word & 1};
    memcpy(&l.mean_ms, &bits, sizeof(bits));
    if (word && now_ms / 1000 <= second + GATE_LATENCY_MEMORY_MS / 1000)
        return l;
    return (struct latency){(float)atomic_load(&g->configured_ms), true};
}

static float within(float ms)
{
    return ms < LATENCY_MIN ? LATENCY_MIN : ms < LATENCY_MAX ? ms : LATENCY_MAX;
}

void gate_took(struct gate *g, uint64_t now_ms, uint64_t took_ms, bool called_off)
{
    uint_least64_t word = atomic_load(&g->latency), next;
    do {
        struct latency l = unpack(g, word, now_ms);
        float took = within((float)took_ms);
        if (called_off && took <= l.mean_ms)
            return;
        if (called_off)
            took = within(STRETCH * took);
        bool is_first = l.mean_ms <= 0 || (l.is_guessed && !called_off);
        float mean = is_first ? took : l.mean_ms + WEIGHT * (took - l.mean_ms);
        next = pack(mean, called_off && l.is_guessed, now_ms);
    } while (!atomic_compare_exchange_weak(&g->latency, &word, next));
}

uint32_t gate_latency_ms(const struct gate *g, uint64_t now_ms)
{
    struct latency l = unpack(g, atomic_load(&g->latency), now_ms);
    return l.mean_ms > 0 ? (uint32_t)(within(l.mean_ms) + 0.5f) : 0;
}
