/* From the model's estimates of what is asked to those of the whole request, at the pool's prices. */
#include <math.h>

#include "dialect/token_estimate.h"
#include "route/pool_int.h"
#include "route/request_tokens.h"

#define IMAGE_CHARACTERS (OPENAI_IMAGE_TOKENS * 4)

/* What input in the endpoint's cache saves, rounded down. */
static int64_t cached_saving(const struct price *price, uint32_t tokens)
{
    const struct token_counts plain = {.input = tokens},
                              cached = {.input = tokens, .cached = tokens};
    return price_cost_tokens_nano_usd(price, &plain) - price_cost_tokens_nano_usd(price, &cached);
}

/* *cached: what it is believed to hold; what counts of it. `cost`: of the whole request, if it held nothing. */
static void finish_price(const struct price *price, int64_t cost, uint32_t *cached,
                         struct estimate *e)
{
    if (*cached > (uint32_t)e->input_tokens)
        *cached = (uint32_t)e->input_tokens;
    if (price->cached_saving_nano_usd_per_m == 0)
        *cached = 0;
    cost -= cached_saving(price, *cached);
    estimate_reprice(e, cost > 0 ? cost : 0);
}

/* Characters of a request, as base/script.h counts them, and those that scripts make of them. */
struct characters {
    double all, scripts[SCRIPTS];
};

/* All of the request, and what it has beside what is asked: the rest of the conversation, images. */
static void find_rest(const struct openai_request *r, double asked, const double *scripts,
                      struct characters *whole, struct characters *more)
{
    *whole = (struct characters){.all = (double)r->input_characters};
    *more = (struct characters){.all = fmax(whole->all - asked, 0)};
    more->all += (double)r->images * IMAGE_CHARACTERS;
    for (size_t s = 0; s < SCRIPTS; s++) {
        whole->scripts[s] = (double)r->input_scripts.of[s];
        more->scripts[s] = fmax(whole->scripts[s] - scripts[s], 0);
    }
}

/* The rest of the conversation counts by the expert's own tokens per character. *cached: what it is believed to hold;
 * what counts of it. */
static void price_expert(const struct pool *p, size_t i, const struct characters *whole,
                         const struct characters *rest, int64_t counted, uint32_t *cached,
                         struct estimate *e)
{
    const struct price *price = &p->settings.experts[i].price;
    if (counted >= 0) {
        e->counted = true;
        e->input_tokens = (float)counted;
        finish_price(price, price_cost_nano_usd(price, counted, llroundf(e->output_tokens)), cached,
                     e);
        return;
    }
    size_t expert = p->model_index[i];
    int64_t more = (int64_t)ceil(model_input_tokens(p->model, expert, rest->all, rest->scripts));
    e->input_excess = (float)model_script_excess(p->model, expert, whole->scripts);
    int64_t cost = e->cost_nano_usd;
    if (p->repriced[i])
        cost = price_cost_nano_usd(price, llroundf(e->input_tokens), llroundf(e->output_tokens));
    e->input_tokens += (float)more;
    finish_price(price, cost + price_cost_nano_usd(price, more, 0), cached, e);
}

static void price_plan(const struct pool *p, size_t arm, struct estimate *into)
{
    const struct plan *plan = &p->arms[arm];
    const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
    for (size_t k = 0; k < plan->member_count; k++)
        members[k] = &into[plan->members[k]];
    plan_price(plan, members, &into[arm]);
}

/* Of the whole request in the expert's own tokens, counted once for each file; -1: it has none. */
static enum status count_tokens(const struct pool *p, size_t i, const struct openai_request *r,
                                const struct estimate *into, struct arena *a, int64_t *ret,
                                struct error *err)
{
    *ret = -1;
    if (!p->tokenizers[i])
        return OK;
    for (size_t k = 0; k < i; k++)
        if (p->tokenizers[k] == p->tokenizers[i]) {
            *ret = (int64_t)into[k].input_tokens;
            return OK;
        }
    return request_tokens(p->tokenizers[i], r, a, ret, err);
}

enum status pool_price(const struct pool *p, const struct openai_request *r,
                       const struct estimate *model, double characters, const double *scripts,
                       const uint32_t *held, struct arena *a, struct request_estimates *ret,
                       struct error *err)
{
    size_t experts = p->settings.expert_count;
    struct estimate *into = ARENA_ARRAY(a, p->arm_count, struct estimate);
    uint32_t *cached = ARENA_ARRAY(a, experts, uint32_t);
    if (!into || !cached)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    struct characters whole, more;
    find_rest(r, characters, scripts, &whole, &more);
    for (size_t i = 0; i < experts; i++) {
        cached[i] = held ? held[i] : 0;
        into[i] = model[p->model_index[i]];
        int64_t counted = -1;
        enum status status = count_tokens(p, i, r, into, a, &counted, err);
        if (status != OK)
            return status;
        price_expert(p, i, &whole, &more, counted, &cached[i], &into[i]);
    }
    for (size_t i = experts; i < p->arm_count; i++) {
        into[i] = model[p->model_index[i]];
        price_plan(p, i, into);
    }
    *ret = (struct request_estimates){
        .arms = into, .cached_tokens = cached, .characters = (float)characters};
    return OK;
}
