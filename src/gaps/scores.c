/* Estimates by the function that route and the gateway call, choices by decide(): what is called achieved here is what
 * a policy of lambda 0 would have got. On queries that the model was trained on, the choice is made again from what is
 * recorded of the others.
 *
 * One thread, no network. Nothing is learnt, and the data set is not changed. */
#include "gaps/scores.h"

#include "base/check.h"
#include "plan/decide.h"

#define SEEN_PRIOR 50.0 /* queries of a group that an expert's mean over all counts for */

/* The pool */

struct pool_list {
    struct str names[MODEL_EXPERTS_MAX];
    size_t in_model[MODEL_EXPERTS_MAX], in_data[MODEL_EXPERTS_MAX];
    size_t count;
};

static void pool_add(struct pool_list *p, const struct model *m, const struct dataset *d,
                     size_t expert)
{
    struct str name = model_expert_at(m, expert)->name;
    p->in_model[p->count] = expert;
    p->in_data[p->count] = d->outcomes ? dataset_expert_index(d, name) : SIZE_MAX;
    p->names[p->count++] = name;
}

static bool pool_has(const struct pool_list *p, size_t expert)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->in_model[i] == expert)
            return true;
    return false;
}

static enum status pool_named(struct pool_list *p, const struct model *m, const struct dataset *d,
                              const char *experts, struct error *err)
{
    for (struct str rest = str_from(experts); rest.len > 0;) {
        struct str name = str_trim(str_split(&rest, ','));
        size_t expert = model_expert_index(m, name);
        if (expert == SIZE_MAX || model_expert_at(m, expert)->hidden)
            return model_expert_unknown(m, name, err);
        if (!pool_has(p, expert))
            pool_add(p, m, d, expert);
    }
    return p->count ? OK : error_set(err, ERR_INPUT, "no expert is named");
}

/* All of the model; where there are outcomes, those that have some. */
static enum status pool_shared(struct pool_list *p, const struct model *m, const struct dataset *d,
                               struct error *err)
{
    for (size_t e = 0; e < model_expert_count(m); e++) {
        const struct model_expert *x = model_expert_at(m, e);
        if (!x->hidden && (!d->outcomes || dataset_expert_index(d, x->name) != SIZE_MAX))
            pool_add(p, m, d, e);
    }
    if (p->count == 0)
        return error_set(err, ERR_INPUT, "the model and %.*s have no expert in common",
                         STR_FMT(d->path));
    return OK;
}

enum status score_pool_find(const struct model *m, const struct dataset *d, const char *experts,
                            struct arena *a, struct score_pool *ret, struct error *err)
{
    struct pool_list *p = ARENA_NEW(a, struct pool_list);
    if (!p)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = experts ? pool_named(p, m, d, experts, err) : pool_shared(p, m, d, err);
    if (status == OK)
        *ret = (struct score_pool){p->count, p->names, p->in_model, p->in_data};
    return status;
}

/* Queries */

const struct outcome *score_outcome(const struct score_set *s, size_t query, size_t expert)
{
    if (s->pool.in_data[expert] == SIZE_MAX)
        return NULL;
    const struct outcome *o = dataset_outcome(s->d, query, s->pool.in_data[expert]);
    return o->known ? o : NULL;
}

double score_value(const struct score_set *s, size_t query, size_t expert)
{
    double estimate = (double)s->quality[query * s->pool.count + expert];
    const struct outcome *o = score_outcome(s, query, expert);
    if (!o)
        return estimate;
    double confidence = (double)outcome_confidence(o);
    return confidence * (double)o->score + (1 - confidence) * estimate;
}

/* The arm of the best estimate, ties to the cheaper; `but` is left out. */
static enum status choose(const struct estimate *estimates, size_t count, size_t but, uint32_t *ret,
                          struct error *err)
{
    bool eligible[MODEL_EXPERTS_MAX];
    const struct policy quality_alone = {0};
    struct decision decision;
    for (size_t e = 0; e < count; e++)
        eligible[e] = e != but;
    enum status status = decide(&quality_alone, 0, estimates, eligible, count, &decision, err);
    if (status == OK)
        *ret = (uint32_t)decision.arm;
    return status;
}

/* What follows from the choice of x->expert and x->next. */
static void query_fill(struct score_set *s, size_t q)
{
    struct score_query *x = &s->queries[q];
    x->recorded = score_outcome(s, q, x->expert) != NULL;
    x->compared = false;
    x->achieved = x->best = x->recorded ? (float)score_value(s, q, x->expert) : x->estimate;
    x->without = x->next == x->expert           ? 0
                 : score_outcome(s, q, x->next) ? (float)score_value(s, q, x->next)
                                                : x->next_estimate;
    for (size_t e = 0; e < s->pool.count; e++) {
        if (e == x->expert || !score_outcome(s, q, e))
            continue;
        double value = score_value(s, q, e);
        x->compared |= x->recorded;
        x->best = value > (double)x->best ? (float)value : x->best;
    }
    s->missed[q] = 1 - x->achieved;
    s->noise[q] = x->recorded ? 0 : x->estimate * (1 - x->estimate);
}

static enum status query_score(struct score_set *s, size_t q, const struct estimate *estimates,
                               struct error *err)
{
    struct score_query *x = &s->queries[q];
    size_t count = s->pool.count;
    enum status status = choose(estimates, count, SIZE_MAX, &x->expert, err);
    x->next = x->expert;
    if (status == OK && count > 1)
        status = choose(estimates, count, x->expert, &x->next, err);
    if (status != OK)
        return status;
    x->expected = x->estimate = estimates[x->expert].quality;
    x->next_estimate = estimates[x->next].quality;
    query_fill(s, q);
    s->recorded += x->recorded;
    return OK;
}

static bool any_recorded(const struct score_set *s, size_t q)
{
    for (size_t e = 0; e < s->pool.count; e++)
        if (score_outcome(s, q, e))
            return true;
    return false;
}

static enum status score_one(const struct model *m, struct score_set *s, size_t q,
                             struct features *f, struct estimate *all, struct error *err)
{
    struct estimate estimates[MODEL_EXPERTS_MAX];
    const struct query *query = &s->d->queries[q];
    enum status status = model_estimate_text(m, query->prompt, f, all, err);
    if (status != OK)
        return status;
    for (size_t e = 0; e < s->pool.count; e++) {
        estimates[e] = all[s->pool.in_model[e]];
        s->quality[q * s->pool.count + e] = estimates[e].quality;
    }
    bool trained_on = model_trained_on(m, query->text_hash);
    s->trained_on += trained_on;
    s->queries[q].seen = trained_on && any_recorded(s, q);
    s->seen += s->queries[q].seen;
    return query_score(s, q, estimates, err);
}

static enum status score_all(const struct model *m, struct score_set *s, score_progress *progress,
                             void *arg, struct error *err)
{
    struct estimate all[MODEL_ARMS_MAX];
    struct features f;
    CHECK(model_arm_count(m) <= MODEL_ARMS_MAX);
    enum status status = features_init(&f, err);
    if (status != OK)
        return status;
    for (size_t q = 0; q < s->d->query_count && status == OK; q++) {
        status = score_one(m, s, q, &f, all, err);
        if (progress)
            progress(q + 1, arg);
    }
    features_done(&f);
    return status;
}

enum status score_queries(const struct model *m, const struct dataset *d,
                          const struct score_pool *pool, score_progress *progress, void *arg,
                          struct arena *a, struct score_set *ret, struct error *err)
{
    size_t n = d->query_count;
    struct score_set s = {.d = d,
                          .pool = *pool,
                          .queries = ARENA_ARRAY(a, n, struct score_query),
                          .quality = ARENA_ARRAY(a, n * pool->count, float),
                          .missed = ARENA_ARRAY(a, n, float),
                          .noise = ARENA_ARRAY(a, n, float)};
    if (n && (!s.queries || !s.quality || !s.missed || !s.noise))
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = score_all(m, &s, progress, arg, err);
    if (status == OK)
        *ret = s;
    return status;
}

/* Queries that the model was trained on */

/* What is recorded of a group, or of all. */
struct worth {
    double *sums, *counts; /* [pool] */
};

struct seen {
    struct score_set *scores;
    struct worth *groups, all;
    double *estimates; /* [pool] means over all queries, for experts that nothing is recorded of */
};

/* Adds a query, or takes it out. */
static void worth_add(const struct score_set *s, size_t q, double times, struct worth *w)
{
    for (size_t e = 0; e < s->pool.count; e++) {
        if (!score_outcome(s, q, e))
            continue;
        w->sums[e] += times * score_value(s, q, e);
        w->counts[e] += times;
    }
}

/* Few queries of a group tell less than all do. */
static double worth_of(const struct seen *s, const struct worth *group, size_t e)
{
    double prior = s->all.counts[e] > 0.5 ? s->all.sums[e] / s->all.counts[e] : s->estimates[e];
    return (group->sums[e] + SEEN_PRIOR * prior) / (group->counts[e] + SEEN_PRIOR);
}

static void choose_worth(const struct seen *s, const struct worth *group, struct score_query *x)
{
    x->estimate = x->next_estimate = -1;
    x->expert = x->next = 0;
    for (size_t e = 0; e < s->scores->pool.count; e++) {
        float worth = (float)worth_of(s, group, e);
        if (worth > x->estimate) {
            x->next = x->expert;
            x->next_estimate = x->estimate;
            x->expert = (uint32_t)e;
            x->estimate = worth;
        } else if (worth > x->next_estimate) {
            x->next = (uint32_t)e;
            x->next_estimate = worth;
        }
    }
}

/* Chooses by all queries but q itself. */
static void seen_query(struct seen *s, size_t q, bool keep_expected, struct worth *group)
{
    struct score_query *x = &s->scores->queries[q];
    worth_add(s->scores, q, -1, group);
    worth_add(s->scores, q, -1, &s->all);
    choose_worth(s, group, x);
    if (!keep_expected)
        x->expected = x->estimate;
    query_fill(s->scores, q);
    worth_add(s->scores, q, 1, group);
    worth_add(s->scores, q, 1, &s->all);
}

static enum status seen_init(struct seen *s, size_t groups, struct arena *a, struct error *err)
{
    size_t pool = s->scores->pool.count, n = s->scores->d->query_count;
    double *cells = ARENA_ARRAY(a, (2 * groups + 3) * pool, double);
    s->groups = ARENA_ARRAY(a, groups, struct worth);
    if (!cells || !s->groups)
        return error_set(err, ERR_MEMORY, "out of memory");
    s->estimates = cells;
    s->all = (struct worth){cells + pool, cells + 2 * pool};
    for (size_t g = 0; g < groups; g++)
        s->groups[g] = (struct worth){cells + (2 * g + 3) * pool, cells + (2 * g + 4) * pool};
    for (size_t i = 0; i < n * pool; i++)
        s->estimates[i % pool] += (double)s->scores->quality[i] / (double)n;
    return OK;
}

enum status score_seen(struct score_set *s, const uint32_t *group_of, size_t groups,
                       bool keep_expected, struct arena *a, struct error *err)
{
    struct seen seen = {.scores = s};
    enum status status = s->seen ? seen_init(&seen, groups, a, err) : OK;
    if (status != OK || !s->seen)
        return status;
    for (size_t q = 0; q < s->d->query_count; q++) {
        worth_add(s, q, 1, &seen.groups[group_of[q]]);
        worth_add(s, q, 1, &seen.all);
    }
    s->recorded = 0;
    for (size_t q = 0; q < s->d->query_count; q++) {
        if (s->queries[q].seen)
            seen_query(&seen, q, keep_expected, &seen.groups[group_of[q]]);
        s->recorded += s->queries[q].recorded;
    }
    return OK;
}
