/* A table grows by columns: see verify_columns.h. The plans of a query are those that the gateway would choose among
 * (verified_plans), and each runs by the verdicts that the gateway runs it by; only answers, costs and what the
 * check has said come out of the data set. It belongs to one command's thread; what it makes lives in the arena, and
 * the set is exchanged at the end, whole. */
#include "eval/verify_columns.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/rng.h"
#include "data/check_column.h"
#include "eval/plan_columns.h"

#define TURN_SEED 0x7475726eu
#define HALF_SEED 0x68616c66u

struct verifying {
    const struct eval_table *old;
    const struct dataset *d;
    const struct verify_options *options;
    const uint32_t *query_index;
    const float *shared_sd;
    size_t singles;    /* columns that are experts */
    uint8_t *said;     /* [queries × singles] enum check_said, once turned */
    uint8_t *half;     /* [queries] 0, 1 */
    uint16_t *members; /* as in struct eval_verified */
    struct eval_verified *verified;
    struct eval_table table;
    struct estimate *estimates;
    struct outcome *outcomes;
    struct eval_run *runs;
};

static bool rate_read(struct str text, double *ret)
{
    return str_to_double(str_trim(text), ret) == OK && *ret >= 0 && *ret <= VERIFY_ERROR_MAX;
}

bool verify_errors_read(const char *text, struct verify_options *o)
{
    struct str rest = str_from(text), first = str_split(&rest, ',');
    double pass, alarm;
    if (!rate_read(first, &pass))
        return false;
    alarm = pass;
    if (first.len < strlen(text) && !rate_read(rest, &alarm))
        return false;
    o->false_pass = pass;
    o->false_alarm = alarm;
    return true;
}

/* What the check says */

/* Uniform, and the same for this question and expert in every table and at every rate of errors. */
static double lot(const struct verifying *v, uint32_t query, struct str expert)
{
    struct rng r;
    uint64_t seed = hash64_mix(v->options->seed, TURN_SEED);
    rng_seed(&r, hash64_mix(hash64_mix(seed, query), hash64(expert, 0)));
    return rng_uniform(&r);
}

static uint8_t turned(const struct verifying *v, uint32_t query, struct str expert, uint8_t said)
{
    double rate = said == CHECK_PASSES ? v->options->false_alarm : v->options->false_pass;
    if (said == CHECK_UNKNOWN || !(lot(v, query, expert) < rate))
        return said;
    return said == CHECK_PASSES ? CHECK_REJECTS : CHECK_PASSES;
}

/* cells [queries × experts] of the data set; NULL: scores say it. */
static void said_fill(struct verifying *v, const uint8_t *cells)
{
    const struct eval_table *t = v->old;
    for (size_t e = 0; e < v->singles; e++) {
        size_t expert = dataset_expert_index(v->d, t->names[e]);
        CHECK(expert != SIZE_MAX);
        for (size_t q = 0; q < t->queries; q++) {
            size_t query = v->query_index[q];
            bool right = eval_outcome(t, q, e)->score >= 0.5f;
            uint8_t said = right ? CHECK_PASSES : CHECK_REJECTS;
            if (cells)
                said = cells[query * v->d->expert_count + expert];
            v->said[q * v->singles + e] = turned(v, (uint32_t)query, t->names[e], said);
        }
    }
}

static enum status said_read(struct verifying *v, struct arena *a, struct error *err)
{
    uint8_t *cells = NULL;
    if (strcmp(v->options->column, "score") != 0) {
        cells = ARENA_ARRAY(a, v->d->query_count * v->d->expert_count, uint8_t);
        if (!cells)
            return error_set(err, ERR_MEMORY, "out of memory");
        enum status status = check_column_read(v->d, v->options->column, cells, err);
        if (status != OK)
            return status;
    }
    said_fill(v, cells);
    return OK;
}

/* Equal texts are in one half. */
static void halves_fill(struct verifying *v)
{
    for (size_t q = 0; q < v->old->queries; q++) {
        uint64_t text = v->d->queries[v->query_index[q]].text_hash;
        v->half[q] = hash64_mix(hash64_mix(v->options->seed, HALF_SEED), text) & 1;
    }
}

/* What queries of half `h` believe: counted on the others. */
static struct verified_check believe(const struct verifying *v, unsigned h)
{
    double wrong = 0, right = 0, wrong_passed = 0, right_rejected = 0;
    for (size_t q = 0; q < v->old->queries; q++)
        for (size_t e = 0; e < v->singles && v->half[q] != h; e++) {
            uint8_t said = v->said[q * v->singles + e];
            if (said == CHECK_UNKNOWN || !eval_in_pool(v->old, e))
                continue;
            bool is_right = eval_outcome(v->old, q, e)->score >= 0.5f;
            right += is_right;
            wrong += !is_right;
            wrong_passed += !is_right && said == CHECK_PASSES;
            right_rejected += is_right && said == CHECK_REJECTS;
        }
    return (struct verified_check){
        .false_pass = wrong > 0 ? (float)(wrong_passed / wrong) : 0,
        .false_alarm = right > 0 ? (float)(right_rejected / right) : 0,
        .price_nano_usd = v->options->price_nano_usd,
    };
}

/* Runs */

static enum plan_check plan_check_of(uint8_t said)
{
    return said == CHECK_PASSES    ? PLAN_PASSED
           : said == CHECK_REJECTS ? PLAN_REJECTED
                                   : PLAN_CHECK_DOWN;
}

/* One plan, asked and checked one by one as ask/plan_run.c does. */
static void plan_run(const struct verifying *v, const struct verified_terms *terms, size_t q,
                     const struct verified_plan *p, struct outcome *ret, struct eval_run *ret_run)
{
    const size_t *order = p->members, count = p->member_count;
    struct plan plan = {.kind = PLAN_VERIFIED, .member_count = count};
    struct plan_state state = {.characters = 0};
    struct plan_verdict verdict;
    struct outcome total = {
        .present = true, .known = true, .cost_known = true, .tokens_known = true};
    *ret_run = (struct eval_run){.calls = 0};
    for (size_t i = 0; i < count; i++) {
        plan.members[i] = order[i];
        state.members[i] = eval_estimate(v->old, q, order[i]);
    }
    for (;;) {
        verified_verdict(terms, &plan, &state, &verdict);
        if (!verdict.ask)
            break;
        size_t i = (size_t)__builtin_ctz(verdict.ask);
        CHECK(verdict.ask == 1u << i && !(ret_run->calls & verdict.ask));
        ret_run->calls |= verdict.ask;
        plan_column_add(&total, eval_outcome(v->old, q, order[i]));
        total.cost_nano_usd += v->options->price_nano_usd;
        state.answers[i] = (struct plan_answer){
            .asked = true, .check = plan_check_of(v->said[q * v->singles + order[i]])};
    }
    CHECK(!verdict.wait && verdict.winner < count);
    const struct outcome *winner = eval_outcome(v->old, q, order[verdict.winner]);
    total.score = winner->score;
    total.answer = winner->answer;
    total.answer_class = winner->answer_class;
    ret_run->winner = (uint8_t)verdict.winner;
    ret_run->check = (uint8_t)state.answers[verdict.winner].check;
    *ret = total;
}

/* The row's verified columns. Where there are fewer plans the rest are the best of them. */
static void row_verify(struct verifying *v, size_t q, size_t at)
{
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    const struct verified_terms terms = {.check = v->verified->believed[v->half[q]],
                                         .shared_sd = v->shared_sd[q]};
    size_t n = verified_plans(&terms, eval_estimate(v->old, q, 0), v->old->pool, v->singles,
                              PLAN_MEMBERS_MAX, plans);
    CHECK(n > 0);
    for (size_t k = 0; k < VERIFIED_PLANS_MAX; k++, at++) {
        const struct verified_plan *p = &plans[k < n ? k : n - 1];
        uint16_t *members = &v->members[(q * VERIFIED_PLANS_MAX + k) * PLAN_MEMBERS_MAX];
        for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
            members[i] = i < p->member_count ? (uint16_t)p->members[i] : EVAL_NOBODY;
        v->estimates[at] = p->estimate;
        plan_run(v, &terms, q, p, &v->outcomes[at], &v->runs[at]);
    }
}

/* The table */

/* Column c of the new table. */
static enum status column_name(const struct verifying *v, size_t c, struct arena *a,
                               struct str *ret, struct eval_plan *ret_plan, struct error *err)
{
    const struct eval_table *old = v->old;
    if (c < old->experts) {
        *ret = old->names[c];
        *ret_plan = (struct eval_plan){.kind = PLAN_SINGLE, .member_count = 1, .members = {c}};
        if (old->plans)
            *ret_plan = old->plans[c];
        return OK;
    }
    const char *name = arena_printf(a, "verified %zu", c - old->experts + 1);
    if (!name)
        return error_set(err, ERR_MEMORY, "out of memory");
    *ret = str_from(name);
    *ret_plan = (struct eval_plan){.kind = PLAN_VERIFIED, .member_count = PLAN_MEMBERS_MAX};
    return OK;
}

static enum status name_columns(struct verifying *v, struct arena *a, struct error *err)
{
    struct eval_table *t = &v->table;
    struct str *names = ARENA_ARRAY(a, t->experts, struct str);
    bool *pool = ARENA_ARRAY(a, t->experts, bool);
    struct eval_plan *plans = ARENA_ARRAY(a, t->experts, struct eval_plan);
    if (!names || !pool || !plans)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t c = 0; c < t->experts; c++) {
        pool[c] = c >= v->old->experts || eval_in_pool(v->old, c);
        enum status status = column_name(v, c, a, &names[c], &plans[c], err);
        if (status != OK)
            return status;
    }
    t->names = names;
    t->pool = pool;
    t->plans = plans;
    return OK;
}

static enum status table_fill(struct verifying *v, struct arena *a, struct error *err)
{
    const struct eval_table *old = v->old;
    struct eval_table *t = &v->table;
    *t = *old;
    t->experts = old->experts + VERIFIED_PLANS_MAX;
    size_t cells = t->queries * t->experts;
    v->estimates = ARENA_ARRAY(a, cells + 1, struct estimate);
    v->outcomes = ARENA_ARRAY(a, cells + 1, struct outcome);
    v->runs = ARENA_ARRAY(a, cells + 1, struct eval_run);
    if (!v->estimates || !v->outcomes || !v->runs)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < t->queries; q++) {
        size_t from = q * old->experts, to = q * t->experts;
        memcpy(&v->estimates[to], &old->estimates[from], old->experts * sizeof(*v->estimates));
        memcpy(&v->outcomes[to], &old->outcomes[from], old->experts * sizeof(*v->outcomes));
        if (old->runs)
            memcpy(&v->runs[to], &old->runs[from], old->experts * sizeof(*v->runs));
        row_verify(v, q, to + old->experts);
    }
    t->estimates = v->estimates;
    t->outcomes = v->outcomes;
    t->runs = v->runs;
    t->verified = v->verified;
    return name_columns(v, a, err);
}

static enum status verifying_begin(struct verifying *v, struct arena *a, struct error *err)
{
    size_t pool = 0, queries = v->old->queries;
    v->singles = eval_single_count(v->old);
    for (size_t e = 0; e < v->singles; e++)
        pool += eval_in_pool(v->old, e);
    if (pool < 2)
        return error_set(err, ERR_INPUT,
                         "a check is of use where there are two experts to ask or "
                         "more, and the pool has %zu; name more with --experts",
                         pool);
    v->said = ARENA_ARRAY(a, queries * v->singles + 1, uint8_t);
    v->half = ARENA_ARRAY(a, queries + 1, uint8_t);
    v->members = ARENA_ARRAY(a, queries * VERIFIED_PLANS_MAX * PLAN_MEMBERS_MAX + 1, uint16_t);
    v->verified = ARENA_NEW(a, struct eval_verified);
    return v->said && v->half && v->members && v->verified
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

enum status eval_verify(struct eval_set *s, const struct dataset *d, const struct verify_options *o,
                        struct arena *a, struct error *err)
{
    struct verifying v = {.old = &s->table,
                          .d = d,
                          .options = o,
                          .query_index = s->query_index,
                          .shared_sd = s->shared_sd};
    enum status status = verifying_begin(&v, a, err);
    if (status == OK)
        status = said_read(&v, a, err);
    if (status != OK)
        return status;
    halves_fill(&v);
    *v.verified = (struct eval_verified){.first = s->table.experts,
                                         .members = v.members,
                                         .believed = {believe(&v, 0), believe(&v, 1)}};
    status = table_fill(&v, a, err);
    if (status != OK)
        return status;
    s->table = v.table;
    s->estimates = v.estimates;
    s->outcomes = v.outcomes;
    s->runs = v.runs;
    return OK;
}
