/* What evaluation works on: what was predicted and what was recorded, for every query and expert. Built by
 * `eval` from a model and a data set, by cross-validation from held-out folds, by tests from nothing.
 *
 * Both matrices are dense, row-major by query, and not owned here. Of an outcome only score and cost count; every
 * cell that takes part must be known (eval/build.h leaves out the queries where one is not). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "data/dataset.h"
#include "predict/model.h"
#include "predict/verified.h"

struct eval_table {
    size_t queries, experts; /* columns: single experts first, then plans over them, if any */
    const struct str *names; /* [experts] */
    /* [queries × experts]; those of experts outside the pool are never looked at. */
    const struct estimate *estimates;
    const struct outcome *outcomes; /* [queries × experts] */
    const bool *pool;               /* [experts]: which the router may choose; NULL: all */
    size_t reference;               /* the expert to compare with; need not be in the pool */
    /* Columns that are plans: */
    const struct eval_plan *plans; /* [experts]; NULL: every column is a single expert */
    const struct eval_run *runs; /* [queries × experts]: how each plan went; NULL without plans */
    const struct eval_verified
        *verified; /* of columns of kind PLAN_VERIFIED; NULL: there are none */
};

/* A column as a plan over other columns. Of a single expert member_count is 1, and members[0] its own column; of a
 * verified plan it is the most that it may ask. */
struct eval_plan {
    enum plan_kind kind;
    size_t member_count;
    size_t members[PLAN_MEMBERS_MAX]; /* columns; every query has its own of a verified plan */
};

#define EVAL_NOBODY UINT16_MAX

struct eval_verified {
    size_t first; /* of VERIFIED_PLANS_MAX columns, from each query's cheapest plan to its best */
    /* [queries × VERIFIED_PLANS_MAX × PLAN_MEMBERS_MAX] whom the plans ask, by place: columns, then EVAL_NOBODY */
    const uint16_t *members;
    /* What plans took the check for, on queries of one half and of the other: its errors on the other half. */
    struct verified_check believed[2];
};

struct eval_run {
    uint8_t calls;  /* bit i: members[i] was asked, and is paid */
    uint8_t winner; /* members[winner] answered */
    uint8_t check;  /* of a verified plan: enum plan_check of that answer */
};

static inline const struct estimate *eval_estimate(const struct eval_table *t, size_t q, size_t e)
{
    return &t->estimates[q * t->experts + e];
}

static inline const struct outcome *eval_outcome(const struct eval_table *t, size_t q, size_t e)
{
    return &t->outcomes[q * t->experts + e];
}

/* How plan `column` went; only where eval_is_plan. */
static inline const struct eval_run *eval_plan_run(const struct eval_table *t, size_t q,
                                                   size_t column)
{
    return &t->runs[q * t->experts + column];
}

/* The column that member i of plan `column` is; EVAL_NOBODY: a verified plan has fewer on this query. */
static inline size_t eval_plan_member(const struct eval_table *t, size_t q, size_t column, size_t i)
{
    const struct eval_plan *p = &t->plans[column];
    if (p->kind != PLAN_VERIFIED)
        return p->members[i];
    size_t at = q * VERIFIED_PLANS_MAX + column - t->verified->first;
    return t->verified->members[at * PLAN_MEMBERS_MAX + i];
}

/* How many members plan `column` has on this query. */
static inline size_t eval_plan_size(const struct eval_table *t, size_t q, size_t column)
{
    size_t count = t->plans[column].member_count, own = 0;
    while (own < count && eval_plan_member(t, q, column, own) != EVAL_NOBODY)
        own++;
    return own;
}

static inline bool eval_in_pool(const struct eval_table *t, size_t e)
{
    return !t->pool || t->pool[e];
}

static inline bool eval_is_plan(const struct eval_table *t, size_t column)
{
    return t->plans && t->plans[column].member_count > 1;
}

/* How many of the column's answers are right (a score of at least one half), or wrong: whichever are rarer. */
static inline size_t eval_rarer(const struct eval_table *t, size_t column)
{
    size_t right = 0;
    for (size_t q = 0; q < t->queries; q++)
        right += eval_outcome(t, q, column)->score >= 0.5f;
    return right < t->queries - right ? right : t->queries - right;
}

/* The columns that are single experts; they come first. */
static inline size_t eval_single_count(const struct eval_table *t)
{
    size_t count = 0;
    while (count < t->experts && !eval_is_plan(t, count))
        count++;
    return count;
}
