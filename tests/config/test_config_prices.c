/* Prices, limits and abilities that leeroo.yaml does not give. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "config/config.h"

#define USD NANO_PER_USD

static struct config *parse(const char *experts)
{
    struct config *c = NULL;
    struct error err = {0};
    char text[2048];
    snprintf(text, sizeof(text), "model: m\nexperts:\n%s", experts);
    cr_assert_eq(config_parse(str_from(text), "l.yaml", &c, &err), OK, "%s", err.text);
    return c;
}

static struct config *priced(const char *experts)
{
    struct config *c = parse(experts);
    struct error err = {0};
    cr_assert_eq(config_price(c, NULL, &err), OK, "%s", err.text);
    return c;
}

static void unpriced(const char *experts, const char *complaint)
{
    struct config *c = parse(experts);
    struct error err = {0};
    cr_expect_eq(config_price(c, NULL, &err), ERR_INPUT);
    cr_expect(strstr(err.text, complaint), "%s", err.text);
    config_free(c);
}

Test(config_prices, of_the_catalogue)
{
    struct config *c = priced(
        "  - {name: best, url: \"https://api.openai.com/v1\", upstream_model: gpt-4o-2024-08-06}\n"
        "  - {name: claude-opus-4-5, url: \"http://10.0.0.1/v1\", dialect: anthropic}\n"
        "  - {name: llama-3.1-8b-instant, url: \"https://api.groq.com/openai/v1\"}\n"
        "  - {name: mine, url: \"https://x.openai.azure.com/openai/deployments/mine\", dialect: "
        "azure, upstream_model: gpt-4o}\n"
        "  - {name: gpt-4o-mini, url: \"https://llm.corp.example/v1\"}\n");
    static const int64_t input[] = {2500000000, 5 * USD, 50000000, 2500000000, 150000000};
    static const char *const provider[] = {"openai", "anthropic", "groq", "azure", "openai"};
    for (size_t i = 0; i < c->expert_count; i++) {
        cr_expect_eq(c->experts[i].price.input_nano_usd_per_m, input[i], "%zu", i);
        cr_expect_eq(c->origins[i].price_from, CONFIG_PRICE_OF_CATALOGUE);
        cr_expect(str_equal(c->origins[i].known->provider, str_from(provider[i])), "%zu", i);
    }
    cr_expect_eq(price_cache_write_nano_usd_per_m(&c->experts[1].price), 6250000000);
    config_free(c);
}

Test(config_prices, of_the_configuration)
{
    struct config *c = priced("  - {name: gpt-4o, url: \"https://api.openai.com/v1\", price: "
                              "{input: 0, output: 0}, context: 5, capabilities: [], "
                              "output_limit: 7, limit_name: max_tokens}\n"
                              "  - {name: o3, url: \"http://127.0.0.1:1/v1\", price: "
                              "{input: 1, output: 1}}\n");
    const struct expert *e = c->experts;
    cr_expect_eq(e[0].price.input_nano_usd_per_m, 0);
    cr_expect_eq(c->origins[0].price_from, CONFIG_PRICE_CONFIGURED);
    cr_expect_eq(e[0].context_tokens, 5);
    cr_expect_eq(e[0].capabilities, 0);
    cr_expect_eq(e[0].output_limit, 7);
    cr_expect_eq(e[0].limit_name, OPENAI_LIMIT_MAX_TOKENS);
    cr_expect_eq(e[1].context_tokens, 0, "what runs here is as long as it was started with");
    cr_expect_eq(e[1].limit_name, OPENAI_LIMIT_AS_GIVEN);
    cr_expect_eq(e[1].capabilities, EXPERT_TOOLS | EXPERT_IMAGES | EXPERT_JSON);
    config_free(c);
}

Test(config_prices, limits_and_abilities)
{
    struct config *c = priced("  - {name: gpt-5, url: \"https://api.openai.com/v1\"}\n"
                              "  - {name: gpt-3.5-turbo, url: \"https://api.openai.com/v1\"}\n"
                              "  - {name: deepseek-reasoner, url: \"https://api.deepseek.com\"}\n");
    const struct expert *e = c->experts;
    cr_expect_eq(e[0].context_tokens, 272000);
    cr_expect_eq(e[0].output_limit, 128000);
    cr_expect_eq(e[0].capabilities, EXPERT_TOOLS | EXPERT_IMAGES | EXPERT_JSON | EXPERT_EFFORT);
    cr_expect_eq(e[0].limit_name, OPENAI_LIMIT_MAX_COMPLETION_TOKENS);
    cr_expect_eq(e[1].context_tokens, 16385);
    cr_expect_eq(e[1].capabilities, EXPERT_TOOLS | EXPERT_JSON);
    cr_expect_eq(e[1].limit_name, OPENAI_LIMIT_AS_GIVEN);
    cr_expect_eq(e[2].limit_name, OPENAI_LIMIT_AS_GIVEN);
    cr_expect_eq(e[2].capabilities, EXPERT_JSON);
    config_free(c);
}

/* Never 0, and never somebody else's. */
Test(config_prices, unknown)
{
    unpriced("  - {name: x, url: \"https://llm.corp.example/v1\", upstream_model: y}\n",
             "l.yaml:3:12: expert 'x': no price is known for model 'y'; add price: {input: ..., "
             "output: ...}, in USD per million tokens");
    unpriced("  - {name: \"llama3.1:8b\", url: \"http://localhost:11434/v1\"}\n",
             "no price is known for model 'llama3.1:8b' (Together asks {input: 0.18, output: "
             "0.18}); add price: {input: 0, output: 0}, or what it costs you");
    unpriced("  - {name: llama-3.1-8b-instruct, url: \"https://llm.corp.example/v1\"}\n",
             "(Together asks {input: 0.18, output: 0.18}); add price: {input: ..., output: ...}");
    unpriced("  - {name: claude-opus-4-5, url: \"https://api.openai.com/v1\"}\n",
             "no price is known for model 'claude-opus-4-5' (Anthropic asks");
}

Test(config_prices, again)
{
    struct config *c = priced("  - {name: gpt-4o, url: \"https://api.openai.com/v1\"}\n");
    struct error err = {0};
    c->experts[0].price.input_nano_usd_per_m = 1;
    cr_expect_eq(config_price(c, NULL, &err), OK);
    cr_expect_eq(c->experts[0].price.input_nano_usd_per_m, 1);
    config_free(c);
}
