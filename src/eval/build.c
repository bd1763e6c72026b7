/* A model and a data set become one table: what was predicted beside what came of it. Estimates are made by the
 * function that route and the gateway call, on the data set's prompts; nothing is learnt and nothing is asked. The
 * table lives in the caller's arena and points into model and data set, which must stay. Only queries count where
 * everything that is compared was recorded, so that no expert is measured on easier ones. */
#include "eval/build.h"

#include "base/check.h"
#include "eval/plan_columns.h"
#include "judge/answer_table.h"
#include "plan/plan_filter.h"

/* The columns of the table: the pool, then the reference where it is not among them, then plans over the pool. */
struct columns {
    size_t data[DATASET_EXPERTS_MAX + 1];  /* index in the data set */
    size_t model[DATASET_EXPERTS_MAX + 1]; /* index in the model; SIZE_MAX outside the pool */
    size_t count;                          /* of single experts */
    struct plan_column plans[MODEL_PLANS_MAX];
    size_t plan_count;
    struct answer_table answers; /* cells NULL: no plans */
};

static size_t columns_all(const struct columns *c)
{
    return c->count + c->plan_count;
}

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
    enum status status = dataset_expert_list(d, experts, c->data, &c->count, err);
    if (status != OK)
        return status;
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

bool eval_has_outcomes(const struct dataset *d, size_t expert)
{
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, expert);
        if (o->known && o->cost_known)
            return true;
    }
    return false;
}

double eval_mean_score(const struct dataset *d, size_t expert)
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
            if (eval_mean_score(d, c->data[i]) > eval_mean_score(d, c->data[at]))
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

/* Plans */

/* The column of an expert of the model; SIZE_MAX when it is not in the pool. */
static size_t column_of(const struct columns *c, size_t expert)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->model[i] == expert)
            return i;
    return SIZE_MAX;
}

/* Reads what the pool answered; *ret_any: there are texts at all. */
static enum status answers_read(struct dataset *d, struct columns *c, struct arena *a,
                                bool *ret_any, struct error *err)
{
    size_t found = 0;
    enum status status = answer_table_classify(d, c->data, c->count, NULL, NULL, &found, err);
    *ret_any = found > 0;
    if (status == OK && found)
        status = answer_table_read(&d, 1, d, c->data, c->count, a, &c->answers, err);
    return status;
}

static bool has_texts(const struct dataset *d, const struct columns *c, size_t column)
{
    for (size_t q = 0; c->answers.cells && q < d->query_count; q++)
        if (c->answers.cells[q * d->expert_count + c->data[column]].present)
            return true;
    return false;
}

/* Takes the plan's column unless a member is without texts. */
static bool plan_take(const struct model *m, const struct dataset *d, struct columns *c, size_t arm)
{
    const struct plan *p = model_arm_at(m, arm);
    struct plan_column column = {.arm = arm};
    for (size_t i = 0; i < p->member_count; i++) {
        column.members[i] = column_of(c, p->members[i]);
        if (!has_texts(d, c, column.members[i]))
            return false;
    }
    c->plans[c->plan_count++] = column;
    return true;
}

static enum status plans_find(const struct model *m, struct dataset *d, struct columns *c,
                              const char *patterns, struct arena *a, struct eval_set *set,
                              struct error *err)
{
    bool use[MODEL_ARMS_MAX] = {false}, any = false;
    size_t experts = model_expert_count(m);
    for (size_t e = 0; e < experts; e++)
        use[e] = column_of(c, e) != SIZE_MAX;
    enum status status = plan_filter_apply(m, str_from(patterns), use, err);
    for (size_t i = experts; i < model_arm_count(m); i++)
        any |= use[i];
    if (status != OK || !any)
        return status;
    status = answers_read(d, c, a, &any, err);
    for (size_t i = experts; i < model_arm_count(m) && status == OK; i++)
        if (use[i] && !plan_take(m, d, c, i))
            set->plans_without_texts++;
    return status;
}

/* Leaves out the queries on which a plan's member has no text; returns how many are left. */
static size_t keep_with_texts(const struct dataset *d, const struct columns *c, uint32_t *queries,
                              size_t count, const struct model *m)
{
    size_t kept = 0;
    for (size_t k = 0; k < count; k++) {
        bool present = true;
        for (size_t i = 0; i < c->plan_count; i++)
            for (size_t j = 0; j < model_arm_at(m, c->plans[i].arm)->member_count; j++) {
                size_t e = c->data[c->plans[i].members[j]];
                present &= c->answers.cells[queries[k] * d->expert_count + e].present;
            }
        if (present)
            queries[kept++] = queries[k];
    }
    return kept;
}

static void plan_names(const struct model *m, const struct columns *c, struct str *names,
                       bool *pool, struct eval_plan *plans)
{
    for (size_t i = 0; i < c->count; i++)
        plans[i] = (struct eval_plan){.kind = PLAN_SINGLE, .member_count = 1, .members = {i}};
    for (size_t i = 0; i < c->plan_count; i++) {
        const struct plan *p = model_arm_at(m, c->plans[i].arm);
        struct eval_plan *to = &plans[c->count + i];
        *to = (struct eval_plan){.kind = p->kind, .member_count = p->member_count};
        for (size_t k = 0; k < p->member_count; k++)
            to->members[k] = c->plans[i].members[k];
        names[c->count + i] = p->name;
        pool[c->count + i] = true;
    }
}

/* The table */

static enum status shared_sd_fill(const struct model *m, struct arena *a, struct eval_set *set,
                                  struct error *err)
{
    float *shared_sd = ARENA_ARRAY(a, set->table.queries + 1, float);
    if (!shared_sd)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < set->table.queries; q++)
        shared_sd[q] = model_shared_sd(m);
    set->shared_sd = shared_sd;
    return OK;
}

static enum status table_alloc(const struct model *m, const struct dataset *d,
                               const struct columns *c, struct arena *a, struct eval_set *set,
                               struct error *err)
{
    struct eval_table *t = &set->table;
    size_t all = columns_all(c), cells = t->queries * all;
    struct str *names = ARENA_ARRAY(a, all, struct str);
    bool *pool = ARENA_ARRAY(a, all, bool);
    struct eval_plan *plans = ARENA_ARRAY(a, all, struct eval_plan);
    t->estimates = set->estimates = ARENA_ARRAY(a, cells, struct estimate);
    t->outcomes = set->outcomes = ARENA_ARRAY(a, cells, struct outcome);
    set->runs = ARENA_ARRAY(a, cells, struct eval_run);
    if (!names || !pool || !plans || (cells && (!t->estimates || !t->outcomes || !set->runs)))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < c->count; i++) {
        names[i] = d->experts[c->data[i]].name;
        pool[i] = c->model[i] != SIZE_MAX;
    }
    plan_names(m, c, names, pool, plans);
    t->names = names;
    t->pool = pool;
    t->plans = c->plan_count ? plans : NULL;
    t->runs = c->plan_count ? set->runs : NULL;
    return OK;
}

static void row_fill(const struct model *m, const struct dataset *d, size_t query,
                     const struct columns *c, const struct features *f, const struct estimate *all,
                     struct eval_set *set, size_t at)
{
    struct estimate *estimates = &set->estimates[at];
    struct outcome *outcomes = &set->outcomes[at];
    const struct answer_cell *cells[DATASET_EXPERTS_MAX + 1] = {NULL};
    for (size_t i = 0; i < c->count; i++) {
        outcomes[i] = *dataset_outcome(d, query, c->data[i]);
        if (c->model[i] != SIZE_MAX)
            estimates[i] = all[c->model[i]];
        if (c->plan_count)
            cells[i] = &c->answers.cells[query * d->expert_count + c->data[i]];
    }
    for (size_t k = 0; k < c->plan_count; k++) {
        estimates[c->count + k] = all[c->plans[k].arm];
        plan_column_run(m, &c->plans[k], (float)f->characters, d->queries[query].choice_count,
                        estimates, outcomes, cells, &outcomes[c->count + k],
                        &set->runs[at + c->count + k]);
    }
}

static enum status table_fill(const struct model *m, const struct dataset *d,
                              const struct columns *c, struct eval_set *set, struct error *err)
{
    struct estimate all[MODEL_ARMS_MAX];
    struct features f;
    CHECK(model_arm_count(m) <= MODEL_ARMS_MAX);
    enum status status = features_init(&f, err);
    if (status != OK)
        return status;
    for (size_t row = 0; row < set->table.queries; row++) {
        const struct query *q = &d->queries[set->query_index[row]];
        status = model_estimate_text(m, q->prompt, &f, all, err);
        if (status != OK)
            break;
        row_fill(m, d, set->query_index[row], c, &f, all, set, row * columns_all(c));
        set->trained_on += model_trained_on(m, q->text_hash);
    }
    features_done(&f);
    return status;
}

/* One piece: each step wants the one before, and nothing is given out before all have worked. */
enum status eval_set_build(const struct model *m, struct dataset *d, const struct eval_pool *p,
                           struct arena *a, struct eval_set *ret, struct error *err)
{
    struct columns *c = ARENA_NEW(a, struct columns);
    uint32_t *queries = ARENA_ARRAY(a, d->query_count, uint32_t);
    struct eval_set set = {.query_index = queries};
    if (!c || (d->query_count && !queries))
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status =
        p->experts ? pool_named(m, d, p->experts, c, err) : pool_shared(m, d, c, err);
    if (status == OK)
        status = reference_find(d, p->reference, c, &set.table.reference, err);
    if (status == OK)
        status = plans_find(m, d, c, p->plans, a, &set, err);
    if (status != OK)
        return status;
    set.table.experts = columns_all(c);
    set.table.queries = eval_known_queries(d, c->data, c->count, queries);
    set.table.queries = keep_with_texts(d, c, queries, set.table.queries, m);
    set.left_out = d->query_count - set.table.queries;
    status = table_alloc(m, d, c, a, &set, err);
    if (status == OK)
        status = table_fill(m, d, c, &set, err);
    if (status == OK)
        status = shared_sd_fill(m, a, &set, err);
    if (status == OK)
        *ret = set;
    return status;
}
