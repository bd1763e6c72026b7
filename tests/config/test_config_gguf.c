/* Experts of this process in leeroo.yaml: what they have by default, all that can be said, and each mistake. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

static struct config *config;
static struct error err;

static enum status parse(const char *expert)
{
    char yaml[512];
    config_free(config);
    config = NULL;
    snprintf(yaml, sizeof(yaml), "model: m\nexperts:\n  - {name: a, %s}\n", expert);
    return config_parse(str_from(yaml), "/etc/x/leeroo.yaml", &config, &err);
}

static void done(void)
{
    config_free(config);
    config = NULL;
}

TestSuite(config_gguf, .fini = done);

Test(config_gguf, a_path_is_enough)
{
    cr_assert_eq(parse("dialect: gguf, gguf: m/tiny.gguf"), OK, "%s", err.text);
    const struct expert *e = &config->experts[0];
    cr_assert_not_null(e->gguf);
    cr_expect_str_eq(e->gguf->path, "/etc/x/m/tiny.gguf");
    cr_expect(str_equal(e->url, STR("gguf:/etc/x/m/tiny.gguf")));
    cr_expect_eq(e->gguf->slots, 2);
    cr_expect_eq(e->limits.concurrency, 2);
    cr_expect(e->gguf->threads == 0 && e->gguf->gpu_layers == 0 && e->gguf->lora_count == 0 &&
              !e->gguf->chat_template);
    cr_expect_eq(e->capabilities, EXPERT_TOOLS | EXPERT_JSON);
    cr_expect_eq(e->price.output_nano_usd_per_m, 0);
    cr_expect_eq(config->origins[0].price_from, CONFIG_PRICE_CONFIGURED);
}

Test(config_gguf, everything_given)
{
    cr_assert_eq(parse("dialect: gguf, gguf: /t.gguf, slots: 4, concurrency: 3, threads: 2, "
                       "gpu_layers: 9, context: 512, lora: [a.gguf, /b.gguf], chat_template: "
                       "chatml, price: {input: 1, output: 2}, capabilities: [json]"),
                 OK, "%s", err.text);
    const struct expert *e = &config->experts[0];
    cr_expect(e->gguf->slots == 4 && e->limits.concurrency == 3 && e->gguf->threads == 2);
    cr_expect(e->gguf->gpu_layers == 9 && e->context_tokens == 512 && e->gguf->lora_count == 2);
    cr_expect_str_eq(e->gguf->loras[0], "/etc/x/a.gguf");
    cr_expect_str_eq(e->gguf->loras[1], "/b.gguf");
    cr_expect_str_eq(e->gguf->chat_template, "chatml");
    cr_expect_eq(e->price.output_nano_usd_per_m, 2000000000);
    cr_expect_eq(e->capabilities, EXPERT_JSON);
}

static void refused(const char *expert, const char *says)
{
    cr_expect_eq(parse(expert), ERR_INPUT, "%s", expert);
    cr_expect(strstr(err.text, says), "%s: %s", expert, err.text);
}

Test(config_gguf, mistakes_name_their_place_and_mend)
{
    refused("dialect: gguf", "an expert of dialect gguf lacks the key 'gguf'");
    refused("dialect: gguf, gguf: x, url: \"http://h\"", "leave it out");
    refused("url: \"http://h\", gguf: x",
            "gguf: it is for a model in this process; add dialect: gguf");
    refused("url: \"http://h\", slots: 2", "slots: it is for a model in this process");
    refused("dialect: gguf, gguf: x, slots: 0", "slots");
    refused("dialect: gguf, gguf: x, slots: 65", "slots");
    refused("dialect: gguf, gguf: x, lora: a", "lora must be a list of 1 to 8 paths");
    refused("dialect: gguf, gguf: x, threads: many", "threads");
    refused("dialect: openai", "an expert lacks the key 'url'");
}

Test(config_gguf, logprobs_are_asked_for_unless_the_entry_says_no)
{
    cr_assert_eq(parse("dialect: gguf, gguf: x"), OK, "%s", err.text);
    cr_expect(config->experts[0].logprobs);
    cr_assert_eq(parse("dialect: gguf, gguf: x, logprobs: false"), OK, "%s", err.text);
    cr_expect_not(config->experts[0].logprobs);
    cr_assert_eq(parse("url: \"http://h\""), OK, "%s", err.text);
    cr_expect_not(config->experts[0].logprobs, "others may refuse them");
    cr_assert_eq(parse("url: \"http://h\", logprobs: true"), OK, "%s", err.text);
    cr_expect(config->experts[0].logprobs);
    cr_assert_eq(parse("url: \"http://h\", dialect: anthropic, logprobs: false"), OK, "%s",
                 err.text);
    refused("url: \"http://h\", logprobs: 2", "logprobs must be true or false");
    refused("url: \"http://h\", dialect: anthropic, logprobs: true",
            "leeroo.yaml:3:62: logprobs: dialect anthropic has no log-probabilities; leave it out");
}
