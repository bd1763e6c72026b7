/* Each opinion in the ledger (store/reader.h), and what its decision had estimated, as it stands in the row. */
#include "setup/drift_ledger.h"

#include <string.h>

#include "base/json.h"
#include "store/reader.h"

#define ROWS_MAX      1000000
#define ROWS_AT_FIRST 1024

struct reading {
    const struct model *m;
    int64_t since_ms;
    struct arena *arena;
    struct drift_row *rows;
    size_t count, capacity;
};

/* What a decision had estimated of the expert: {"estimates": {NAME: [quality, USD]}}. False: nothing. */
static bool read_estimate(struct str decision, struct str expert, double *quality, double *usd)
{
    struct json_value root, pair, item;
    if (!decision.len || json_parse(decision, "decision", 1, &root, NULL) != OK)
        return false;
    struct json_iter it = json_iter_begin(json_get(root, "estimates"));
    struct json_value key;
    while (json_object_next(&it, &key, &pair)) {
        if (!json_string_equal(key, expert) || pair.type != JSON_ARRAY)
            continue;
        struct json_iter values = json_iter_begin(pair);
        return json_array_next(&values, &item) && json_to_double(item, quality) == OK &&
               json_array_next(&values, &item) && json_to_double(item, usd) == OK &&
               *quality >= 0 && *quality <= 1;
    }
    return false;
}

static enum status make_room(struct reading *r, struct error *err)
{
    if (r->count < r->capacity)
        return OK;
    size_t more = r->capacity ? 2 * r->capacity : ROWS_AT_FIRST;
    struct drift_row *rows =
        more <= 2 * ROWS_MAX ? ARENA_ARRAY(r->arena, more, struct drift_row) : NULL;
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory for feedback");
    if (r->count)
        memcpy(rows, r->rows, r->count * sizeof(*rows));
    r->rows = rows;
    r->capacity = more;
    return OK;
}

static enum status take(const struct ledger_opinion *o, void *arg, struct error *err)
{
    struct reading *r = arg;
    size_t expert = model_expert_index(r->m, o->expert);
    double quality = 0, usd = 0;
    if (!o->is_single || expert == SIZE_MAX || !(o->score >= 0 && o->score <= 1) ||
        !read_estimate(o->decision, o->expert, &quality, &usd))
        return OK;
    enum status status = make_room(r, err);
    if (status != OK)
        return status;
    r->rows[r->count] = (struct drift_row){.question = r->count,
                                           .expert = expert,
                                           .score = (float)o->score,
                                           .estimated = (float)quality,
                                           .earlier = o->begin_ms < r->since_ms,
                                           .usd = (double)o->cost_nano_usd / (double)NANO_PER_USD,
                                           .estimated_usd = usd};
    r->count++;
    return OK;
}

enum status drift_ledger_read(const char *store, int64_t since_ms, const struct model *m,
                              struct arena *a, struct drift_rows *ret, struct error *err)
{
    struct reading r = {.m = m, .since_ms = since_ms, .arena = a};
    struct ledger_reader *reader = NULL;
    *ret = (struct drift_rows){.input = {.expert_count = model_expert_count(m), .feedback = true}};
    enum status status = drift_known_of(m, a, &ret->input.known, err);
    if (status == OK)
        status = ledger_reader_create(store, &reader, err);
    if (status == OK)
        status = ledger_read_opinions(reader, 0, take, &r, err);
    ledger_reader_free(reader);
    ret->input.rows = r.rows;
    ret->input.row_count = ret->input.question_count = r.count;
    return status;
}
