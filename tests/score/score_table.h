/* A run in memory, and experts that answer by a script. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "score/evaluate.h"

enum { TABLE_EXPERTS = 4, TABLE_QUERIES_MAX = 64 };

struct score_table {
    struct dataset data;
    struct query queries[TABLE_QUERIES_MAX];
    struct dataset_expert experts[TABLE_EXPERTS];
    struct outcome outcomes[TABLE_QUERIES_MAX * TABLE_EXPERTS];
    struct str texts[TABLE_QUERIES_MAX * TABLE_EXPERTS];
    struct evaluate_table table;
    /* What an expert replies; NULL: nothing. */
    const char *(*reply)(const struct evaluate_ask *ask);
    size_t asked;
    struct arena *arena;
};

static inline struct str score_table_text(void *self, size_t q, size_t e)
{
    const struct score_table *t = self;
    return t->texts[q * TABLE_EXPERTS + e];
}

static inline enum status score_table_put(void *self, size_t q, size_t e, const struct outcome *o,
                                          struct error *err)
{
    struct score_table *t = self;
    (void)err;
    t->outcomes[q * TABLE_EXPERTS + e] = *o;
    return OK;
}

static inline enum status score_table_ask(void *self, struct evaluate_ask *asks, size_t count,
                                          const char *what, struct error *err)
{
    struct score_table *t = self;
    (void)what, (void)err;
    for (size_t i = 0; i < count; i++) {
        const char *reply = t->reply ? t->reply(&asks[i]) : NULL;
        asks[i].text = reply ? arena_copy(t->arena, str_from(reply)) : (struct str){NULL, 0};
        t->asked++;
    }
    return OK;
}

/* Experts "gpt-a", "llama-b", "qwen-c", "gpt-judge". */
static inline void score_table_open(struct score_table *t)
{
    static const char *const names[TABLE_EXPERTS] = {"gpt-a", "llama-b", "qwen-c", "gpt-judge"};
    memset(t, 0, sizeof(*t));
    t->arena = arena_create(64u << 20);
    cr_assert_not_null(t->arena);
    for (size_t e = 0; e < TABLE_EXPERTS; e++)
        t->experts[e].name = str_from(names[e]);
    t->data = (struct dataset){.queries = t->queries,
                               .experts = t->experts,
                               .expert_count = TABLE_EXPERTS,
                               .outcomes = t->outcomes};
    t->table = (struct evaluate_table){t, &t->data, score_table_text, score_table_put};
}

static inline void score_table_close(struct score_table *t)
{
    arena_free(t->arena);
}

/* Texts of the experts; NULL: none. */
static inline size_t score_table_add(struct score_table *t, struct query query,
                                     const char *const texts[TABLE_EXPERTS])
{
    const size_t q = t->data.query_count++;
    cr_assert_lt(q, TABLE_QUERIES_MAX);
    query.id = str_from(arena_printf(t->arena, "q%zu", q + 1));
    query.prompt = query.text;
    t->queries[q] = query;
    for (size_t e = 0; e < TABLE_EXPERTS; e++) {
        if (!texts[e])
            continue;
        t->texts[q * TABLE_EXPERTS + e] = str_from(texts[e]);
        t->outcomes[q * TABLE_EXPERTS + e] =
            (struct outcome){.present = true, .cost_known = true, .cost_nano_usd = 7};
    }
    return q;
}

static inline struct evaluate_figures score_table_run(struct score_table *t,
                                                      struct evaluate_options o)
{
    struct evaluate_figures f;
    struct error err = {0};
    o.table = &t->table;
    o.ask = score_table_ask;
    o.asker = t;
    o.arena = t->arena;
    cr_assert_eq(evaluate_run(&o, &f, &err), OK, "%s", err.text);
    return f;
}

/* The outcome is scored so, by that method. */
static inline void score_table_expect(const struct score_table *t, size_t q, size_t e, double score,
                                      const char *method)
{
    const struct outcome *o = &t->outcomes[q * TABLE_EXPERTS + e];
    cr_expect(o->known, "q%zu %zu has no score", q + 1, e);
    cr_expect_float_eq((double)o->score, score, 1e-6, "q%zu %zu: %g", q + 1, e, (double)o->score);
    cr_expect(str_equal(o->method, str_from(method)), "q%zu %zu: %.*s", q + 1, e,
              STR_FMT(o->method));
    cr_expect_eq(o->cost_nano_usd, 7);
}
