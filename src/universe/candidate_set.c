/* See candidate_set.h. Two walks over the data set's matrix: which questions everybody has a score of, then their
 * scores and costs, laid out question by question as the searches read them. One thread, before the work; nothing of
 * the data set is changed, and what is made is read only from then on. */
#include "universe/candidate_set.h"

#include <math.h>

#include "base/check.h"

struct str candidate_name(const struct candidates *c, size_t candidate)
{
    CHECK(candidate < c->count);
    return c->d->experts[c->expert[candidate]].name;
}

size_t candidate_index(const struct candidates *c, struct str name)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_equal(candidate_name(c, i), name))
            return i;
    return SIZE_MAX;
}

static const struct outcome *outcome_of(const struct candidates *c, size_t query, size_t candidate)
{
    return dataset_outcome(c->d, query, c->expert[candidate]);
}

static enum status take_experts(struct candidates *c, const char *names, struct error *err)
{
    if (names)
        return dataset_expert_list(c->d, names, c->expert, &c->count, err);
    c->count = c->d->expert_count;
    for (size_t e = 0; e < c->count; e++)
        c->expert[e] = e;
    return OK;
}

static bool all_known(const struct candidates *c, size_t query)
{
    for (size_t i = 0; i < c->count; i++)
        if (!outcome_of(c, query, i)->known)
            return false;
    return true;
}

/* Names whoever stands in the way most. */
static enum status say_none(const struct candidates *c, struct error *err)
{
    size_t fewest = 0, count = SIZE_MAX;
    for (size_t i = 0; i < c->count; i++) {
        size_t known = 0;
        for (size_t q = 0; q < c->d->query_count; q++)
            known += outcome_of(c, q, i)->known;
        if (known < count) {
            count = known;
            fewest = i;
        }
    }
    struct str name = candidate_name(c, fewest);
    return error_set(err, ERR_INPUT,
                     "%.*s: no question has a known score of all %zu candidates; '%.*s' has fewest "
                     "(%zu of %zu questions): name the others by --experts",
                     STR_FMT(c->d->path), c->count, STR_FMT(name), count, c->d->query_count);
}

static enum status take_rows(struct candidates *c, struct arena *a, struct error *err)
{
    c->query = ARENA_ARRAY(a, c->d->query_count, uint32_t);
    if (!c->query)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < c->d->query_count; q++)
        if (all_known(c, q))
            c->query[c->rows++] = (uint32_t)q;
    return c->rows ? OK : say_none(c, err);
}

/* Mean over the costs that are known, and that of 1,000. */
static int64_t cost_per_1k(const struct candidates *c, size_t candidate)
{
    double sum = 0;
    size_t known = 0;
    for (size_t r = 0; r < c->rows; r++) {
        const struct outcome *o = outcome_of(c, c->query[r], candidate);
        sum += o->cost_known ? (double)o->cost_nano_usd : 0;
        known += o->cost_known;
    }
    if (!known)
        return CANDIDATE_COST_UNKNOWN;
    return (int64_t)fmin(round(sum * 1000 / (double)known), CANDIDATE_COST_UNKNOWN - 1);
}

static enum status take_scores(struct candidates *c, struct arena *a, struct error *err)
{
    c->scores = ARENA_ARRAY(a, c->rows * c->count, uint16_t);
    if (!c->scores)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < c->count; i++) {
        double sum = 0;
        for (size_t r = 0; r < c->rows; r++) {
            double score = (double)outcome_of(c, c->query[r], i)->score;
            c->scores[r * c->count + i] = (uint16_t)lround(score * SCORE_ONE);
            sum += score;
        }
        c->score[i] = sum / (double)c->rows;
        c->cost_nano_usd[i] = cost_per_1k(c, i);
    }
    return OK;
}

static uint32_t domain_take(struct candidates *c, struct str name)
{
    for (size_t i = 0; i < c->domains; i++)
        if (str_equal(c->domain[i], name))
            return (uint32_t)i;
    c->domain[c->domains] = name;
    return (uint32_t)c->domains++;
}

/* A domain that no question names is none. */
static enum status take_domains(struct candidates *c, struct arena *a, struct error *err)
{
    c->domain = ARENA_ARRAY(a, c->rows, struct str);
    c->domain_of = ARENA_ARRAY(a, c->rows, uint32_t);
    if (!c->domain || !c->domain_of)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t r = 0; r < c->rows; r++)
        c->domain_of[r] = domain_take(c, c->d->queries[c->query[r]].domain);
    if (c->domains == 1 && c->domain[0].len == 0)
        c->domains = 0;
    return OK;
}

enum status candidates_build(const struct dataset *d, const char *names, struct arena *a,
                             struct candidates *ret, struct error *err)
{
    struct candidates c = {.d = d};
    if (!d->outcomes || d->query_count == 0 || d->expert_count == 0)
        return error_set(err, ERR_INPUT, "%.*s has no outcomes to choose by", STR_FMT(d->path));
    enum status status = take_experts(&c, names, err);
    if (status == OK)
        status = take_rows(&c, a, err);
    if (status == OK)
        status = take_scores(&c, a, err);
    if (status == OK)
        status = take_domains(&c, a, err);
    if (status == OK)
        *ret = c;
    return status;
}
