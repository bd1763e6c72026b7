/* Who is worth what in which topic, and who stands alone there. */
#include <math.h>

#include "gaps/gaps_int.h"

struct expert_sums {
    size_t recorded, chosen;
    double score, expected, loss, loss_squares;
};

static void query_add(const struct score_set *s, size_t q, struct expert_sums *experts)
{
    const struct score_query *x = &s->queries[q];
    double loss = (double)x->achieved - (double)x->without;
    for (size_t e = 0; e < s->pool.count; e++) {
        experts[e].expected += (double)s->quality[q * s->pool.count + e];
        if (!score_outcome(s, q, e))
            continue;
        experts[e].recorded++;
        experts[e].score += score_value(s, q, e);
    }
    experts[x->expert].chosen++;
    experts[x->expert].loss += loss;
    experts[x->expert].loss_squares += loss * loss;
}

static void expert_figures(const struct expert_sums *x, double prior_queries, size_t queries,
                           size_t all, struct gaps_expert *to)
{
    double n = (double)x->recorded;
    double scale = 1000 / (double)all;
    double squares = x->loss_squares - x->loss * x->loss / (double)all;
    to->recorded = x->recorded;
    to->chosen = x->chosen;
    to->expected = x->expected / (double)queries;
    to->measured = x->recorded ? x->score / n : NAN;
    to->score = (x->score + prior_queries * to->expected) / (n + prior_queries);
    to->loss = (struct figure){x->loss * scale, all > 1 ? sqrt(fmax(squares, 0)) * scale : NAN};
}

/* The best and the second by score; whether the best is far ahead, and much hangs on it. */
static void topic_order(const struct gaps_expert *experts, size_t count, struct gaps_topic *t)
{
    t->best = 0;
    t->second = t->alone = GAPS_NOBODY;
    for (size_t e = 1; e < count; e++) {
        if (experts[e].score > experts[t->best].score) {
            t->second = t->best;
            t->best = e;
        } else if (t->second == GAPS_NOBODY || experts[e].score > experts[t->second].score) {
            t->second = e;
        }
    }
    const struct figure *loss = &experts[t->best].loss;
    if (t->second != GAPS_NOBODY && !t->few && loss->value > GAPS_SURE * loss->error &&
        experts[t->best].score - experts[t->second].score >= GAPS_ALONE_LEAST)
        t->alone = t->best;
}

enum status gaps_experts(const struct score_set *s, const uint32_t *topic_of, double prior_queries,
                         struct gaps_topic *topics, size_t count, struct arena *a,
                         struct error *err)
{
    size_t pool = s->pool.count, all = s->d->query_count;
    struct expert_sums *sums = ARENA_ARRAY(a, count * pool, struct expert_sums);
    struct gaps_expert *experts = ARENA_ARRAY(a, count * pool, struct gaps_expert);
    if (!sums || !experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < all; q++)
        query_add(s, q, &sums[(topic_of ? topic_of[q] : 0) * pool]);
    for (size_t t = 0; t < count; t++) {
        for (size_t e = 0; e < pool; e++)
            expert_figures(&sums[t * pool + e], prior_queries, topics[t].queries, all,
                           &experts[t * pool + e]);
        topics[t].experts = &experts[t * pool];
        topic_order(topics[t].experts, pool, &topics[t]);
    }
    return OK;
}
