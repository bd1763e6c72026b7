/* A request's estimates: what is asked, in one message or over several, and what the whole conversation costs. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dialect/token_estimate.h"
#include "encode/refer.h"
#include "route/pool_int.h"

#define TURNS_MAX        (OPENAI_EARLIER_MAX + 1)
#define TURN_SHARE_MIN   0.05       /* a turn that says less of what is asked is left out */
#define EARLIER_BYTES    (8u << 10) /* of an earlier turn the first and the last half of this */
#define IMAGE_CHARACTERS (OPENAI_IMAGE_TOKENS * 4)

struct turn {
    struct str text;
    double share; /* of what is asked; all shares sum to 1 */
};

/* The last user message; and where that refers back, those before it, each as far as the one after it does. */
static enum status find_turns(const struct openai_request *r, struct arena *a,
                              struct turn turns[TURNS_MAX], size_t *ret_count, struct error *err)
{
    struct str text = r->query;
    double left = 1;
    size_t count = 0;
    for (size_t back = 0;; back++) {
        double refer = back < r->earlier_count ? refer_share(text) : 0;
        if (left * (1 - refer) >= TURN_SHARE_MIN || (refer == 0 && count == 0))
            turns[count++] = (struct turn){text, left * (1 - refer)};
        left *= refer;
        if (left < TURN_SHARE_MIN)
            break;
        enum status status = openai_request_earlier(r, back, a, &text, err);
        if (status != OK)
            return status;
    }
    *ret_count = count;
    return OK;
}

/* What is too long of an earlier turn is cut out of its middle. */
static enum status bound_turn(struct turn *t, struct arena *a, struct error *err)
{
    const size_t half = EARLIER_BYTES / 2;
    if (t->text.len <= EARLIER_BYTES)
        return OK;
    char *joined = arena_alloc(a, EARLIER_BYTES);
    if (!joined)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(joined, t->text.ptr, half);
    memcpy(joined + half, t->text.ptr + t->text.len - half, half);
    t->text = (struct str){joined, EARLIER_BYTES};
    return OK;
}

/* Adds `share` of one turn's estimates; costs follow from the tokens afterwards. */
static void mix(struct estimate *into, const struct estimate *from, double share, size_t count)
{
    float s = (float)share;
    for (size_t i = 0; i < count; i++) {
        into[i].quality += s * from[i].quality;
        into[i].quality_sd += s * from[i].quality_sd;
        into[i].output_tokens += s * from[i].output_tokens;
        into[i].input_tokens += s * from[i].input_tokens;
        into[i].escalation += s * from[i].escalation;
    }
}

/* One turn alone gives the model's own figures, bit by bit. */
static enum status estimate_turns(const struct pool *p, struct turn *turns, size_t count,
                                  struct features *scratch, struct arena *a, struct estimate *into,
                                  double *ret_characters, struct error *err)
{
    struct estimate *one = count > 1 ? ARENA_ARRAY(a, p->model_count, struct estimate) : into;
    double whole = 0, characters = 0;
    if (!one)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    for (size_t i = 0; i < count; i++)
        whole += turns[i].share;
    for (size_t i = 0; i < count; i++) {
        enum status status = i > 0 ? bound_turn(&turns[i], a, err) : OK;
        if (status == OK)
            status = model_encode(p->model, turns[i].text, scratch, err);
        if (status != OK)
            return status;
        model_estimate(p->model, scratch, one);
        characters += turns[i].share / whole * (double)scratch->characters;
        if (count > 1)
            mix(into, one, turns[i].share / whole, p->model_count);
    }
    for (size_t i = 0; count > 1 && i < model_expert_count(p->model); i++)
        into[i].cost_nano_usd = into[i].cost_max_nano_usd =
            model_cost_nano_usd(&model_expert_at(p->model, i)->price, &into[i]);
    *ret_characters = characters;
    return OK;
}

/* What input in the endpoint's cache saves, rounded down. */
static int64_t cached_saving(const struct price *price, uint32_t tokens)
{
    const struct token_counts plain = {.input = tokens},
                              cached = {.input = tokens, .cached = tokens};
    return price_cost_tokens_nano_usd(price, &plain) - price_cost_tokens_nano_usd(price, &cached);
}

/* The rest of the conversation counts by the expert's own tokens per character. */
static void price_expert(const struct pool *p, size_t i, double more_characters, uint32_t *cached,
                         struct estimate *e)
{
    const struct price *price = &p->settings.experts[i].price;
    double slope = model_tokens_per_character(p->model, p->model_index[i]);
    int64_t more = (int64_t)ceil(more_characters * slope);
    if (p->repriced[i])
        e->cost_nano_usd =
            price_cost_nano_usd(price, llroundf(e->input_tokens), llroundf(e->output_tokens));
    e->cost_nano_usd += price_cost_nano_usd(price, more, 0);
    e->input_tokens += (float)more;
    if (*cached > (uint32_t)e->input_tokens)
        *cached = (uint32_t)e->input_tokens;
    if (price->cached_saving_nano_usd_per_m == 0)
        *cached = 0;
    e->cost_nano_usd -= cached_saving(price, *cached);
    if (e->cost_nano_usd < 0)
        e->cost_nano_usd = 0;
    e->cost_max_nano_usd = e->cost_nano_usd;
}

enum status pool_estimate(const struct pool *p, const struct openai_request *r,
                          struct features *scratch, struct arena *a, struct estimate *into,
                          struct pool_choice *c, struct error *err)
{
    struct turn turns[TURNS_MAX];
    size_t turn_count = 0, experts = p->settings.expert_count;
    double characters = 0;
    struct estimate *all = ARENA_ARRAY(a, p->model_count, struct estimate);
    uint32_t *cached = ARENA_ARRAY(a, experts, uint32_t);
    if (!all || !cached)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    enum status status = find_turns(r, a, turns, &turn_count, err);
    if (status == OK)
        status = estimate_turns(p, turns, turn_count, scratch, a, all, &characters, err);
    if (status != OK)
        return status;
    double more = (double)r->input_characters - characters;
    more = (more > 0 ? more : 0) + (double)r->images * IMAGE_CHARACTERS;
    for (size_t i = 0; i < experts; i++) {
        cached[i] = c->target.cached_tokens ? c->target.cached_tokens[i] : 0;
        into[i] = all[p->model_index[i]];
        price_expert(p, i, more, &cached[i], &into[i]);
    }
    for (size_t i = experts; i < p->arm_count; i++) {
        const struct plan *plan = &p->arms[i];
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        for (size_t k = 0; k < plan->member_count; k++)
            members[k] = &into[plan->members[k]];
        into[i] = all[p->model_index[i]];
        plan_price(plan, members, &into[i]);
    }
    c->characters = (float)characters;
    c->cached_tokens = cached;
    return OK;
}
