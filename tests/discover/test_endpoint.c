/* Where keys and ports lead. */
#include "discover_test.h"

#define NONE                                                                                       \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

static void is(const struct endpoint_list *s, size_t i, const char *url, const char *list_url,
               const char *provider)
{
    cr_assert_lt(i, s->count);
    const struct endpoint *x = &s->items[i];
    cr_expect(str_equal(x->url, str_from(url)), "%.*s", STR_FMT(x->url));
    cr_expect(str_equal(x->list_url, str_from(list_url)), "%.*s", STR_FMT(x->list_url));
    cr_expect_eq(x->provider, provider_find(str_from(provider)));
}

Test(endpoint, providers)
{
    static const struct variable v[] = {{"OPENAI_API_KEY", " sk-1 "}, {"ANTHROPIC_API_KEY", "ak"},
                                        {"GOOGLE_API_KEY", "gk"},     {"MISTRAL_API_KEY", ""},
                                        {"GROQ_API_KEY", "qk"},       NONE};
    struct endpoint_list *s = endpoints_of(v, "");
    cr_assert_eq(s->count, 4);
    is(s, 0, "https://api.openai.com/v1", "https://api.openai.com/v1/models", "openai");
    cr_expect(str_equal(s->items[0].key, STR("sk-1")));
    cr_expect_str_eq(s->items[0].key_name, "OPENAI_API_KEY");
    cr_expect(s->items[0].remote && !s->items[0].own);
    is(s, 1, "https://api.anthropic.com/v1", "https://api.anthropic.com/v1/models?limit=1000",
       "anthropic");
    cr_expect_eq(s->items[1].dialect, &dialect_anthropic);
    cr_expect_str_eq(s->items[2].key_name, "GOOGLE_API_KEY");
    arena_free(s->arena);
}

Test(endpoint, elsewhere)
{
    static const struct variable v[] = {
        {"OPENAI_BASE_URL", "http://127.0.0.1:9/v1/"},      {"ANTHROPIC_API_KEY", "ak"},
        {"ANTHROPIC_BASE_URL", "https://proxy.example"},    {"XAI_API_KEY", "xk"},
        {"XAI_BASE_URL", "https://api.groq.com/openai/v1"}, NONE};
    struct endpoint_list *s = endpoints_of(v, "");
    cr_assert_eq(s->count, 3);
    is(s, 0, "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/models", "");
    cr_expect_null(s->items[0].key_name, "a base URL does without a key");
    cr_expect_not(s->items[0].remote);
    cr_expect_not(s->items[0].own, "what stands behind a proxy has its price");
    cr_expect(str_equal(s->items[0].title, STR("127.0.0.1:9")));
    is(s, 1, "https://proxy.example/v1", "https://proxy.example/v1/models?limit=1000", "anthropic");
    is(s, 2, "https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1/models", "groq");
    arena_free(s->arena);
}

Test(endpoint, azure)
{
    static const struct variable listed[] = {
        {"AZURE_OPENAI_API_KEY", "k"},
        {"AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com/"},
        NONE};
    static const struct variable named[] = {{"AZURE_OPENAI_API_KEY", "k"},
                                            {"AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com"},
                                            {"AZURE_OPENAI_DEPLOYMENTS", "gpt-4o, mine,"},
                                            {"OPENAI_API_VERSION", "2025-01-01"},
                                            NONE};
    static const struct variable half[] = {{"AZURE_OPENAI_API_KEY", "k"}, NONE};
    struct endpoint_list *s = endpoints_of(listed, "");
    cr_assert_eq(s->count, 1);
    is(s, 0, "https://x.openai.azure.com/openai",
       "https://x.openai.azure.com/openai/deployments?api-version=2023-03-15-preview", "azure");
    cr_expect_eq(s->items[0].state, ENDPOINT_NOT_ASKED);
    arena_free(s->arena);
    s = endpoints_of(named, "");
    cr_expect_eq(s->items[0].state, ENDPOINT_LISTED, "there is nothing to ask");
    cr_assert_eq(s->items[0].list.count, 2);
    cr_expect(str_equal(s->items[0].api_version, STR("2025-01-01")));
    struct offer_list offers = offers_of(s);
    cr_expect(str_equal(offers.items[0].url,
                        STR("https://x.openai.azure.com/openai/deployments/gpt-4o")));
    cr_expect_eq(offers.items[0].price_from, OFFER_PRICE_CATALOGUE);
    cr_expect_eq(offers.items[1].price_from, OFFER_UNPRICED);
    arena_free(s->arena);
    s = endpoints_of(half, "");
    cr_expect_eq(s->count, 0);
    arena_free(s->arena);
}

Test(endpoint, ports)
{
    static const struct variable v[] = {{"OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"}, NONE};
    struct endpoint_list *s =
        endpoints_of(v, " 127.0.0.1:8000, localhost:1,[::1]:2,gpu-box:3,"
                        "http://127.0.0.1:4/api/v1/,https://api.openai.com/v1");
    cr_assert_eq(s->count, 6, "one is there already");
    is(s, 1, "http://localhost:1/v1", "http://localhost:1/v1/models", "");
    cr_expect(s->items[1].own && !s->items[1].remote);
    is(s, 2, "http://[::1]:2/v1", "http://[::1]:2/v1/models", "");
    cr_expect_not(s->items[2].remote);
    is(s, 3, "http://gpu-box:3/v1", "http://gpu-box:3/v1/models", "");
    cr_expect(s->items[3].own && s->items[3].remote, "another machine is asked with consent only");
    is(s, 4, "http://127.0.0.1:4/api/v1", "http://127.0.0.1:4/api/v1/models", "");
    is(s, 5, "https://api.openai.com/v1", "https://api.openai.com/v1/models", "openai");
    cr_expect_not(s->items[5].own);
    arena_free(s->arena);
    s = endpoints_of(v + 1, ENDPOINT_LOCAL_PORTS);
    cr_expect_eq(s->count, 4);
    arena_free(s->arena);
}

static void fails(const struct variable *v, const char *ports, const char *complaint)
{
    struct arena *a = arena_create(1 << 20);
    struct endpoint_list *s = ARENA_NEW(a, struct endpoint_list);
    struct error err = {0};
    s->arena = a;
    enum status status = endpoints_of_environment(s, look_up, (void *)(uintptr_t)v, &err);
    if (status == OK)
        status = endpoints_of_ports(s, str_from(ports), &err);
    cr_expect_eq(status, ERR_INPUT);
    cr_expect(strstr(err.text, complaint), "%s", err.text);
    arena_free(a);
}

Test(endpoint, mistakes)
{
    static const struct variable none[] = {NONE};
    static const struct variable base[] = {{"OPENAI_BASE_URL", "ftp://x"}, NONE};
    static const struct variable secret[] = {{"OPENAI_BASE_URL", "https://me:pass@x/v1"}, NONE};
    static const struct variable azure[] = {
        {"AZURE_OPENAI_API_KEY", "k"}, {"AZURE_OPENAI_ENDPOINT", "x.openai.azure.com"}, NONE};
    fails(base, "", "OPENAI_BASE_URL is no URL: it must be like https://api.openai.com/v1");
    fails(secret, "", "OPENAI_BASE_URL is no URL");
    fails(azure, "", "AZURE_OPENAI_ENDPOINT is no URL: it must be like");
    static const struct variable version[] = {{"AZURE_OPENAI_API_KEY", "k"},
                                              {"AZURE_OPENAI_ENDPOINT", "https://x.example"},
                                              {"OPENAI_API_VERSION", "2024\n#"},
                                              NONE};
    static const struct variable deployment[] = {{"AZURE_OPENAI_API_KEY", "k"},
                                                 {"AZURE_OPENAI_ENDPOINT", "https://x.example"},
                                                 {"AZURE_OPENAI_DEPLOYMENT", "gpt-4o,a b"},
                                                 NONE};
    fails(version, "", "OPENAI_API_VERSION is no version: it must be like 2024-10-21");
    fails(deployment, "", "AZURE_OPENAI_DEPLOYMENT names what cannot be a deployment");
    fails(none, "127.0.0.1",
          "--local: '127.0.0.1' is neither HOST:PORT nor the base URL of an API");
    fails(none, "127.0.0.1:0", "neither HOST:PORT");
    fails(none, "127.0.0.1:65536", "neither HOST:PORT");
    fails(none, ":80", "neither HOST:PORT");
    fails(none, "a\"b:80", "neither HOST:PORT");
}

/* No configuration could take it. */
Test(endpoint, a_key_with_a_line_end_is_none_of_named_deployments_either)
{
    static const struct variable v[] = {{"AZURE_OPENAI_API_KEY", "zk-0123\n4567"},
                                        {"AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com"},
                                        {"AZURE_OPENAI_DEPLOYMENTS", "gpt-4o"},
                                        NONE};
    struct endpoint_list *s = endpoints_of(v, "");
    struct error err = {0};
    cr_assert_eq(s->items[0].state, ENDPOINT_LISTED);
    cr_assert_eq(endpoint_ask(s, &err), OK, "%s", err.text);
    cr_expect_eq(s->items[0].state, ENDPOINT_BROKEN);
    cr_expect(strstr(s->items[0].text, "AZURE_OPENAI_API_KEY holds no key"), "%s",
              s->items[0].text);
    cr_expect_eq(offers_of(s).count, 0);
    arena_free(s->arena);
}

Test(endpoint, of_the_catalogue)
{
    static const struct variable v[] = {{"PERPLEXITY_API_KEY", "k"}, {"GROQ_API_KEY", "k"}, NONE};
    struct endpoint_list *s = endpoints_of(v, "");
    struct error err;
    cr_assert_eq(s->count, 2);
    for (size_t i = 0; i < 2; i++) {
        s->items[i].state = ENDPOINT_NO_LIST;
        cr_assert_eq(endpoint_take_catalogue(&s->items[i], s->arena, &err), OK);
    }
    cr_expect_eq(s->items[0].state, ENDPOINT_LISTED);
    cr_expect(s->items[0].from_catalogue && s->items[0].list.count > 2);
    struct offer_list offers = offers_of(s);
    cr_assert_not_null(offer_find(&offers, STR("sonar")));
    cr_expect_eq(offer_find(&offers, STR("sonar"))->price_from, OFFER_PRICE_CATALOGUE);
    cr_expect_eq(s->items[1].state, ENDPOINT_NO_LIST, "what others host comes and goes");
    arena_free(s->arena);
}
