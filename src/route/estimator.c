/* Turn by turn: the texts that ask something are estimated one after the other, and mixed by their shares.
 *
 * All of it runs on the estimator's thread; an encoder that works elsewhere comes back to that thread before it calls.
 * Whoever keeps an `estimating` must cancel it before the arena, the pool or the estimator goes, and must not once
 * `done` was called. */
#include "route/estimator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "route/pool_int.h"
#include "route/question_turns.h"

#define SCRATCH_KEPT_MAX 8 /* free ones; more are there only while as many requests wait */

struct scratch {
    struct features features;
    struct scratch *next; /* free, too */
};

struct estimator {
    struct scheduler *on;
    struct scratch *free;
    size_t free_count, taken;
};

struct estimating {
    struct estimator *estimator;
    struct estimator_ask ask;
    struct request_estimates *into;
    struct scratch *scratch;    /* taken until the end */
    struct estimate_task *task; /* of the present turn; NULL: nothing is pending */
    struct turn turns[TURNS_MAX];
    size_t turn_count, turn; /* `turn`: how many are done */
    struct str question;
    enum encode_silence silences[ENCODERS_MAX];
    struct cost reading[ENCODERS_MAX];
    double whole_share, characters, scripts[SCRIPTS];
    struct estimate *mixed; /* [arms of the model] */
    struct estimate *one;   /* of the present turn; `mixed` itself where there is one turn alone */
};

/* Scratch */

static struct scratch *scratch_create(struct scheduler *on, struct error *err)
{
    struct scratch *s = calloc(1, sizeof(*s));
    if (!s || features_init(&s->features, err) != OK) {
        free(s);
        error_set(err, ERR_MEMORY, "out of memory for a decision");
        return NULL;
    }
    s->features.on = on;
    return s;
}

static void scratch_free(struct scratch *s)
{
    features_done(&s->features);
    free(s);
}

static struct scratch *scratch_take(struct estimator *e, struct error *err)
{
    struct scratch *s = e->free;
    if (s) {
        e->free = s->next;
        e->free_count--;
    } else {
        s = scratch_create(e->on, err);
    }
    e->taken += s != NULL;
    return s;
}

static void scratch_give_back(struct estimator *e, struct scratch *s)
{
    CHECK(s && e->taken > 0);
    e->taken--;
    if (e->free_count == SCRATCH_KEPT_MAX) {
        scratch_free(s);
        return;
    }
    s->next = e->free;
    e->free = s;
    e->free_count++;
}

enum status estimator_create(struct scheduler *on, struct estimator **ret, struct error *err)
{
    struct estimator *e = calloc(1, sizeof(*e));
    struct scratch *first = e ? scratch_create(on, err) : NULL;
    if (!first) {
        free(e);
        return error_set(err, ERR_MEMORY, "out of memory for estimates");
    }
    e->on = on;
    e->free = first;
    e->free_count = 1;
    *ret = e;
    return OK;
}

void estimator_free(struct estimator *e)
{
    if (!e)
        return;
    CHECK(e->taken == 0);
    while (e->free) {
        struct scratch *s = e->free;
        e->free = s->next;
        scratch_free(s);
    }
    free(e);
}

/* One request */

/* Adds `share` of one turn's estimates; costs follow from the tokens afterwards. */
static void mix(struct estimate *into, const struct estimate *from, double share, size_t count)
{
    float s = (float)share;
    for (size_t i = 0; i < count; i++) {
        into[i].quality += s * from[i].quality;
        into[i].quality_sd += s * from[i].quality_sd;
        into[i].unfamiliar += s * from[i].unfamiliar;
        into[i].output_tokens += s * from[i].output_tokens;
        into[i].input_tokens += s * from[i].input_tokens;
        into[i].escalation += s * from[i].escalation;
        into[i].cost_nano_usd += llround(share * (double)from[i].cost_nano_usd);
        into[i].unweighed_nano_usd += llround(share * (double)from[i].unweighed_nano_usd);
    }
}

/* What the encoders were paid for the present turn. */
static void add_reading(struct estimating *x)
{
    for (size_t i = 0; i < ENCODERS_MAX; i++) {
        const struct encode_paid *paid = &x->scratch->features.said[i].paid;
        const struct price *price = x->ask.pool->reading[i];
        if (!paid->input && !paid->output)
            continue;
        const struct token_counts tokens = {.input = paid->input, .output = paid->output};
        const struct cost more = {.basis = COST_USAGE,
                                  .nano_usd =
                                      price ? price_cost_tokens_nano_usd(price, &tokens) : 0,
                                  .tokens = tokens};
        cost_add(&x->reading[i], &more);
    }
}

/* The estimates of the present turn are there. One turn alone gives the model's own figures, bit by bit. */
static void turn_done(struct estimating *x)
{
    double share = x->turns[x->turn].share / x->whole_share;
    CHECK(x->turn < x->turn_count && !x->task);
    x->characters += share * (double)x->scratch->features.characters;
    for (size_t s = 0; s < SCRIPTS; s++)
        x->scripts[s] += share * (double)x->scratch->features.scripts.of[s];
    for (size_t i = 0; i < ENCODERS_MAX; i++)
        if (x->scratch->features.said[i].silent)
            x->silences[i] = x->scratch->features.said[i].why;
    add_reading(x);
    if (x->turn_count > 1)
        mix(x->mixed, x->one, share, x->ask.pool->model_count);
    x->turn++;
}

static void on_turn(enum status status, const struct error *err, void *arg);

static enum status begin_turn(struct estimating *x, struct error *err)
{
    const struct model *m = x->ask.pool->model;
    struct str text = x->turns[x->turn].text;
    struct features *f = &x->scratch->features;
    if (!x->ask.done)
        return model_estimate_text(m, text, f, x->one, err);
    enum status status = model_estimate_begin(m, text, f, x->one, on_turn, x, &x->task, err);
    CHECK((status == AGAIN) == (x->task != NULL));
    return status;
}

/* All turns are done: what they cost together, here. */
static enum status finish(struct estimating *x, struct error *err)
{
    const struct pool *p = x->ask.pool;
    for (size_t i = 0; x->turn_count > 1 && i < model_expert_count(p->model); i++)
        estimate_reprice(&x->mixed[i],
                         model_cost_nano_usd(&model_expert_at(p->model, i)->price, &x->mixed[i]));
    enum status status = pool_price(p, x->ask.request, x->mixed, x->characters, x->scripts,
                                    x->ask.cached_tokens, x->ask.arena, x->into, err);
    if (status != OK)
        return status;
    x->into->question = x->question;
    memcpy(x->into->silences, x->silences, sizeof(x->silences));
    memcpy(x->into->reading, x->reading, sizeof(x->reading));
    return OK;
}

/* From the present turn on, to the end or until one has to be waited for. */
static enum status go_on(struct estimating *x, struct error *err)
{
    enum status status = OK;
    while (status == OK && x->turn < x->turn_count) {
        status = begin_turn(x, err);
        if (status == OK)
            turn_done(x);
    }
    if (status == AGAIN)
        return AGAIN;
    if (status == OK)
        status = finish(x, err);
    scratch_give_back(x->estimator, x->scratch);
    x->scratch = NULL;
    return status;
}

/* A turn that had to be waited for. The request's arena goes with `done`, and x with it. */
static void on_turn(enum status status, const struct error *err, void *arg)
{
    struct estimating *x = arg;
    struct error own = {0};
    CHECK(x->task && x->scratch);
    x->task = NULL;
    if (status == OK) {
        turn_done(x);
        err = &own;
        status = go_on(x, &own);
    } else {
        scratch_give_back(x->estimator, x->scratch);
        x->scratch = NULL;
    }
    if (status != AGAIN)
        x->ask.done(status, err, x->ask.arg);
}

static enum status prepare(struct estimating *x, struct error *err)
{
    struct arena *a = x->ask.arena;
    size_t arms = x->ask.pool->model_count;
    enum status status = turns_find(x->ask.request, a, x->turns, &x->turn_count, &x->question, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < x->turn_count; i++)
        x->whole_share += x->turns[i].share;
    x->mixed = ARENA_ARRAY(a, arms, struct estimate);
    x->one = x->turn_count > 1 ? ARENA_ARRAY(a, arms, struct estimate) : x->mixed;
    if (!x->mixed || !x->one)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    x->scratch = scratch_take(x->estimator, err);
    return x->scratch ? OK : ERR_MEMORY;
}

enum status estimator_begin(struct estimator *e, const struct estimator_ask *ask,
                            struct request_estimates *ret, struct estimating **ret_pending,
                            struct error *err)
{
    CHECK(!ask->done || ret_pending);
    struct estimating *x = ARENA_NEW(ask->arena, struct estimating);
    if (!x)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    x->estimator = e;
    x->ask = *ask;
    x->into = ret;
    enum status status = prepare(x, err);
    if (status == OK)
        status = go_on(x, err);
    if (status == AGAIN)
        *ret_pending = x;
    return status;
}

void estimating_cancel(struct estimating *x)
{
    if (!x)
        return;
    CHECK(x->task && x->scratch);
    model_estimate_cancel(x->task);
    x->task = NULL;
    scratch_give_back(x->estimator, x->scratch);
    x->scratch = NULL;
}
