/* Topics measured again, on queries that they were not found on. */
#include <math.h>

#include "gaps/gaps_int.h"

struct again_sums {
    double queries, sum, squares, noise;
};

static void again_add(struct again_sums *s, const struct score_set *scores, size_t q)
{
    double achieved = (double)scores->queries[q].achieved;
    s->queries++;
    s->sum += achieved;
    s->squares += achieved * achieved;
    s->noise += (double)scores->noise[q];
}

static struct figure again_mean(const struct again_sums *s)
{
    double n = s->queries, variance = (s->squares - s->sum * s->sum / n + s->noise) / (n - 1);
    return (struct figure){n > 0 ? s->sum / n : NAN, n > 1 ? sqrt(fmax(variance, 0) / n) : NAN};
}

static void again_figures(const struct again_sums *s, const struct again_sums *all,
                          struct gaps_again *to)
{
    const struct again_sums others = {all->queries - s->queries, all->sum - s->sum,
                                      all->squares - s->squares, all->noise - s->noise};
    struct figure in = again_mean(s), out = again_mean(&others);
    to->queries = (size_t)s->queries;
    to->achieved = in;
    to->difference = (struct figure){in.value - out.value, hypot(in.error, out.error)};
}

/* The texts of the queries that the topics were found on. */
static enum status texts_known(const struct dataset *found_on, const struct dataset *d, size_t *ret,
                               struct error *err)
{
    struct map *known = map_create(found_on->query_count);
    uint32_t place;
    enum status status = known ? OK : ERR_MEMORY;
    for (size_t q = 0; q < found_on->query_count && status == OK; q++)
        status = map_put(known,
                         (struct str){(const char *)&found_on->queries[q].text_hash,
                                      sizeof(found_on->queries[q].text_hash)},
                         (uint32_t)q);
    for (size_t q = 0; q < d->query_count && status == OK; q++)
        *ret += map_get(
            known,
            (struct str){(const char *)&d->queries[q].text_hash, sizeof(d->queries[q].text_hash)},
            &place);
    map_free(known);
    return status == OK ? OK : error_set(err, status, "out of memory");
}

/* The topic of each query; topic_count where there is none. */
static uint32_t *topics_of(const struct gaps *g, const struct dataset *d, struct arena *a)
{
    uint32_t *of = ARENA_ARRAY(a, d->query_count, uint32_t);
    for (size_t q = 0; of && q < d->query_count; q++) {
        size_t topic = topics_assign(&g->set, &d->queries[q]);
        of[q] = (uint32_t)(topic == SIZE_MAX ? g->topic_count : topic);
    }
    return of;
}

static void again_fill(const struct score_set *s, const uint32_t *topic_of, struct again_sums *sums,
                       struct gaps *g)
{
    struct again_sums all = {0};
    for (size_t q = 0; q < s->d->query_count; q++) {
        bool placed = topic_of[q] < g->topic_count;
        again_add(&all, s, q);
        g->again_unplaced += !placed;
        if (placed)
            again_add(&sums[g->place[topic_of[q]]], s, q);
    }
    for (size_t t = 0; t < g->topic_count; t++)
        again_figures(&sums[t], &all, &g->topics[t].again);
    g->again.queries = s->d->query_count;
    g->again.achieved = again_mean(&all);
}

enum status gaps_again(const struct model *m, const struct dataset *d,
                       const struct gaps_options *options, struct arena *a, struct gaps *g,
                       struct error *err)
{
    struct score_pool pool;
    struct score_set s;
    struct again_sums *sums = ARENA_ARRAY(a, g->topic_count, struct again_sums);
    uint32_t *topic_of = topics_of(g, d, a);
    if (!sums || (d->query_count && !topic_of))
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = score_pool_find(m, d, options->experts, a, &pool, err);
    if (status == OK)
        status = score_queries(m, d, &pool, options->progress, options->arg, a, &s, err);
    if (status == OK)
        status = score_seen(&s, topic_of, g->topic_count + 1, false, a, err);
    if (status == OK)
        status = texts_known(g->scores.d, d, &g->again_known, err);
    if (status == OK)
        again_fill(&s, topic_of, sums, g);
    return status;
}
