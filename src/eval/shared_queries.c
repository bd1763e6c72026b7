/* Rows of two tables, reduced to the queries of both. */
#include "eval/shared_queries.h"

#include <string.h>

#include "base/check.h"

/* Indices of a's rows whose query b has too; both lists of queries ascend. Returns how many. */
static size_t rows_shared(const struct eval_set *a, const struct eval_set *b, size_t *rows)
{
    size_t n = 0, j = 0;
    for (size_t i = 0; i < a->table.queries; i++) {
        while (j < b->table.queries && b->query_index[j] < a->query_index[i])
            j++;
        if (j < b->table.queries && b->query_index[j] == a->query_index[i])
            rows[n++] = i;
    }
    return n;
}

/* Builds a second set beside the first and swaps it in at the end, so that *s is whole at any failure. The four
 * matrices are copied in one loop, because a row of each belongs to the same query. */
static enum status rows_keep(struct eval_set *s, const struct model *m, const struct dataset *d,
                             const size_t *rows, size_t count, struct arena *arena,
                             struct error *err)
{
    struct eval_table *t = &s->table;
    size_t width = t->experts;
    CHECK(count <= t->queries);
    if (count == t->queries)
        return OK;
    struct eval_set kept = *s;
    uint32_t *index = ARENA_ARRAY(arena, count, uint32_t);
    float *shared_sd = ARENA_ARRAY(arena, count, float);
    kept.estimates = ARENA_ARRAY(arena, count * width, struct estimate);
    kept.outcomes = ARENA_ARRAY(arena, count * width, struct outcome);
    kept.runs = s->runs ? ARENA_ARRAY(arena, count * width, struct eval_run) : NULL;
    if (count &&
        (!index || !shared_sd || !kept.estimates || !kept.outcomes || (s->runs && !kept.runs)))
        return error_set(err, ERR_MEMORY, "out of memory");
    kept.trained_on = 0;
    for (size_t i = 0; i < count; i++) {
        size_t from = rows[i] * width, to = i * width;
        index[i] = s->query_index[rows[i]];
        shared_sd[i] = s->shared_sd[rows[i]];
        memcpy(&kept.estimates[to], &s->estimates[from], width * sizeof(*kept.estimates));
        memcpy(&kept.outcomes[to], &s->outcomes[from], width * sizeof(*kept.outcomes));
        if (kept.runs)
            memcpy(&kept.runs[to], &s->runs[from], width * sizeof(*kept.runs));
        kept.trained_on += model_trained_on(m, d->queries[index[i]].text_hash);
    }
    kept.query_index = index;
    kept.shared_sd = shared_sd;
    kept.left_out += t->queries - count;
    kept.table.queries = count;
    kept.table.estimates = kept.estimates;
    kept.table.outcomes = kept.outcomes;
    kept.table.runs = kept.runs;
    *s = kept;
    return OK;
}

enum status eval_sets_common(struct eval_set *a, const struct model *model_a, struct eval_set *b,
                             const struct model *model_b, const struct dataset *d,
                             struct arena *arena, struct error *err)
{
    size_t *rows_a = ARENA_ARRAY(arena, a->table.queries, size_t);
    size_t *rows_b = ARENA_ARRAY(arena, b->table.queries, size_t);
    if ((a->table.queries && !rows_a) || (b->table.queries && !rows_b))
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t count = rows_shared(a, b, rows_a);
    rows_shared(b, a, rows_b);
    enum status status = rows_keep(a, model_a, d, rows_a, count, arena, err);
    return status == OK ? rows_keep(b, model_b, d, rows_b, count, arena, err) : status;
}
