/* See asking_choice.h. */
#include "enroll/asking_choice.h"

static enum status lay_out(struct enroll_questions *q, size_t want, struct arena *a, bool **may_ask,
                           struct error *err)
{
    q->ways = ARENA_ARRAY(a, q->rows.count + 1, enum broken_way);
    q->picks = ARENA_ARRAY(a, want + 1, uint32_t);
    *may_ask = ARENA_ARRAY(a, q->rows.count + 1, bool);
    return q->ways && q->picks && *may_ask ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* Of one text there is nothing to choose, and who asks the question passes it over. */
static bool has_choice(const struct query *q)
{
    return q->choice_count != 1;
}

enum status enroll_questions_choose(const struct model *m, const struct enroll_belief *belief,
                                    const struct dataset *d, struct str newcomer, size_t want,
                                    struct arena *a, struct enroll_questions *ret,
                                    struct error *err)
{
    struct enroll_questions q = {0};
    bool *may_ask;
    enum status status = enroll_rows_take(m, d, newcomer, SIZE_MAX, a, &q.rows, err);
    if (status == OK)
        status = lay_out(&q, want, a, &may_ask, err);
    if (status == OK)
        status = enroll_broken(m, q.rows.rows, q.rows.count, a, q.ways, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < q.rows.count; i++) {
        may_ask[i] = q.ways[i] == BROKEN_NOT && has_choice(&d->queries[q.rows.query[i]]);
        q.broken += q.ways[i] != BROKEN_NOT;
    }
    status = enroll_suggest(m, belief, q.rows.rows, q.rows.count, may_ask, want, a, q.picks,
                            &q.count, err);
    if (status == OK && !q.count)
        return error_set(err, ERR_INPUT, "%.*s has no question left to ask", STR_FMT(d->path));
    if (status == OK)
        *ret = q;
    return status;
}
