/* See rows.h. */
#include "enroll/rows.h"

struct columns {
    size_t newcomer;                 /* in the data set; SIZE_MAX: not there */
    size_t known[MODEL_EXPERTS_MAX]; /* [experts of the model] */
    size_t count;
};

static struct columns find_columns(const struct model *m, const struct dataset *d,
                                   struct str newcomer)
{
    struct columns c = {.newcomer = SIZE_MAX, .count = model_expert_count(m)};
    for (size_t e = 0; e < c.count; e++)
        c.known[e] = d->outcomes ? dataset_expert_index(d, model_expert_at(m, e)->name) : SIZE_MAX;
    if (d->outcomes)
        c.newcomer = dataset_expert_index(d, newcomer);
    return c;
}

static bool has_outcome(const struct dataset *d, const struct columns *c, size_t query)
{
    return c->newcomer != SIZE_MAX && dataset_outcome(d, query, c->newcomer)->known;
}

static void fill(const struct dataset *d, const struct columns *c, size_t query, float *others,
                 struct enroll_row *ret)
{
    *ret = (struct enroll_row){.text = d->queries[query].prompt,
                               .text_hash = d->queries[query].text_hash,
                               .score = -1,
                               .others = others};
    for (size_t e = 0; e < c->count; e++) {
        const struct outcome *o =
            c->known[e] == SIZE_MAX ? NULL : dataset_outcome(d, query, c->known[e]);
        others[e] = o && o->known ? o->score : -1;
    }
    if (c->newcomer == SIZE_MAX)
        return;
    const struct outcome *o = dataset_outcome(d, query, c->newcomer);
    ret->score = o->known ? o->score : -1;
    ret->confidence = outcome_confidence(o);
    ret->input_tokens = o->tokens_known ? o->input_tokens : 0;
    ret->output_tokens = o->tokens_known ? o->output_tokens : 0;
    ret->cost_usd = o->cost_known ? (double)o->cost_nano_usd / (double)NANO_PER_USD : 0;
}

enum status enroll_rows_take(const struct model *m, const struct dataset *d, struct str newcomer,
                             size_t more, struct arena *a, struct enroll_rows *ret,
                             struct error *err)
{
    const struct columns c = find_columns(m, d, newcomer);
    size_t n = d->query_count, with = 0, seen = 0, count = 0;
    struct enroll_row *rows = ARENA_ARRAY(a, n + 1, struct enroll_row);
    uint32_t *query = ARENA_ARRAY(a, n + 1, uint32_t);
    float *others = ARENA_ARRAY(a, n * c.count + 1, float);
    if (!rows || !query || !others)
        return error_set(err, ERR_MEMORY, "out of memory for %zu questions", n);
    for (size_t q = 0; q < n; q++)
        with += has_outcome(d, &c, q);
    size_t without = n - with, room = more < without ? more : without;
    for (size_t q = 0; q < n; q++) {
        bool takes = has_outcome(d, &c, q);
        if (!takes) {
            takes = seen * room / without != (seen + 1) * room / without;
            seen++;
        }
        if (!takes)
            continue;
        fill(d, &c, q, others + count * c.count, &rows[count]);
        query[count++] = (uint32_t)q;
    }
    *ret = (struct enroll_rows){rows, query, count, with};
    return OK;
}
