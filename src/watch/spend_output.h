/* What `leeroo spend` prints: sums for each group, as a table for people and as JSON for programs. */
#pragma once

#include "base/buf.h"
#include "store/reader.h"

#define SPEND_GROUPS_MAX 100000

struct spend_list {
    /* [count]; the names of groups are in the arena of the function that filled it. */
    struct spend *rows;
    size_t count;
    struct spend total;
    struct spend_loss loss;
    enum spend_by by;
    int64_t since_ms, until_ms; /* INT64_MIN and INT64_MAX: all */
};

const char *spend_by_name(enum spend_by by);
/* A time in milliseconds since 1970 as text: written as "2026-11-22T03:04:05Z"; read in that form, as a date (UTC), or
 * as how long ago, "7d", "12h", "30m". ERR_INPUT: it is none of these. */
void spend_time_write(struct buf *out, int64_t ms);
NODISCARD enum status spend_time_parse(const char *text, int64_t now_ms, int64_t *ret_ms);
/* For a screen of that many columns (0: no limit): what there is no room for is left out, and named. */
void spend_write_table(const struct spend_list *l, size_t columns, struct buf *out);
void spend_write_json(const struct spend_list *l, struct buf *out);
