/* The section `orchestrator`: a file or an expert, and what is refused in which line. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define REST                                                                                       \
    "model: m\nexperts:\n  - {name: a, url: \"http://h/v1\", upstream_model: org/a, api_key: "     \
    "env:LEEROO_K}\n"                                                                              \
    "  - {name: c, url: \"http://h\", dialect: anthropic}\n"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct error err = {0};
    setenv("LEEROO_K", "sk-orchestrator", 1);
    cr_assert_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), OK, "%s", err.text);
    return c;
}

static void refuse(const char *text, const char *why)
{
    struct config *c = NULL;
    struct error err = {0};
    setenv("LEEROO_K", "sk-orchestrator", 1);
    cr_expect_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), ERR_INPUT, "%s", text);
    cr_expect(strstr(err.text, why), "%s", err.text);
}

Test(config_orchestrator, a_file_with_its_adapters_lies_beside_the_configuration)
{
    struct config *c = parse(
        REST "orchestrator: {gguf: smol.gguf, lora: [x.gguf, /y.gguf], threads: 2, gpu_layers: 3,\n"
             "  chat_template: chatml, tokens: 300, choices: no, max_wait: 2s}\n"
             "encoders: [{gguf: mini.gguf}]\n");
    cr_assert_eq(c->encoder_count, 2);
    const struct encoder_spec *s = &c->encoders[1];
    cr_expect_str_eq(c->encoders[0].name, "mini");
    cr_expect_str_eq(s->name, "orchestrator");
    cr_expect(s->orchestrates && !s->head);
    cr_expect_str_eq(s->gguf, "dir/smol.gguf");
    cr_expect_str_eq(s->loras, "dir/x.gguf\n/y.gguf");
    cr_expect_str_eq(s->chat_template, "chatml");
    cr_expect_eq(s->threads, 2);
    cr_expect_eq(s->gpu_layers, 3);
    cr_expect_eq(s->tokens, 300);
    cr_expect_eq(s->without_choices, 1);
    cr_expect_eq(s->limits.max_wait_ms, 2000);
    config_free(c);
}

Test(config_orchestrator, an_expert_lends_its_endpoint_and_its_key)
{
    struct config *c = parse(REST "orchestrator: {expert: a, calls: 3}\n");
    const struct encoder_spec *s = c->encoders;
    cr_assert_eq(c->encoder_count, 1);
    cr_expect_str_eq(s->url, "http://h/v1/chat/completions");
    cr_expect_str_eq(s->model, "org/a");
    cr_expect(str_equal(s->key, STR("sk-orchestrator")));
    cr_expect_str_eq(s->key_variable, "env:LEEROO_ENCODER_KEY");
    cr_expect_eq(s->calls, 3);
    cr_expect_eq(s->without_choices, 0);
    cr_expect_str_eq(c->readers[0].name, "orchestrator");
    cr_expect_eq(c->readers[0].price, &c->experts[0].price); /* whoever finds it out */
    config_free(c);
}

Test(config_orchestrator, mistakes_are_named_with_their_line)
{
    refuse(REST "orchestrator: {}\n", "dir/leeroo.yaml:5:15: an orchestrator is a file");
    refuse(REST "orchestrator: {gguf: a, expert: a}\n", "an orchestrator is a file");
    refuse(REST "orchestrator: {expert: b}\n", "there is no expert 'b'");
    refuse(REST "orchestrator: {expert: c}\n", "speaks anthropic, of which no log-probabilities");
    refuse(REST "orchestrator: {expert: a, threads: 2}\n", "are of a file");
    refuse(REST "orchestrator: {expert: a, gpu_layers: 2}\n", "are of a file");
    refuse(REST "orchestrator: {expert: a, lora: x}\n", "lora and chat_template are of a file");
    refuse(REST "orchestrator: {gguf: a, calls: 2}\n", "are of an endpoint");
    refuse(REST "orchestrator: {gguf: a, pooling: mean}\n", "'pooling'");
    refuse(REST "orchestrator: {gguf: a, lora: []}\n", "lora must be a path, or a list");
    refuse(REST "orchestrator: {gguf: a}\nencoders: [{gguf: orchestrator.gguf}]\n",
           "an encoder is called 'orchestrator'");
}
