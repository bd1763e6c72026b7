/* The folds of a cross-validation as one table. Experts are the same in every fold; plans are not, because each fold's
 * training finds its own and cuts them at its own places. So plans of equal members are a family, a fold's plans of a
 * family stand in the order of how often they ask the last member, and the first of each fold share a column, the
 * second, and so on.
 *
 * Pure: it reads the folds and writes to the arena. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "eval/folds_int.h"
#include "predict/arm.h"
#include "predict/plan_set.h"

#define FAMILIES_MAX (FOLDS_MAX * PLANS_MAX)

struct family {
    struct eval_plan plan; /* columns are the same in every fold, as members are single experts */
    size_t counts[FOLDS_MAX];
    size_t columns[FOLDS_MAX][PLANS_MAX]; /* of the fold, by how often the last is asked */
};

struct merge {
    const struct fold *folds;
    size_t fold_count, singles;
    struct family *families; /* [FAMILIES_MAX] */
    size_t family_count;
    struct eval_table table;
    struct estimate *estimates;
    struct outcome *outcomes;
    struct eval_run *runs;
    uint32_t *query_index;
    float *shared_sd;
    struct str *names;
    bool *pool;
    struct eval_plan *plans;
    /* Of the fold, by column of the whole; SIZE_MAX: the fold has no such plan. */
    size_t (*column)[FOLDS_MAX];
};

/* Families */

static bool same_members(const struct eval_plan *a, const struct eval_plan *b)
{
    if (a->kind != b->kind || a->member_count != b->member_count)
        return false;
    return !memcmp(a->members, b->members, a->member_count * sizeof(a->members[0]));
}

static struct family *family_of(struct merge *m, const struct eval_plan *p)
{
    for (size_t i = 0; i < m->family_count; i++)
        if (same_members(&m->families[i].plan, p))
            return &m->families[i];
    CHECK(m->family_count < FAMILIES_MAX);
    m->families[m->family_count].plan = *p;
    return &m->families[m->family_count++];
}

/* On how many of the fold's queries the plan asks its last member. */
static size_t asks_last(const struct eval_table *t, size_t column)
{
    unsigned last = 1u << (t->plans[column].member_count - 1);
    size_t asked = 0;
    for (size_t q = 0; q < t->queries; q++)
        asked += (eval_plan_run(t, q, column)->calls & last) != 0;
    return asked;
}

static void family_add(struct family *f, size_t fold, const struct eval_table *t, size_t column)
{
    size_t *columns = f->columns[fold], at = f->counts[fold]++;
    CHECK(at < PLANS_MAX);
    for (; at > 0 && asks_last(t, columns[at - 1]) > asks_last(t, column); at--)
        columns[at] = columns[at - 1];
    columns[at] = column;
}

static void families_find(struct merge *m)
{
    for (size_t f = 0; f < m->fold_count; f++) {
        const struct eval_table *t = &m->folds[f].set.table;
        CHECK(eval_single_count(t) == m->singles);
        for (size_t c = m->singles; c < t->experts; c++)
            family_add(family_of(m, &t->plans[c]), f, t, c);
    }
}

/* Columns */

/* A fold with fewer plans of the family takes its last one again. */
static size_t column_in(const struct family *f, size_t fold, size_t rank)
{
    size_t count = f->counts[fold];
    if (!count)
        return SIZE_MAX;
    return f->columns[fold][rank < count ? rank : count - 1];
}

/* The share of all queries on which the column asks the plan's last member. */
static double share_of(const struct merge *m, const struct family *f, size_t rank)
{
    double asked = 0, queries = 0;
    for (size_t i = 0; i < m->fold_count; i++) {
        const struct eval_table *t = &m->folds[i].set.table;
        size_t column = column_in(f, i, rank);
        asked += (double)(column == SIZE_MAX ? t->queries : asks_last(t, column));
        queries += (double)t->queries;
    }
    return queries > 0 ? asked / queries : 0;
}

static enum status plan_name(const struct merge *m, const struct family *f, size_t rank,
                             struct arena *a, struct str *ret, struct error *err)
{
    struct plan p = {.kind = f->plan.kind,
                     .rule = PLAN_TRUST,
                     .member_count = f->plan.member_count,
                     .share = (float)share_of(m, f, rank)};
    struct buf name;
    memcpy(p.members, f->plan.members, sizeof(p.members));
    buf_init(&name, 4096);
    plan_name_add(&name, &p, m->names);
    for (size_t i = m->singles; i < m->table.experts; i++)
        if (str_equal(m->names[i], buf_str(&name)))
            buf_addf(&name, " (%zu)", rank + 1); /* to a percent the same as one before */
    enum status status = buf_status(&name, err);
    if (status == OK) {
        *ret = arena_copy(a, buf_str(&name));
        if (!ret->ptr)
            status = error_set(err, ERR_MEMORY, "out of memory");
    }
    buf_done(&name);
    return status;
}

static size_t columns_max(const struct merge *m)
{
    size_t all = m->singles + FAMILIES_MAX;
    return all < MODEL_ARMS_MAX ? all : MODEL_ARMS_MAX;
}

static enum status family_columns(struct merge *m, const struct family *f, struct arena *a,
                                  struct error *err)
{
    size_t most = 0;
    for (size_t i = 0; i < m->fold_count; i++)
        most = f->counts[i] > most ? f->counts[i] : most;
    for (size_t rank = 0; rank < most && m->table.experts < columns_max(m); rank++) {
        size_t at = m->table.experts;
        enum status status = plan_name(m, f, rank, a, &m->names[at], err);
        if (status != OK)
            return status;
        m->pool[at] = true;
        m->plans[at] = f->plan;
        for (size_t i = 0; i < m->fold_count; i++)
            m->column[at][i] = column_in(f, i, rank);
        m->table.experts++;
    }
    return OK;
}

static size_t folds_with(const struct family *f, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += f->counts[i] > 0;
    return n;
}

/* Singles first, then the families that most folds have. */
static enum status columns_make(struct merge *m, struct arena *a, struct error *err)
{
    const struct eval_table *first = &m->folds[0].set.table;
    for (size_t i = 0; i < m->singles; i++) {
        m->names[i] = first->names[i];
        m->pool[i] = eval_in_pool(first, i);
        m->plans[i] = (struct eval_plan){.kind = PLAN_SINGLE, .member_count = 1, .members = {i}};
        for (size_t f = 0; f < m->fold_count; f++)
            m->column[i][f] = i;
    }
    m->table.experts = m->singles;
    m->table.reference = first->reference;
    enum status status = OK;
    for (size_t folds = m->fold_count; folds > 0; folds--)
        for (size_t i = 0; i < m->family_count && status == OK; i++)
            if (folds_with(&m->families[i], m->fold_count) == folds)
                status = family_columns(m, &m->families[i], a, err);
    return status;
}

/* Cells */

/* In a fold without the plan, its column is the plan's last member, which is a way to answer as well. */
static void cell_without_plan(struct merge *m, const struct eval_table *t, size_t q,
                              const struct eval_plan *p, size_t at)
{
    size_t last = p->members[p->member_count - 1];
    m->estimates[at] = *eval_estimate(t, q, last);
    m->estimates[at].escalation = 1;
    m->outcomes[at] = *eval_outcome(t, q, last);
    m->runs[at] = (struct eval_run){.calls = (uint8_t)(1u << (p->member_count - 1)),
                                    .winner = (uint8_t)(p->member_count - 1)};
}

static void row_fill(struct merge *m, size_t fold, size_t q, size_t row)
{
    const struct eval_table *t = &m->folds[fold].set.table;
    for (size_t c = 0; c < m->table.experts; c++) {
        size_t from = m->column[c][fold], at = row * m->table.experts + c;
        if (from == SIZE_MAX) {
            cell_without_plan(m, t, q, &m->plans[c], at);
            continue;
        }
        m->estimates[at] = *eval_estimate(t, q, from);
        m->outcomes[at] = *eval_outcome(t, q, from);
        if (eval_is_plan(t, from))
            m->runs[at] = *eval_plan_run(t, q, from);
    }
}

static enum status cells_fill(struct merge *m, struct arena *a, struct error *err)
{
    struct eval_table *t = &m->table;
    size_t cells = t->queries * t->experts, row = 0;
    t->estimates = m->estimates = ARENA_ARRAY(a, cells + 1, struct estimate);
    t->outcomes = m->outcomes = ARENA_ARRAY(a, cells + 1, struct outcome);
    m->runs = ARENA_ARRAY(a, cells + 1, struct eval_run);
    m->query_index = ARENA_ARRAY(a, t->queries + 1, uint32_t);
    m->shared_sd = ARENA_ARRAY(a, t->queries + 1, float);
    if (!m->estimates || !m->outcomes || !m->runs || !m->query_index || !m->shared_sd)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t f = 0; f < m->fold_count; f++)
        for (size_t q = 0; q < m->folds[f].set.table.queries; q++, row++) {
            row_fill(m, f, q, row);
            m->query_index[row] = m->folds[f].rows[m->folds[f].set.query_index[q]];
            m->shared_sd[row] = m->folds[f].set.shared_sd[q];
        }
    t->names = m->names;
    t->pool = m->pool;
    t->plans = t->experts > m->singles ? m->plans : NULL;
    t->runs = t->plans ? m->runs : NULL;
    return OK;
}

static enum status merge_alloc(struct merge *m, struct arena *a, struct error *err)
{
    size_t columns = columns_max(m);
    m->families = ARENA_ARRAY(a, FAMILIES_MAX, struct family);
    m->names = ARENA_ARRAY(a, columns, struct str);
    m->pool = ARENA_ARRAY(a, columns, bool);
    m->plans = ARENA_ARRAY(a, columns, struct eval_plan);
    m->column = arena_array(a, columns, sizeof(*m->column));
    return m->families && m->names && m->pool && m->plans && m->column
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

/* One piece: sums over the folds, then the steps in their order; nothing is given out before all have worked. */
enum status folds_merge(const struct fold *folds, size_t count, struct arena *a,
                        struct eval_set *ret, struct error *err)
{
    struct merge m = {
        .folds = folds, .fold_count = count, .singles = eval_single_count(&folds[0].set.table)};
    struct eval_set set = {0};
    enum status status = merge_alloc(&m, a, err);
    if (status != OK)
        return status;
    for (size_t f = 0; f < count; f++) {
        m.table.queries += folds[f].set.table.queries;
        set.left_out += folds[f].set.left_out;
        set.plans_without_texts += folds[f].set.plans_without_texts;
    }
    families_find(&m);
    status = columns_make(&m, a, err);
    if (status == OK)
        status = cells_fill(&m, a, err);
    if (status != OK)
        return status;
    set.table = m.table;
    set.estimates = m.estimates;
    set.outcomes = m.outcomes;
    set.runs = m.runs;
    set.query_index = m.query_index;
    set.shared_sd = m.shared_sd;
    *ret = set;
    return OK;
}
