/* Private to dialect/anthropic*.c: what whole answers and streams share. */
#pragma once

#include <stdint.h>

#include "dialect/anthropic_int.h"

/* -1: not reported. A stream reports at its begin and at its end, and either may hold zeros: of each count the larger
 * one stays. */
struct anthropic_usage {
    int64_t input; /* neither read from nor written to the cache */
    int64_t output;
    int64_t cache_read, cache_creation; /* 0: not reported, too */
    int64_t cache_creation_1h;          /* of cache_creation; 0: not reported, too */
    int64_t thinking;                   /* of the output; 0: not reported, too */
    bool odd; /* a count was none: negative, broken or beyond all bounds */
};

#define ANTHROPIC_USAGE_UNKNOWN                                                                    \
    {                                                                                              \
        .input = -1, .output = -1                                                                  \
    }

void anthropic_usage_read(struct json_value usage, struct anthropic_usage *u);
/* `,"usage":{...}` in chat's words; while it is unknown nothing is written, and false returned. */
bool anthropic_usage_write(const struct anthropic_usage *u, struct buf *out);
const char *anthropic_finish_reason(struct json_value stop_reason);
/* `{"id":...,"object":...,"created":...,"model":...` */
void anthropic_head_write(struct json_value id, struct json_value model, const char *object,
                          int64_t created_s, struct buf *out);
