/* leeroo_router: experts that can be asked, at their prices; leeroo_estimates: what its arms are worth for one text.
 *
 * Any thread. What encoders need for a text is big, so a router keeps what is not in use for the next text, under a
 * lock that is held for as long as a pointer takes to move. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "data/dataset.h"

#define PRICE_MAX (NANO_PER_USD * NANO_PER_USD)

/* Making one */

static int offer_add(struct leeroo_router *r, const struct leeroo_offer *o,
                     struct leeroo_error *err)
{
    struct error why;
    struct price price = {.input_nano_usd_per_m = o->input_nano_usd_per_m,
                          .output_nano_usd_per_m = o->output_nano_usd_per_m};
    if (!o->expert)
        return api_refuse(err, "an offer without the name of an expert");
    if (price.input_nano_usd_per_m < 0 || price.input_nano_usd_per_m > PRICE_MAX ||
        price.output_nano_usd_per_m < 0 || price.output_nano_usd_per_m > PRICE_MAX)
        return api_refuse(err, "the prices of expert '%s' are out of bounds", o->expert);
    size_t at = model_expert_index(r->model->model, str_from(o->expert));
    if (at != SIZE_MAX && text_router_has(r->texts, at))
        return api_refuse(err, "expert '%s' is offered twice", o->expert);
    return api_result(
        err, text_router_add(r->texts, str_from(o->expert), o->priced ? &price : NULL, &why), &why);
}

static int offers_add(struct leeroo_router *r, const struct leeroo_offer *offers, size_t count,
                      struct leeroo_error *err)
{
    const char *at = (const char *)offers;
    int code = LEEROO_OK;
    for (size_t i = 0; i < count && code == LEEROO_OK; i++, at += offers->size) {
        struct leeroo_offer own;
        if (!api_struct_take(&own, sizeof(own), at, offers->size))
            return api_refuse(err,
                              "struct leeroo_offer has no size, or members of a later version");
        code = offer_add(r, &own, err);
    }
    return code;
}

int leeroo_router_create(const struct leeroo_model *model, const struct leeroo_offer *offers,
                         size_t offer_count, struct leeroo_router **ret, struct leeroo_error *err)
{
    struct error why;
    if (!model || !ret)
        return api_refuse(err, "no model to make a router of");
    struct leeroo_router *r = calloc(1, sizeof(*r));
    if (!r)
        return api_no_memory(err);
    atomic_store(&r->holders, 1);
    pthread_mutex_init(&r->lock, NULL); /* on Linux it cannot fail */
    r->model = api_model_hold(model);
    int code = api_result(err, text_router_create(model->model, !offers, &r->texts, &why), &why);
    if (code == LEEROO_OK && offers)
        code = offers_add(r, offers, offer_count, err);
    if (code == LEEROO_OK)
        *ret = r;
    else
        leeroo_router_free(r);
    return code;
}

struct leeroo_router *api_router_hold(const struct leeroo_router *r)
{
    struct leeroo_router *held = (struct leeroo_router *)r;
    atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
    return held;
}

static void features_free(struct features *f)
{
    if (f)
        features_done(f);
    free(f);
}

void leeroo_router_free(struct leeroo_router *router)
{
    if (!router || !api_release(&router->holders))
        return;
    while (router->spare_count > 0)
        features_free(router->spare[--router->spare_count]);
    pthread_mutex_destroy(&router->lock);
    text_router_free(router->texts);
    leeroo_model_free(router->model);
    free(router);
}

/* Texts */

static struct features *features_take(struct leeroo_router *r)
{
    struct features *f = NULL;
    pthread_mutex_lock(&r->lock);
    if (r->spare_count > 0)
        f = r->spare[--r->spare_count];
    pthread_mutex_unlock(&r->lock);
    if (!f && (f = calloc(1, sizeof(*f))) && features_init(f, NULL) != OK) {
        free(f);
        f = NULL;
    }
    return f;
}

static void features_give(struct leeroo_router *r, struct features *f)
{
    pthread_mutex_lock(&r->lock);
    if (r->spare_count < SPARE_FEATURES_MAX) {
        r->spare[r->spare_count++] = f;
        f = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    features_free(f);
}

static int query_check(const struct leeroo_query *q, struct str *ret, struct leeroo_error *err)
{
    const struct error long_text = {.text = "the text is longer than LEEROO_TEXT_BYTES_MAX"};
    const struct error many = {.text = "more than 26 choices: their letters run out at Z"};
    if (!q->text)
        return api_refuse(err, "a query without a text");
    size_t bytes = q->text_bytes == LEEROO_NUL_TERMINATED ? strlen(q->text) : q->text_bytes;
    if (bytes > LEEROO_TEXT_BYTES_MAX)
        return api_result(err, ERR_TOO_LARGE, &long_text);
    if (q->choice_count > QUERY_CHOICES_MAX)
        return api_result(err, ERR_TOO_LARGE, &many);
    for (size_t i = 0; i < q->choice_count; i++)
        if (!q->choices || !q->choices[i])
            return api_refuse(err, "choice %zu is NULL", i + 1);
    *ret = (struct str){q->text, bytes};
    return LEEROO_OK;
}

static int estimates_make(struct leeroo_router *r, struct str prompt, struct leeroo_estimates **ret,
                          struct leeroo_error *err)
{
    struct error why;
    size_t count = model_arm_count(r->model->model);
    struct leeroo_estimates *e = calloc(1, sizeof(*e) + count * sizeof(e->arms[0]));
    struct features *f = features_take(r);
    if (!e || !f) {
        free(e);
        features_free(f);
        return api_no_memory(err);
    }
    int code = api_result(err, text_router_estimate(r->texts, prompt, f, e->arms, &why), &why);
    features_give(r, f);
    if (code != LEEROO_OK) {
        free(e);
        return code;
    }
    atomic_store(&e->holders, 1);
    e->router = api_router_hold(r);
    e->count = count;
    *ret = e;
    return LEEROO_OK;
}

int leeroo_estimate(const struct leeroo_router *router, const struct leeroo_query *query,
                    struct leeroo_estimates **ret, struct leeroo_error *err)
{
    struct leeroo_query q;
    struct str text = {0}, choices[QUERY_CHOICES_MAX];
    struct buf prompt;
    if (!router || !query || !ret)
        return api_refuse(err, "no router, or no query to estimate");
    if (!api_struct_take(&q, sizeof(q), query, query->size))
        return api_refuse(err, "struct leeroo_query has no size, or members of a later version");
    int code = query_check(&q, &text, err);
    if (code != LEEROO_OK)
        return code;
    struct leeroo_router *r = (struct leeroo_router *)router; /* its spare features move */
    if (q.choice_count == 0)
        return estimates_make(r, text, ret, err);
    for (size_t i = 0; i < q.choice_count; i++)
        choices[i] = str_from(q.choices[i]);
    struct error why;
    buf_init(&prompt, LEEROO_TEXT_BYTES_MAX);
    query_prompt(text, choices, (uint32_t)q.choice_count, &prompt);
    code = api_result(err, buf_status(&prompt, &why), &why);
    if (code == LEEROO_OK)
        code = estimates_make(r, buf_str(&prompt), ret, err);
    buf_done(&prompt);
    return code;
}

struct leeroo_estimates *api_estimates_hold(const struct leeroo_estimates *e)
{
    struct leeroo_estimates *held = (struct leeroo_estimates *)e;
    atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
    return held;
}

void leeroo_estimates_free(struct leeroo_estimates *estimates)
{
    if (!estimates || !api_release(&estimates->holders))
        return;
    leeroo_router_free(estimates->router);
    free(estimates);
}

int leeroo_estimates_get(const struct leeroo_estimates *estimates, size_t arm,
                         struct leeroo_estimate *into, struct leeroo_error *err)
{
    if (!estimates || !into || arm >= estimates->count ||
        !text_router_offers(estimates->router->texts, arm))
        return api_refuse(err, "the router has no arm %zu", arm);
    const struct estimate *e = &estimates->arms[arm];
    const struct leeroo_estimate own = {.quality = (double)e->quality,
                                        .quality_sd = (double)e->quality_sd,
                                        .input_tokens = (double)e->input_tokens,
                                        .output_tokens = (double)e->output_tokens,
                                        .escalation = (double)e->escalation,
                                        .cost_nano_usd = e->cost_nano_usd,
                                        .cost_max_nano_usd = e->cost_max_nano_usd};
    if (!api_struct_give(into, &own, sizeof(own)))
        return api_refuse(err, "struct leeroo_estimate has no size");
    return LEEROO_OK;
}
