/* A model and a data set become one table: what was predicted beside what came of it. */
#include "eval/build.h"

#include "base/check.h"

/* The columns of the table: the pool, then the reference where it is not among them. */
struct columns {
    size_t data[DATASET_EXPERTS_MAX + 1];  /* index in the data set */
    size_t model[DATASET_EXPERTS_MAX + 1]; /* index in the model; SIZE_MAX outside the pool */
    size_t count;
};

size_t eval_known_queries(const struct dataset *d, const size_t *experts, size_t count,
                          uint32_t *queries)
{
    size_t n = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        bool known = true;
        for (size_t i = 0; i < count && known; i++) {
            const struct outcome *o = dataset_outcome(d, q, experts[i]);
            known = o->known && o->cost_known;
        }
        if (known)
            queries[n++] = (uint32_t)q;
    }
    return n;
}

static enum status pool_named(const struct model *m, const struct dataset *d, const char *experts,
                              struct columns *c, struct error *err)
{
    enum status st = dataset_expert_list(d, experts, c->data, &c->count, err);
    if (st != OK)
        return st;
    for (size_t i = 0; i < c->count; i++) {
        struct str name = d->experts[c->data[i]].name;
        c->model[i] = model_expert_index(m, name);
        if (c->model[i] == SIZE_MAX)
            return error_set(err, ERR_NOT_FOUND, "the model has no expert '%.*s'", STR_FMT(name));
    }
    return OK;
}

static enum status pool_shared(const struct model *m, const struct dataset *d, struct columns *c,
                               struct error *err)
{
    for (size_t e = 0; e < d->expert_count; e++) {
        size_t at = model_expert_index(m, d->experts[e].name);
        if (at == SIZE_MAX)
            continue;
        c->data[c->count] = e;
        c->model[c->count++] = at;
    }
    if (c->count == 0)
        return error_set(err, ERR_INPUT, "the model and %.*s have no expert in common",
                         STR_FMT(d->path));
    return OK;
}

/* Mean known score; the reference when none is named is the best by it. */
static double mean_score(const struct dataset *d, size_t expert)
{
    double sum = 0, count = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, expert);
        sum += o->known ? (double)o->score : 0;
        count += o->known;
    }
    return count > 0 ? sum / count : 0;
}

static enum status reference_find(const struct dataset *d, const char *name, struct columns *c,
                                  size_t *ret, struct error *err)
{
    size_t wanted = SIZE_MAX, at = 0;
    if (name) {
        wanted = dataset_expert_index(d, str_from(name));
        if (wanted == SIZE_MAX)
            return error_set(err, ERR_NOT_FOUND, "the reference '%s' is not in %.*s/experts.csv",
                             name, STR_FMT(d->path));
    } else {
        for (size_t i = 1; i < c->count; i++)
            if (mean_score(d, c->data[i]) > mean_score(d, c->data[at]))
                at = i;
        wanted = c->data[at];
    }
    for (at = 0; at < c->count && c->data[at] != wanted; at++)
        ;
    if (at == c->count) {
        c->data[c->count] = wanted;
        c->model[c->count++] = SIZE_MAX;
    }
    *ret = at;
    return OK;
}

static enum status table_alloc(const struct dataset *d, const struct columns *c, struct arena *a,
                               struct eval_set *set, struct error *err)
{
    struct eval_table *t = &set->table;
    struct str *names = ARENA_ARRAY(a, c->count, struct str);
    bool *pool = ARENA_ARRAY(a, c->count, bool);
    t->estimates = set->estimates = ARENA_ARRAY(a, t->queries * c->count, struct estimate);
    t->outcomes = set->outcomes = ARENA_ARRAY(a, t->queries * c->count, struct outcome);
    if (!names || !pool || (t->queries && (!t->estimates || !t->outcomes)))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < c->count; i++) {
        names[i] = d->experts[c->data[i]].name;
        pool[i] = c->model[i] != SIZE_MAX;
    }
    t->names = names;
    t->pool = pool;
    return OK;
}

static void row_fill(const struct dataset *d, size_t query, const struct columns *c,
                     const struct estimate *all, struct estimate *estimates,
                     struct outcome *outcomes)
{
    for (size_t i = 0; i < c->count; i++) {
        outcomes[i] = *dataset_outcome(d, query, c->data[i]);
        if (c->model[i] != SIZE_MAX)
            estimates[i] = all[c->model[i]];
    }
}

static enum status table_fill(const struct model *m, const struct dataset *d,
                              const uint32_t *queries, const struct columns *c,
                              struct eval_set *set, struct error *err)
{
    struct estimate all[MODEL_ARMS_MAX];
    struct features f;
    CHECK(model_expert_count(m) <= MODEL_EXPERTS_MAX);
    enum status st = features_init(&f, err);
    if (st != OK)
        return st;
    for (size_t row = 0; row < set->table.queries; row++) {
        const struct query *q = &d->queries[queries[row]];
        st = encode_text(model_encoder(m), q->prompt, &f, err);
        if (st != OK)
            break;
        model_estimate(m, &f, all);
        size_t at = row * c->count;
        row_fill(d, queries[row], c, all, &set->estimates[at], &set->outcomes[at]);
        set->trained_on += model_trained_on(m, q->text_hash);
    }
    features_done(&f);
    return st;
}

enum status eval_set_build(const struct model *m, const struct dataset *d, const char *experts,
                           const char *reference, struct arena *a, struct eval_set *ret,
                           struct error *err)
{
    struct columns c = {0};
    struct eval_set set = {0};
    enum status st = experts ? pool_named(m, d, experts, &c, err) : pool_shared(m, d, &c, err);
    if (st == OK)
        st = reference_find(d, reference, &c, &set.table.reference, err);
    if (st != OK)
        return st;
    uint32_t *queries = ARENA_ARRAY(a, d->query_count, uint32_t);
    if (!queries)
        return error_set(err, ERR_MEMORY, "out of memory");
    set.query_index = queries;
    set.table.experts = c.count;
    set.table.queries = eval_known_queries(d, c.data, c.count, queries);
    set.left_out = d->query_count - set.table.queries;
    st = table_alloc(d, &c, a, &set, err);
    if (st == OK)
        st = table_fill(m, d, queries, &c, &set, err);
    if (st == OK)
        *ret = set;
    return st;
}
