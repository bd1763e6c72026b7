/* Reads and writes the header traceparent, https://www.w3.org/TR/trace-context/. */
#include "watch/trace_context.h"

#include <stdio.h>

#include "base/hash.h"

#define SAMPLED 1u

/* 16 lower-case hexadecimal digits or fewer. */
static bool read_hex(struct str s, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = value;
    return true;
}

/* "00-<32 digits>-<16 digits>-<2 digits>"; later versions may go on behind another dash. */
static bool read_parent(struct str s, struct trace *t, uint64_t *ret_flags)
{
    uint64_t version;
    if (s.len < 55 || s.ptr[2] != '-' || s.ptr[35] != '-' || s.ptr[52] != '-')
        return false;
    if (!read_hex(str_slice(s, 0, 2), &version) || version == 0xff)
        return false;
    if (version == 0 ? s.len != 55 : s.len > 55 && s.ptr[55] != '-')
        return false;
    return read_hex(str_slice(s, 3, 19), &t->id_high) &&
           read_hex(str_slice(s, 19, 35), &t->id_low) &&
           read_hex(str_slice(s, 36, 52), &t->parent) &&
           read_hex(str_slice(s, 53, 55), ret_flags) && (t->id_high | t->id_low) && t->parent;
}

static uint64_t fresh_id(struct rng *rng)
{
    uint64_t id = rng_next(rng);
    return id ? id : 1;
}

void trace_begin(struct trace *t, struct str traceparent, double sample, struct rng *rng)
{
    struct trace trace = {0};
    uint64_t flags = 0;
    if (read_parent(traceparent, &trace, &flags))
        trace.on = flags & SAMPLED;
    else
        trace = (struct trace){
            .on = rng_uniform(rng) < sample, .id_high = rng_next(rng), .id_low = fresh_id(rng)};
    trace.span = fresh_id(rng);
    *t = trace;
}

uint64_t trace_child(const struct trace *t, struct str expert)
{
    uint64_t id = hash64(expert, t->span);
    return id ? id : 1;
}

void trace_write_parent(const struct trace *t, uint64_t span, char into[TRACEPARENT_BYTES])
{
    snprintf(into, TRACEPARENT_BYTES, "00-%016llx%016llx-%016llx-01",
             (unsigned long long)t->id_high, (unsigned long long)t->id_low,
             (unsigned long long)span);
}
