/* From lists to experts: names, prices, limits, and which to begin with. */
#include "discover_test.h"

static const struct variable keys[] = {
    {"OPENAI_API_KEY", "sk-1"}, {"GROQ_API_KEY", "qk"}, {NULL, NULL}};

static const struct offer *named(const struct offer_list *offers, const char *name)
{
    const struct offer *o = offer_find(offers, str_from(name));
    cr_assert_not_null(o, "%s", name);
    return o;
}

Test(offer, names)
{
    struct endpoint_list *s = endpoints_of(keys, "127.0.0.1:1,127.0.0.1:2");
    answers(s, 0,
            "{\"data\":[{\"id\":\"openai/gpt-oss-20b\"},{\"id\":\"leeroo\"},{\"id\":\"w\\u00e9ird "
            "name\"}]}");
    answers(s, 1, "{\"data\":[{\"id\":\"openai/gpt-oss-20b\"}]}");
    answers(s, 2,
            "{\"data\":[{\"id\":\"gpt-oss-20b\",\"owned_by\":\"vllm\"},{\"id\":\"/m/"
            "gpt-oss-20b.gguf\"}]}");
    answers(s, 3, "{\"data\":[{\"id\":\"gpt-oss-20b\"}]}");
    struct offer_list offers = offers_of(s);
    static const char *const names[] = {"gpt-oss-20b",
                                        "openai/leeroo",
                                        "w--ird-name",
                                        "groq/gpt-oss-20b",
                                        "vllm/gpt-oss-20b",
                                        "vllm/gpt-oss-20b-2",
                                        "127.0.0.1-2/gpt-oss-20b"};
    cr_assert_eq(offers.count, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < offers.count; i++)
        cr_expect(str_equal(offers.items[i].name, str_from(names[i])), "%.*s",
                  STR_FMT(offers.items[i].name));
    cr_expect_eq(offer_find(&offers, STR("/m/gpt-oss-20b.gguf")), &offers.items[5]);
    cr_expect_null(offer_find(&offers, STR("nobody")));
    arena_free(s->arena);
}

Test(offer, prices_and_limits)
{
    struct endpoint_list *s = endpoints_of(keys, "127.0.0.1:1,gpu-box:2");
    answers(s, 0,
            "{\"data\":[{\"id\":\"gpt-5\"},{\"id\":\"gpt-5-pro\"},{\"id\":\"ft:gpt-4o:me\"}]}");
    answers(s, 1, "{\"data\":[{\"id\":\"openai/gpt-oss-120b\",\"context_window\":7}]}");
    answers(s, 2, "{\"data\":[{\"id\":\"llama3.1:8b\",\"owned_by\":\"library\"}]}");
    answers(s, 3, "{\"data\":[{\"id\":\"x\",\"max_model_len\":99}]}");
    struct offer_list offers = offers_of(s);
    cr_expect_eq(offers.responses_only, 1);
    const struct offer *o = named(&offers, "gpt-5");
    cr_expect_eq(o->price_from, OFFER_PRICE_CATALOGUE);
    cr_expect_eq(o->price.output_nano_usd_per_m, 10 * NANO_PER_USD);
    cr_expect_eq(o->context_tokens, 272000);
    cr_expect_eq(o->output_tokens, 128000);
    cr_expect_eq(named(&offers, "ft:gpt-4o:me")->price_from, OFFER_UNPRICED);
    o = named(&offers, "gpt-oss-120b");
    cr_expect_eq(o->price.input_nano_usd_per_m, 150000000, "Groq's");
    cr_expect_eq(o->context_tokens, 7, "the endpoint knows better");
    o = named(&offers, "llama3.1:8b");
    cr_expect_eq(o->price_from, OFFER_PRICE_OWN);
    cr_expect_eq(o->price.output_nano_usd_per_m, 0);
    cr_expect_eq(o->context_tokens, 0);
    o = named(&offers, "x");
    cr_expect_eq(o->price_from, OFFER_PRICE_OWN);
    cr_expect_eq(o->context_tokens, 99);
    arena_free(s->arena);
}

/* Behind a proxy with a key nothing is free. */
Test(offer, behind_a_proxy)
{
    static const struct variable v[] = {
        {"OPENAI_API_KEY", "k"}, {"OPENAI_BASE_URL", "http://127.0.0.1:4000"}, {NULL, NULL}};
    struct endpoint_list *s = endpoints_of(v, "");
    answers(s, 0, "{\"data\":[{\"id\":\"gpt-4o\"},{\"id\":\"llama-3.1-8b\"}]}");
    struct offer_list offers = offers_of(s);
    cr_expect_eq(named(&offers, "gpt-4o")->price_from, OFFER_PRICE_CATALOGUE);
    cr_expect_eq(named(&offers, "llama-3.1-8b")->price_from, OFFER_UNPRICED);
    arena_free(s->arena);
}

static void marked_are(const struct offer_list *offers, const char *expected)
{
    char found[1024] = "";
    for (size_t i = 0; i < offers->count; i++)
        if (offers->items[i].marked) {
            size_t n = strlen(found);
            snprintf(found + n, sizeof(found) - n, "%s%.*s", n ? " " : "",
                     STR_FMT(offers->items[i].name));
        }
    cr_expect_str_eq(found, expected);
}

Test(offer, marks)
{
    struct endpoint_list *s = endpoints_of(keys, "127.0.0.1:1");
    answers(s, 0,
            "{\"data\":[{\"id\":\"gpt-4o\",\"created\":10},{\"id\":\"gpt-4o-2024-08-06\","
            "\"created\":11},"
            "{\"id\":\"gpt-4o-mini\",\"created\":12},{\"id\":\"gpt-4.1-nano\",\"created\":13},"
            "{\"id\":\"gpt-5-mini\",\"created\":14},{\"id\":\"o1\",\"created\":90},{\"id\":\"gpt-"
            "9\",\"created\":"
            "99},{\"id\":\"gpt-5.3-chat-latest\",\"created\":91}]}");
    answers(s, 1, "{\"data\":[{\"id\":\"openai/gpt-oss-20b\"},{\"id\":\"openai/gpt-oss-120b\"}]}");
    answers(s, 2, "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}");
    struct offer_list offers = offers_of(s);
    offers_mark(&offers);
    /* Of the cheap the newest, of the dear none above 30 USD and no name that changes; by name where no date is. */
    marked_are(&offers, "gpt-4o gpt-4.1-nano gpt-5-mini gpt-oss-120b a b");
    arena_free(s->arena);
}

Test(offer, marks_what_has_its_price_from_the_user)
{
    struct error err;
    struct endpoint_list *s = endpoints_of(keys, "127.0.0.1:1");
    answers(s, 0, "{\"data\":[{\"id\":\"gpt-9\"}]}");
    answers(s, 2, "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}");
    struct offer_list offers = offers_of(s);
    cr_assert_eq(offers_set_prices(&offers, STR("gpt-9=1/2,c=0.1/0.2"), &err), OK, "%s", err.text);
    offers_mark(&offers);
    marked_are(&offers, "gpt-9 a b c");
    arena_free(s->arena);
}

Test(offer, marks_have_an_end)
{
    struct arena *a = arena_create(1 << 20);
    static const struct variable v[] = {{"OPENAI_API_KEY", "1"},   {"ANTHROPIC_API_KEY", "2"},
                                        {"GEMINI_API_KEY", "3"},   {"XAI_API_KEY", "4"},
                                        {"DEEPSEEK_API_KEY", "5"}, {NULL, NULL}};
    struct endpoint_list *s = endpoints_of(v, "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    for (size_t i = 0; i < 5; i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_add_c(&b, "{\"data\":[{\"id\":\"tts\"}");
        for (size_t k = 0; k < catalogue_count(); k++)
            if (str_equal(catalogue_at(k)->provider, s->items[i].provider->name))
                buf_addf(&b, ",{\"id\":\"%.*s\"}", STR_FMT(catalogue_at(k)->model));
        buf_add_c(&b, "]}");
        answers(s, i, arena_copy(a, buf_str(&b)).ptr);
        buf_done(&b);
    }
    for (size_t i = 5; i < 8; i++)
        answers(s, i, "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}");
    struct offer_list offers = offers_of(s);
    offers_mark(&offers);
    size_t remote = 0, own = 0;
    for (size_t i = 0; i < offers.count; i++) {
        const struct offer *o = &offers.items[i];
        remote += o->marked && !o->endpoint->own;
        own += o->marked && o->endpoint->own;
        cr_expect(!o->marked || o->price.output_nano_usd_per_m <= 30 * NANO_PER_USD);
    }
    cr_expect_eq(remote, OFFER_MARKS_MAX);
    cr_expect_eq(own, OFFER_MARKS_LOCAL_MAX);
    arena_free(s->arena);
    arena_free(a);
}

static void refused(struct offer_list *offers, const char *words, bool numbers,
                    const char *complaint)
{
    struct error err = {0};
    cr_expect_eq(offers_choose(offers, str_from(words), numbers, &err), ERR_INPUT, "%s", words);
    cr_expect(strstr(err.text, complaint), "%s", err.text);
}

Test(offer, choice)
{
    struct endpoint_list *s = endpoints_of(keys + 2, "127.0.0.1:1");
    answers(s, 0, "{\"data\":[{\"id\":\"a/b\"},{\"id\":\"c\"},{\"id\":\"d\"},{\"id\":\"2\"}]}");
    struct offer_list offers = offers_of(s);
    struct error err;
    cr_assert_eq(offers_choose(&offers, STR("c, d"), false, &err), OK);
    marked_are(&offers, "c d");
    cr_assert_eq(offers_choose(&offers, STR(" 1 3-4\n"), true, &err), OK);
    marked_are(&offers, "b d 2");
    cr_assert_eq(offers_choose(&offers, STR("2"), true, &err), OK);
    marked_are(&offers, "2");
    cr_assert_eq(offers_choose(&offers, STR("a/b"), false, &err), OK, "by the endpoint's own name");
    refused(&offers, "1", false, "there is no '1' among what was found");
    refused(&offers, "d,0", true, "there is no '0'");
    refused(&offers, "3-9", true, "there is no '3-9'");
    refused(&offers, "3-1", true, "there is no '3-1'");
    refused(&offers, "-", true, "there is no '-'");
    refused(&offers, " , ", true, "none was named");
    marked_are(&offers, "b");
    arena_free(s->arena);
}

Test(offer, given_prices)
{
    struct endpoint_list *s = endpoints_of(keys, "");
    struct error err = {0};
    answers(s, 0, "{\"data\":[{\"id\":\"ft:mine\"},{\"id\":\"gpt-4o\"}]}");
    struct offer_list offers = offers_of(s);
    cr_expect_eq(offers_check_marks(&offers, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "--experts"), "%s", err.text);
    cr_assert_eq(offers_choose(&offers, STR("ft:mine"), false, &err), OK);
    cr_expect_eq(offers_check_marks(&offers, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "--price ft:mine=INPUT/OUTPUT"), "%s", err.text);
    cr_assert_eq(offers_set_prices(&offers, STR("ft:mine=1.5/6,gpt-4o=0/0"), &err), OK, "%s",
                 err.text);
    cr_expect_eq(offers.items[0].price.output_nano_usd_per_m, 6 * NANO_PER_USD);
    cr_expect_eq(offers_check_marks(&offers, &err), OK);
    static const char *const wrong[] = {"ft:mine",      "ft:mine=1", "ft:mine=1/",
                                        "ft:mine=-1/1", "=1/1",      "x=1/1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_eq(offers_set_prices(&offers, str_from(wrong[i]), &err), ERR_INPUT, "%s",
                     wrong[i]);
    arena_free(s->arena);
}

/* A list of `count` models, which all have the same last part, or each its own. */
static const char *many(struct buf *b, size_t count, bool alike)
{
    buf_init(b, 1 << 20);
    buf_add_c(b, "{\"data\":[{\"id\":\"first\"}");
    for (size_t i = 0; i < count; i++)
        buf_addf(b, ",{\"id\":\"m%zu%s\"}", i, alike ? "/x" : "");
    buf_add_c(b, "]}");
    buf_add_char(b, 0);
    cr_assert_eq(b->status, OK);
    return b->ptr;
}

Test(offer, one_that_calls_all_alike_hinders_nobody)
{
    struct buf b;
    struct endpoint_list *s = endpoints_of(keys + 2, "127.0.0.1:1,127.0.0.1:2");
    answers(s, 0, many(&b, 3000, true));
    answers(s, 1, "{\"data\":[{\"id\":\"y\"}]}");
    struct offer_list offers = offers_of(s);
    cr_expect_eq(offers.count + offers.unnamed, 3002);
    cr_expect_gt(offers.unnamed, 0);
    cr_assert_not_null(offer_find(&offers, STR("y")));
    buf_done(&b);
    arena_free(s->arena);
}

Test(offer, no_more_than_a_configuration_takes)
{
    struct buf b;
    struct error err = {0};
    struct endpoint_list *s = endpoints_of(keys + 2, "127.0.0.1:1");
    answers(s, 0, many(&b, OFFER_EXPERTS_MAX, false));
    struct offer_list offers = offers_of(s);
    cr_assert_eq(offers_choose(&offers, STR("1-256"), true, &err), OK, "%s", err.text);
    cr_expect_eq(offers_check_marks(&offers, &err), OK, "%s", err.text);
    cr_assert_eq(offers_choose(&offers, STR("1-257"), true, &err), OK, "%s", err.text);
    cr_expect_eq(offers_check_marks(&offers, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "257 experts; a configuration takes at most 256"), "%s", err.text);
    buf_done(&b);
    arena_free(s->arena);
}
