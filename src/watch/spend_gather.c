/* Groups of a ledger's sums into a list that grows. */
#include "watch/spend_gather.h"

#include <string.h>

#include "base/clock.h"

struct gathering {
    struct spend_list *list;
    struct arena *arena;
    size_t capacity;
};

static enum status take_group(const struct spend *s, void *arg, struct error *err)
{
    struct gathering *g = arg;
    struct spend_list *l = g->list;
    if (l->count == SPEND_GROUPS_MAX)
        return error_set(err, ERR_TOO_LARGE, "over %d groups; narrow them with --since and --until",
                         SPEND_GROUPS_MAX);
    if (l->count == g->capacity) {
        size_t more = g->capacity ? 2 * g->capacity : 64;
        struct spend *rows = ARENA_ARRAY(g->arena, more, struct spend);
        if (!rows)
            return error_set(err, ERR_MEMORY, "out of memory");
        if (l->count > 0)
            memcpy(rows, l->rows, l->count * sizeof(*rows));
        l->rows = rows;
        g->capacity = more;
    }
    l->rows[l->count] = *s;
    l->rows[l->count].group = arena_copy(g->arena, s->group);
    return l->rows[l->count++].group.ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status take_total(const struct spend *s, void *arg, struct error *err)
{
    struct spend *total = arg;
    (void)err;
    *total = *s;
    total->group = STR("");
    return OK;
}

enum status spend_gather(const char *store, struct spend_list *l, struct arena *a,
                         struct error *err)
{
    struct gathering g = {l, a, 0};
    struct ledger_reader *reader = NULL;
    enum status status = ledger_reader_create(store, &reader, err);
    if (status == OK)
        status = ledger_read_spend(reader, l->by, l->since_ms, l->until_ms, take_group, &g, err);
    if (status == OK)
        status = ledger_read_spend(reader, SPEND_TOTAL, l->since_ms, l->until_ms, take_total,
                                   &l->total, err);
    if (status == OK)
        status = ledger_read_losses(reader, l->since_ms, l->until_ms, &l->loss, err);
    ledger_reader_free(reader);
    return status;
}

enum status spend_time_option(const char *option, const char *value, int64_t *ret,
                              struct error *err)
{
    if (!value || spend_time_parse(value, clock_wall_ms(), ret) == OK)
        return OK;
    return error_set(err, ERR_USAGE,
                     "%s '%.40s': expected a date like 2026-11-22, or how long ago like 7d, 12h, "
                     "30m",
                     option, value);
}
