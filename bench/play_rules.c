/* What bench_play compares: rows and cells drawn at random, shares of the questions set by hand, shares by price
 * alone, and the rule of src/play/cells.h in rounds, with training in between. A rule sees texts, prices and what it
 * has bought: no outcome, no cost and no length before it has paid for it, and nothing at all of the questions that
 * measure. One thread; everything random comes from the caller's generator. */
#include "play_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/encode.h"
#include "play/cells.h"

#define ARENA_CAP           ((size_t)2 << 30)
#define PRIOR_CHARACTERS    4.0   /* a token, before anything is known */
#define PRIOR_OUTPUT_TOKENS 300.0 /* of an answer */

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static uint32_t *shuffled(size_t count, struct rng *rng)
{
    uint32_t *order = malloc((count + 1) * sizeof(*order));
    for (size_t i = 0; order && i < count; i++)
        order[i] = (uint32_t)i;
    if (order)
        rng_shuffle_u32(rng, order, count);
    return order;
}

static enum status buy_rows(struct purchase *p, struct rng *rng, struct error *err)
{
    const struct dataset *d = p->fold->train;
    uint32_t *order = shuffled(d->query_count, rng);
    if (!order)
        return no_memory(err);
    bool more = true;
    for (size_t i = 0; i < d->query_count && more; i++)
        for (size_t e = 0; e < d->expert_count && more; e++)
            more = purchase_buy(p, order[i], e);
    free(order);
    return OK;
}

static enum status buy_cells(struct purchase *p, struct rng *rng, struct error *err)
{
    const struct dataset *d = p->fold->train;
    size_t cells = d->query_count * d->expert_count;
    uint32_t *order = shuffled(cells, rng);
    if (!order)
        return no_memory(err);
    for (size_t i = 0; i < cells; i++)
        if (!purchase_buy(p, order[i] / d->expert_count, order[i] % d->expert_count))
            break;
    free(order);
    return OK;
}

/* Shares: every expert on the first so many questions of one random order. */

/* Before anything is known: price times what questions and answers usually take. */
static int64_t prior_cost(const struct dataset *d, size_t question, size_t expert)
{
    double input = (double)d->queries[question].prompt.len / PRIOR_CHARACTERS;
    return price_cost_nano_usd(&d->experts[expert].price, (int64_t)input,
                               (int64_t)PRIOR_OUTPUT_TOKENS);
}

static void mean_costs(const struct dataset *d, double *costs)
{
    for (size_t e = 0; e < d->expert_count; e++) {
        costs[e] = 0;
        for (size_t q = 0; q < d->query_count; q++)
            costs[e] += (double)prior_cost(d, q, e) / (double)d->query_count;
    }
}

/* One question after the other takes an expert when its share grows past the next whole one: all experts' shares are
 * filled at the same pace, so that whatever the real costs are, the money ends at the shares' proportions. */
static enum status buy_shares(struct purchase *p, const double *shares, struct rng *rng,
                              struct error *err)
{
    const struct dataset *d = p->fold->train;
    double top = 0;
    uint32_t *order = shuffled(d->query_count, rng);
    size_t *next = calloc(d->expert_count + 1, sizeof(*next));
    if (!order || !next) {
        free(order);
        free(next);
        return no_memory(err);
    }
    for (size_t e = 0; e < d->expert_count; e++)
        top = fmax(top, shares[e]);
    bool more = true;
    for (size_t step = 1; more; step++) {
        size_t full = 0;
        for (size_t e = 0; e < d->expert_count && more; e++) {
            size_t want = (size_t)((double)step * shares[e] / top);
            for (; next[e] < want && next[e] < d->query_count && more; next[e]++)
                more = purchase_buy(p, order[next[e]], e);
            full += next[e] == d->query_count;
        }
        more = more && full < d->expert_count;
    }
    free(order);
    free(next);
    return OK;
}

/* The shares of the self-play issue: the dearest expert, the second, the rest; of these the proportions. */
static enum status buy_hand(struct purchase *p, struct rng *rng, struct error *err)
{
    static const struct {
        double spend, dearest, second, rest;
    } rows[] = {{.06, .025, .1, .2},
                {.085, .02, .1, .4},
                {.11, .05, .2, .4},
                {.15, .04, .3, .6},
                {1, .1, .4, 1}};
    const struct dataset *d = p->fold->train;
    double costs[DATASET_EXPERTS_MAX], shares[DATASET_EXPERTS_MAX];
    double spend = (double)p->left_nano_usd / (double)p->fold->whole_nano_usd;
    size_t row = 0, first = 0, second = SIZE_MAX;
    while (spend > rows[row].spend)
        row++;
    mean_costs(d, costs);
    for (size_t e = 1; e < d->expert_count; e++)
        first = costs[e] > costs[first] ? e : first;
    for (size_t e = 0; e < d->expert_count; e++)
        if (e != first && (second == SIZE_MAX || costs[e] > costs[second]))
            second = e;
    for (size_t e = 0; e < d->expert_count; e++)
        shares[e] = e == first    ? rows[row].dearest
                    : e == second ? rows[row].second
                                  : rows[row].rest;
    return buy_shares(p, shares, rng, err);
}

/* As many questions as one over the root of the price. */
static enum status buy_root(struct purchase *p, struct rng *rng, struct error *err)
{
    double costs[DATASET_EXPERTS_MAX], shares[DATASET_EXPERTS_MAX];
    mean_costs(p->fold->train, costs);
    for (size_t e = 0; e < p->fold->train->expert_count; e++)
        shares[e] = 1 / sqrt(costs[e] + 1);
    return buy_shares(p, shares, rng, err);
}

/* The rule of src/play/cells.h */

double play_rounds[PLAY_ROUNDS_MAX] = {.3, .7};
size_t play_round_count = 2;

struct world {
    float *quality, *quality_sd, *scores;
    int64_t *costs;
    enum cell_state *states;
};

static enum status world_make(const struct dataset *d, struct arena *a, struct world *w,
                              struct error *err)
{
    size_t cells = d->query_count * d->expert_count;
    w->quality = ARENA_ARRAY(a, cells, float);
    w->quality_sd = ARENA_ARRAY(a, cells, float);
    w->scores = ARENA_ARRAY(a, cells, float);
    w->costs = ARENA_ARRAY(a, cells, int64_t);
    w->states = ARENA_ARRAY(a, cells, enum cell_state);
    return w->quality && w->quality_sd && w->scores && w->costs && w->states ? OK : no_memory(err);
}

/* An expert that the model lacks keeps even odds and its prior cost. */
static enum status world_estimate(const struct dataset *d, const struct model *m, struct world *w,
                                  struct error *err)
{
    struct estimate estimates[MODEL_ARMS_MAX];
    size_t at[DATASET_EXPERTS_MAX], width = d->expert_count;
    struct features f;
    enum status status = features_init(&f, err);
    for (size_t e = 0; e < width; e++)
        at[e] = model_expert_index(m, d->experts[e].name);
    for (size_t q = 0; q < d->query_count && status == OK; q++) {
        status = model_estimate_text(m, d->queries[q].prompt, &f, estimates, err);
        for (size_t e = 0; e < width && status == OK; e++) {
            bool placed = at[e] != SIZE_MAX;
            size_t cell = q * width + e;
            w->quality[cell] = placed ? estimates[at[e]].quality : .5f;
            w->quality_sd[cell] = placed ? estimates[at[e]].quality_sd : .5f;
            w->costs[cell] = placed ? estimates[at[e]].cost_nano_usd : prior_cost(d, q, e);
        }
    }
    features_done(&f);
    return status;
}

static void world_know(const struct purchase *p, struct world *w)
{
    const struct dataset *d = p->fold->train;
    for (size_t i = 0; i < d->query_count * d->expert_count; i++) {
        w->states[i] = p->bought[i] ? CELL_KNOWN : CELL_OPEN;
        w->scores[i] = !p->bought[i] ? 0 : p->labels ? p->labels[i] : d->outcomes[i].score;
        if (p->bought[i] && w->scores[i] < 0)
            w->states[i] = CELL_BARRED;
    }
}

/* Where answers are scored by agreement, whole rows: a label is as good as whoever voted for it. */
static enum status buy_chosen(struct purchase *p, const struct world *w, bool believed,
                              int64_t spend, uint64_t seed, struct arena *a, struct error *err)
{
    const struct dataset *d = p->fold->train;
    struct cells chosen;
    const struct cells_problem problem = {.questions = d->query_count,
                                          .experts = d->expert_count,
                                          .quality = believed ? w->quality : NULL,
                                          .quality_sd = believed ? w->quality_sd : NULL,
                                          .scores = w->scores,
                                          .cost_nano_usd = w->costs,
                                          .states = w->states,
                                          .spend_nano_usd = spend,
                                          .whole_share = p->labels ? 1 : -1,
                                          .seed = seed};
    enum status status = cells_choose(&problem, a, &chosen, err);
    if (status != OK)
        return status;
    int64_t floor = p->left_nano_usd - spend; /* what later rounds have is not this round's */
    for (size_t i = 0; i < chosen.count && p->left_nano_usd > floor; i++)
        if (!purchase_buy(p, chosen.cells[i].question, chosen.cells[i].expert))
            break;
    return OK;
}

static enum status value_round(struct purchase *p, struct world *w, size_t round, int64_t spend,
                               uint64_t seed, struct arena *a, struct error *err)
{
    struct model *m = NULL;
    enum status status = OK;
    if (round > 0)
        status = purchase_train(p, &m, err);
    if (status == OK && m)
        status = world_estimate(p->fold->train, m, w, err);
    world_know(p, w);
    if (status == OK)
        status = buy_chosen(p, w, m != NULL, spend, seed, a, err);
    model_free(m);
    return status;
}

static enum status buy_value(struct purchase *p, struct rng *rng, struct error *err)
{
    const struct dataset *d = p->fold->train;
    struct arena *a = arena_create(ARENA_CAP);
    struct world w;
    int64_t all = p->left_nano_usd;
    uint64_t seed = rng_next(rng);
    enum status status = a ? world_make(d, a, &w, err) : no_memory(err);
    for (size_t q = 0; q < d->query_count && status == OK; q++)
        for (size_t e = 0; e < d->expert_count; e++)
            w.costs[q * d->expert_count + e] = prior_cost(d, q, e);
    for (size_t round = 0; round < play_round_count && status == OK; round++) {
        bool last = round + 1 == play_round_count;
        int64_t spend = last ? p->left_nano_usd : (int64_t)(play_rounds[round] * (double)all);
        status = value_round(p, &w, round, spend, seed, a, err);
    }
    arena_free(a);
    return status;
}

const struct play_rule play_rules[PLAY_RULES] = {
    {"rows", "whole rows at random", buy_rows},
    {"cells", "cells at random, blind to price", buy_cells},
    {"hand", "shares by hand", buy_hand},
    {"root", "shares by one over the root of the price", buy_root},
    {"value", "src/play/cells.h, in rounds", buy_value},
};
