/* The file that is written says what was found, and is one that the gateway reads. */
#include "config/config.h"
#include "discover_test.h"

static struct config *written(struct endpoint_list *s, struct buf *text)
{
    struct offer_list offers = offers_of(s);
    struct config *c = NULL;
    struct error err = {0};
    for (size_t i = 0; i < offers.count; i++)
        offers.items[i].marked = offers.items[i].price_from != OFFER_UNPRICED;
    buf_init(text, 1 << 20);
    offers_write_config(&offers, STR("2030-01-02"), text);
    cr_assert_eq(config_parse(buf_str(text), "l.yaml", &c, &err), OK, "%s\n%s", err.text,
                 text->ptr);
    return c;
}

Test(offer_config, everything)
{
    static const struct variable v[] = {{"OPENAI_API_KEY", "sk-secret-1"},
                                        {"ANTHROPIC_API_KEY", "ak-secret-1"},
                                        {"AZURE_OPENAI_API_KEY", "zk-secret-1"},
                                        {"AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com"},
                                        {"AZURE_OPENAI_DEPLOYMENTS", "o3"},
                                        {NULL, NULL}};
    setenv("OPENAI_API_KEY", "sk-secret-1", 1);
    setenv("ANTHROPIC_API_KEY", "ak-secret-1", 1);
    setenv("AZURE_OPENAI_API_KEY", "zk-secret-1", 1);
    struct endpoint_list *s = endpoints_of(v, "127.0.0.1:8080");
    struct buf text;
    answers(s, 0, "{\"data\":[{\"id\":\"gpt-5\"},{\"id\":\"ft:x\"}]}");
    answers(s, 1, "{\"data\":[{\"id\":\"claude-opus-4-5-20251101\"}]}");
    answers(s, 3, "{\"data\":[{\"id\":\"a \\\"quoted\\\": # \\u00fc\",\"owned_by\":\"library\"}]}");
    struct config *c = written(s, &text);
    cr_assert_null(strstr(text.ptr, "secret"), "no key is in the file");
    cr_assert_eq(c->expert_count, 4);
    const struct expert *e = c->experts;
    cr_expect(str_equal(e[0].name, STR("gpt-5")) && str_equal(e[0].api_key, STR("sk-secret-1")));
    cr_expect_eq(e[0].limit_name, OPENAI_LIMIT_MAX_COMPLETION_TOKENS);
    cr_expect_eq(e[0].context_tokens, 272000);
    cr_expect_eq(e[0].output_limit, 128000);
    cr_expect_eq(e[0].capabilities, EXPERT_TOOLS | EXPERT_IMAGES | EXPERT_JSON | EXPERT_EFFORT);
    cr_expect_eq(price_cached_input_nano_usd_per_m(&e[0].price), 125000000);
    cr_expect_eq(e[1].dialect, &dialect_anthropic);
    cr_expect_eq(price_cache_write_nano_usd_per_m(&e[1].price), 6250000000);
    cr_expect_eq(e[1].capabilities, EXPERT_TOOLS | EXPERT_IMAGES | EXPERT_JSON);
    cr_expect_eq(e[2].dialect, &dialect_azure);
    cr_expect(str_equal(e[2].url, STR("https://x.openai.azure.com/openai/deployments/o3")));
    cr_expect(str_equal(e[2].api_version, STR("2024-10-21")));
    cr_expect(str_equal(e[3].upstream_model, STR("a \"quoted\": # \xc3\xbc")));
    cr_expect_eq(e[3].price.input_nano_usd_per_m, 0);
    cr_expect(str_equal(c->listen, STR("127.0.0.1:8090")), "8080 is taken");
    cr_expect_eq(c->policy_count, 3);
    cr_expect(str_equal(c->policies[c->default_policy].name, STR("default")));
    for (size_t i = 0; i < c->expert_count; i++)
        cr_expect_eq(c->origins[i].price_from, CONFIG_PRICE_CONFIGURED);
    cr_expect(strstr(text.ptr, "# LiteLLM 1.110.2, 2026-11-20\n"), "%s", text.ptr);
    config_free(c);
    buf_done(&text);
    arena_free(s->arena);
}

Test(offer_config, comments)
{
    struct endpoint_list *s =
        endpoints_of((struct variable[]){{NULL, NULL}}, "127.0.0.1:1,gpu-box:2");
    struct buf text;
    answers(s, 0, "{\"data\":[{\"id\":\"yes\",\"owned_by\":\"library\"}]}");
    answers(s, 1,
            "{\"data\":[{\"id\":\"1e3\",\"pricing\":{\"prompt\":\"0.0000015\",\"completion\":\"0."
            "000006\"}}]}");
    s->items[1].title = STR("line\nlisten: 0.0.0.0:1");
    struct config *c = written(s, &text);
    cr_expect(str_equal(c->experts[0].name, STR("yes")));
    cr_expect(str_equal(c->experts[1].name, STR("1e3")));
    cr_expect(str_equal(c->listen, STR("127.0.0.1:8080")));
    cr_expect(strstr(text.ptr, "Ollama's num_ctx"));
    cr_expect(
        strstr(text.ptr, "price: {input: 1.50, output: 6}  # as its endpoint said on 2030-01-02"),
        "%s", text.ptr);
    config_free(c);
    buf_done(&text);
    arena_free(s->arena);
}
