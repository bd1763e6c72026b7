/* Which of two models is worth more on questions that neither has seen; see publish.h. Each gets an eval_table of the
 * experts that both know, over which decide() chooses as it would for requests; what they chose is looked up among the
 * recorded outcomes. The questions' gains are all that the bootstrap needs, so a draw is a sum. One thread, nothing
 * random but the draws, which have a fixed seed. */
#include "play/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/bootstrap.h"
#include "eval/build.h"
#include "plan/quality_floor.h"

#define ARENA_BYTES_MAX ((size_t)4 << 30)
#define NAMES_BYTES_MAX (1u << 20)
#define DRAWS           2000
#define TAIL            (DRAWS / 40) /* beyond either end of what 95 % of the draws say */
#define SEED            1

struct side {
    const struct model *model;
    struct model_sample sample; /* at the prices in force */
    struct eval_set set;
    bool *use;                 /* [arms] those with a column */
    const struct plan **plans; /* [columns]; NULL: a single expert */
    const uint32_t *rows;      /* [questions] of its table */
};

struct comparison {
    const struct dataset *d; /* the validation questions */
    struct side sides[2];    /* the model in force, the candidate */
    enum publish_rival rival;
    size_t questions;
    double *gains; /* [questions] summed over the policies */
    struct arena *arena;
};

double publish_confidence_min(size_t questions, enum publish_rival rival)
{
    if (questions < PUBLISH_QUESTIONS_FEW)
        return rival == PUBLISH_EARLIER ? PUBLISH_CONFIDENCE_MIN : PUBLISH_CONFIDENCE_FEW;
    return rival == PUBLISH_EARLIER ? PUBLISH_CONFIDENCE_LATER : PUBLISH_CONFIDENCE_MIN;
}

bool publish_validates(uint64_t text_hash)
{
    return split_fold(text_hash, 0, PUBLISH_SHARE) == 0;
}

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory for comparing models");
}

/* Questions and experts */

static enum status validation_of(const struct dataset *d, struct arena *a, struct dataset **ret,
                                 struct error *err)
{
    uint32_t *rows = ARENA_ARRAY(a, d->query_count + 1, uint32_t);
    size_t count = 0;
    if (!rows)
        return no_memory(err);
    for (size_t q = 0; q < d->query_count; q++)
        if (publish_validates(d->queries[q].text_hash))
            rows[count++] = (uint32_t)q;
    return dataset_subset(d, rows, count, ret, err);
}

static size_t count_known(const struct dataset *d, size_t expert)
{
    size_t known = 0;
    for (size_t q = 0; q < d->query_count; q++)
        known += dataset_outcome(d, q, expert)->known;
    return known;
}

static bool knows(const struct model *m, struct str name)
{
    size_t at = model_expert_index(m, name);
    return at != SIZE_MAX && !model_expert_at(m, at)->hidden;
}

/* The experts that are compared, "a,b,c": both models know them, and they were asked at least half as often as any. An
 * expert that hardly answers would else leave no question on which all are known. */
static enum status common_experts(const struct comparison *c, struct buf *names, struct error *err)
{
    size_t known[DATASET_EXPERTS_MAX] = {0}, most = 0;
    for (size_t e = 0; e < c->d->expert_count; e++) {
        struct str name = c->d->experts[e].name;
        if (knows(c->sides[0].model, name) && knows(c->sides[1].model, name))
            known[e] = count_known(c->d, e);
        most = known[e] > most ? known[e] : most;
    }
    for (size_t e = 0; e < c->d->expert_count; e++)
        if (known[e] && 2 * known[e] >= most)
            buf_addf(names, "%s%.*s", names->len ? "," : "", STR_FMT(c->d->experts[e].name));
    if (!names->len)
        return error_set(err, ERR_INPUT,
                         "there is nothing to compare the models on: no expert that both know has "
                         "an outcome of a validation question");
    return buf_status(names, err);
}

/* One model's table */

static size_t arm_named(const struct model *m, struct str name)
{
    size_t arm = 0;
    while (arm < model_arm_count(m) && !str_equal(model_arm_at(m, arm)->name, name))
        arm++;
    return arm;
}

/* Which arms have a column, and which columns are plans. */
static enum status find_arms(struct side *s, struct arena *a, struct error *err)
{
    const struct eval_table *t = &s->set.table;
    s->use = ARENA_ARRAY(a, model_arm_count(s->model), bool);
    s->plans = ARENA_ARRAY(a, t->experts, const struct plan *);
    if (!s->use || !s->plans)
        return no_memory(err);
    for (size_t i = 0; i < t->experts; i++) {
        size_t arm = arm_named(s->model, t->names[i]);
        CHECK(arm < model_arm_count(s->model));
        s->use[arm] = true;
        s->plans[i] = eval_is_plan(t, i) ? model_arm_at(s->model, arm) : NULL;
    }
    return OK;
}

/* At the prices of `d`, which are in force; a model remembers those that it was trained at. */
static void price_row(const struct side *s, const struct dataset *d, size_t row)
{
    const struct eval_table *t = &s->set.table;
    struct estimate *estimates = s->set.estimates + row * t->experts;
    for (size_t i = 0; i < t->experts; i++) {
        struct estimate *e = &estimates[i];
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        if (!s->plans[i]) {
            size_t expert = dataset_expert_index(d, t->names[i]);
            estimate_reprice(e, model_cost_nano_usd(&d->experts[expert].price, e));
            continue;
        }
        for (size_t k = 0; k < t->plans[i].member_count; k++)
            members[k] = &estimates[t->plans[i].members[k]];
        plan_price(s->plans[i], members, e);
    }
}

/* The sample by which budgets and floors are calibrated, at those prices, too, as the gateway has it. */
static enum status price_sample(struct side *s, const struct dataset *d, struct arena *a,
                                struct error *err)
{
    struct price prices[MODEL_EXPERTS_MAX];
    for (size_t e = 0; e < model_expert_count(s->model); e++) {
        const struct model_expert *x = model_expert_at(s->model, e);
        size_t at = dataset_expert_index(d, x->name);
        prices[e] = at == SIZE_MAX ? x->price : d->experts[at].price;
    }
    s->sample = model_sample(s->model);
    if (!model_sample_is_repriced(s->model, prices))
        return OK;
    float *cost = ARENA_ARRAY(a, s->sample.rows * s->sample.arms + 1, float);
    if (!cost)
        return no_memory(err);
    model_sample_price(s->model, prices, cost);
    s->sample.cost_usd = cost;
    return OK;
}

static enum status build_side(struct comparison *c, struct side *s, struct dataset *d,
                              const char *experts, struct error *err)
{
    const struct eval_pool pool = {.experts = experts};
    enum status status = eval_set_build(s->model, d, &pool, c->arena, &s->set, err);
    if (status == OK)
        status = find_arms(s, c->arena, err);
    if (status == OK)
        status = price_sample(s, d, c->arena, err);
    for (size_t row = 0; row < s->set.table.queries && status == OK; row++)
        price_row(s, d, row);
    return status;
}

/* The questions that are in both tables: with plans, one may lack some of the other's. Both are in the data set's
 * order. */
static enum status match_rows(struct comparison *c, struct error *err)
{
    const struct eval_set *x = &c->sides[0].set, *y = &c->sides[1].set;
    uint32_t *rows[2];
    size_t i = 0, j = 0;
    for (int k = 0; k < 2; k++)
        if (!(rows[k] = ARENA_ARRAY(c->arena, x->table.queries + 1, uint32_t)))
            return no_memory(err);
    while (i < x->table.queries && j < y->table.queries) {
        if (x->query_index[i] == y->query_index[j]) {
            rows[0][c->questions] = (uint32_t)i++;
            rows[1][c->questions++] = (uint32_t)j++;
        } else if (x->query_index[i] < y->query_index[j])
            i++;
        else
            j++;
    }
    c->sides[0].rows = rows[0];
    c->sides[1].rows = rows[1];
    c->gains = ARENA_ARRAY(c->arena, c->questions + 1, double);
    return c->gains ? OK : no_memory(err);
}

/* Policies */

/* The policy as this model would follow it, and the lambda at which it does. */
static struct policy policy_of(const struct side *s, const struct policy *p, double *ret_lambda)
{
    struct policy own = *p;
    *ret_lambda = p->lambda;
    if (p->budget_usd_per_1k > 0) {
        /* Where even the cheapest costs more, a dollar has no end of worth: one answer a budget's share is enough. */
        double most = 1000 / p->budget_usd_per_1k;
        double lambda = model_sample_lambda(&s->sample, s->use, p->budget_usd_per_1k);
        *ret_lambda = lambda < most ? lambda : most;
    } else if (p->min_quality > 0) {
        own.min_quality = quality_floor_find(&s->sample, s->use, p->min_quality);
        *ret_lambda = 0;
    }
    return own;
}

/* What came of one question: quality and USD; nothing of either where no arm may be chosen. */
static void decide_one(const struct side *s, const struct policy *p, double lambda, size_t question,
                       double *quality, double *usd)
{
    const struct eval_table *t = &s->set.table;
    size_t row = s->rows[question];
    struct decision chosen;
    *quality = *usd = 0;
    if (decide(p, lambda, t->estimates + row * t->experts, t->pool, t->experts, &chosen, NULL) !=
        OK)
        return;
    const struct outcome *o = eval_outcome(t, row, chosen.arm);
    *quality = (double)o->score;
    *usd = (double)o->cost_nano_usd / (double)NANO_PER_USD;
}

/* A dollar's worth under a policy: of its lambda; of a budget's, the mean of both models'; of a min_quality, which has
 * none, as much as the model in force gets for one on average. */
static double worth_of(const struct policy *p, const double lambdas[2],
                       const struct publish_side *before)
{
    if (p->min_quality > 0 && !(p->budget_usd_per_1k > 0))
        return before->cost_usd > 0 ? before->quality / before->cost_usd : 0;
    return (lambdas[0] + lambdas[1]) / 2;
}

/* Both models under one policy. In one piece, since the worth of a dollar may hang on what the first of them did. */
static enum status follow(struct comparison *c, const struct policy *p, struct publish_figures *f,
                          struct error *err)
{
    size_t n = c->questions;
    double lambdas[2], *quality = ARENA_ARRAY(c->arena, 2 * n + 1, double),
                       *usd = ARENA_ARRAY(c->arena, 2 * n + 1, double);
    struct publish_side *sides[2] = {&f->before, &f->after};
    if (!quality || !usd)
        return no_memory(err);
    for (int k = 0; k < 2; k++) {
        struct policy own = policy_of(&c->sides[k], p, &lambdas[k]);
        for (size_t i = 0; i < n; i++) {
            decide_one(&c->sides[k], &own, lambdas[k], i, &quality[2 * i + k], &usd[2 * i + k]);
            sides[k]->quality += quality[2 * i + k] / (double)n;
            sides[k]->cost_usd += usd[2 * i + k] / (double)n;
        }
    }
    f->lambda = worth_of(p, lambdas, &f->before);
    for (size_t i = 0; i < n; i++)
        c->gains[i] +=
            quality[2 * i + 1] - quality[2 * i] - f->lambda * (usd[2 * i + 1] - usd[2 * i]);
    for (int k = 0; k < 2; k++)
        sides[k]->utility = sides[k]->quality - f->lambda * sides[k]->cost_usd;
    f->gain = f->after.utility - f->before.utility;
    return OK;
}

/* The verdict */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The draws are sorted when all else that hangs on their order is known. */
static enum status draw(const struct comparison *c, struct publish_verdict *v, struct error *err)
{
    size_t n = c->questions;
    uint32_t *weights = ARENA_ARRAY(c->arena, n + 1, uint32_t);
    double *gains = ARENA_ARRAY(c->arena, DRAWS, double), share = 1 / (double)v->policies;
    struct spread spread = {0};
    struct rng rng;
    if (!weights || !gains)
        return no_memory(err);
    rng_seed(&rng, SEED);
    for (size_t i = 0; i < n; i++)
        v->gain += c->gains[i] * share / (double)n;
    for (size_t k = 0; k < DRAWS; k++) {
        bootstrap_draw(&rng, weights, n);
        for (size_t i = 0; i < n; i++)
            gains[k] += weights[i] * c->gains[i] * share / (double)n;
        spread_add(&spread, gains[k]);
        v->confidence += (gains[k] > 0 ? 1 : gains[k] < 0 ? 0 : 0.5) / DRAWS;
    }
    qsort(gains, DRAWS, sizeof(*gains), compare_doubles);
    v->low = gains[TAIL];
    v->high = gains[DRAWS - 1 - TAIL];
    v->error = spread_error(&spread);
    v->better = n >= PUBLISH_QUESTIONS_MIN && v->gain > 0 && v->confidence >= v->confidence_min;
    return OK;
}

static enum status compare(struct comparison *c, struct dataset *d, const struct policy *policies,
                           struct publish_verdict *v, struct error *err)
{
    struct buf names;
    buf_init(&names, NAMES_BYTES_MAX);
    enum status status = common_experts(c, &names, err);
    char *experts = status == OK ? arena_printf(c->arena, "%.*s", STR_FMT(buf_str(&names))) : NULL;
    buf_done(&names);
    if (status == OK && !experts)
        status = no_memory(err);
    for (int k = 0; k < 2 && status == OK; k++)
        status = build_side(c, &c->sides[k], d, experts, err);
    if (status == OK)
        status = match_rows(c, err);
    v->questions = c->questions;
    v->confidence_min = publish_confidence_min(c->questions, c->rival);
    for (size_t i = 0; i < v->policies && c->questions && status == OK; i++)
        status = follow(c, &policies[i], &v->of[i], err);
    return status == OK && c->questions ? draw(c, v, err) : status;
}

enum status publish_compare(const struct model *candidate, const struct model *in_force,
                            enum publish_rival rival, const struct dataset *d,
                            const struct policy *policies, size_t policy_count,
                            struct publish_verdict *ret, struct error *err)
{
    CHECK(policy_count > 0 && policy_count <= PUBLISH_POLICIES_MAX);
    struct arena *a = arena_create(ARENA_BYTES_MAX);
    struct publish_verdict *v = a ? ARENA_NEW(a, struct publish_verdict) : NULL;
    struct dataset *part = NULL;
    enum status status = v ? validation_of(d, a, &part, err) : no_memory(err);
    if (status == OK) {
        struct comparison c = {.d = part,
                               .sides = {{.model = in_force}, {.model = candidate}},
                               .rival = rival,
                               .arena = a};
        v->policies = policy_count;
        status = compare(&c, part, policies, v, err);
    }
    if (status == OK)
        *ret = *v;
    dataset_free(part);
    arena_free(a);
    return status;
}
