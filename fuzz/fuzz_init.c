/* leeroo init: whatever an endpoint says that it has, the configuration that is written of it can be read, and what it
 * says of the experts is what was offered. */
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "discover/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES_MAX (32u << 20)
#define EXPERTS_MAX     64

static const char *environment(const char *name, void *arg)
{
    static const char *const set[] = {"AZURE_OPENAI_API_KEY", "OPENROUTER_API_KEY",
                                      "AZURE_OPENAI_ENDPOINT"};
    (void)arg;
    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
        if (str_equal(str_from(set[i]), str_from(name)))
            return i < 2 ? "key" : "https://x.openai.azure.com";
    return NULL;
}

static void check_config(const struct offer_list *offers, size_t marked)
{
    struct buf text;
    struct config *c = NULL;
    struct error err = {0};
    buf_init(&text, CONFIG_BYTES_MAX);
    offers_write_config(offers, STR("2030-01-02"), &text);
    if (text.status != OK) {
        buf_done(&text);
        return;
    }
    CHECK(config_parse(buf_str(&text), "fuzz.yaml", &c, &err) == OK);
    CHECK(c->expert_count == marked);
    for (size_t i = 0, k = 0; i < offers->count; i++) {
        const struct offer *o = &offers->items[i];
        if (!o->marked)
            continue;
        CHECK(str_equal(c->experts[k].name, o->name));
        CHECK(str_equal(c->experts[k].upstream_model, o->model->id));
        CHECK(price_equal(&c->experts[k].price, &o->price));
        k++;
    }
    config_free(c);
    buf_done(&text);
}

static void check_offers(struct endpoint_list *s)
{
    struct offer_list offers = {0};
    struct error err = {0};
    size_t marked = 0;
    if (offers_make(s, &offers, &err) != OK)
        return;
    offers_mark(&offers);
    for (size_t i = 0; i < offers.count && marked < EXPERTS_MAX; i++) {
        CHECK(offer_find(&offers, offers.items[i].name) == &offers.items[i]);
        offers.items[i].marked = offers.items[i].price_from != OFFER_UNPRICED;
        marked += offers.items[i].marked;
    }
    if (marked > 0 && marked < EXPERTS_MAX)
        check_config(&offers, marked);
}

/* The list is that of every endpoint, so that all names come again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(ARENA_BYTES_MAX);
    struct endpoint_list *s = a ? ARENA_NEW(a, struct endpoint_list) : NULL;
    struct str body = {(const char *)data, size};
    struct error err = {0};
    setenv("AZURE_OPENAI_API_KEY", "key", 1); /* the configuration wants to see them */
    setenv("OPENROUTER_API_KEY", "key", 1);
    if (s) {
        s->arena = a;
        enum status status = endpoints_of_environment(s, environment, NULL, &err);
        if (status == OK)
            status = endpoints_of_ports(s, STR("127.0.0.1:8080,gpu-box:1"), &err);
        CHECK(status == OK && s->count == 4);
        for (size_t i = 0; i < s->count; i++)
            if (model_list_parse(body, a, &s->items[i].list, &err) == OK)
                s->items[i].state = ENDPOINT_LISTED;
        check_offers(s);
    }
    arena_free(a);
    return 0;
}
