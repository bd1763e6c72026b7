/* The section `encoders`: files and endpoints, how they are asked, and what is refused in which line. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define REST "model: m\nexperts:\n  - {name: a, url: \"http://h/v1\"}\nencoders:\n"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), OK, "%s", err.text);
    return c;
}

static void refuse(const char *text, const char *why)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_expect_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), ERR_INPUT, "%s", text);
    cr_expect(strstr(err.text, why), "%s", err.text);
}

Test(config_encoders, a_file_lies_beside_the_configuration)
{
    struct config *c = parse(
        REST
        "  - gguf: models/minilm.gguf\n    pooling: mean\n    tokens: 256\n"
        "    threads: 2\n    gpu_layers: 12\n    max_wait: 80ms\n    queue: 9\n    cache: 1MiB\n"
        "  - {gguf: /x/smol.gguf, name: reader, pooling: hidden, layer: 12}\n");
    cr_assert_eq(c->encoder_count, 2);
    const struct encoder_spec *s = c->encoders;
    cr_expect_str_eq(s->name, "minilm");
    cr_expect_str_eq(s->gguf, "dir/models/minilm.gguf");
    cr_expect_eq(s->pooling, ENCODER_POOL_MEAN);
    cr_expect_eq(s->tokens, 256);
    cr_expect_eq(s->threads, 2);
    cr_expect_eq(s->gpu_layers, 12);
    cr_expect_eq(s->limits.max_wait_ms, 80);
    cr_expect_eq(s->limits.queue, 9);
    cr_expect_eq(s->limits.cache_bytes, 1u << 20);
    cr_expect_str_eq(s[1].name, "reader");
    cr_expect_str_eq(s[1].gguf, "/x/smol.gguf");
    cr_expect_eq(s[1].layer, 12);
    config_free(c);
}

Test(config_encoders, an_endpoint_has_a_key_in_the_environment)
{
    setenv("LEEROO_TEST_KEY", "sk-embed", 1);
    struct config *c = parse(REST "  - url: https://h/v1/embeddings\n    model: org/e5\n"
                                  "    api_key: env:LEEROO_TEST_KEY\n    dimensions: 256\n"
                                  "    timeout: 2s\n    calls: 3\n    batch: 16\n"
                                  "    price: {input: 0.02}\n"
                                  "  - {url: 'http://h', model: free}\n");
    const struct encoder_spec *s = c->encoders;
    cr_expect_str_eq(s->name, "e5");
    cr_expect_str_eq(s->url, "https://h/v1/embeddings");
    cr_expect_str_eq(s->model, "org/e5");
    cr_expect(str_equal(s->key, STR("sk-embed")));
    cr_expect_str_eq(s->key_variable, "env:LEEROO_TEST_KEY");
    cr_expect_eq(s->dimensions, 256);
    cr_expect_eq(s->timeout_ms, 2000);
    cr_expect_eq(s->calls, 3);
    cr_expect_eq(s->batch, 16);
    cr_expect_str_eq(c->readers[0].name, "e5");
    cr_expect_eq(c->readers[0].price->input_nano_usd_per_m, 20000000);
    cr_expect_str_eq(c->readers[1].name, "free");
    cr_expect_null(c->readers[1].price);
    config_free(c);
}

Test(config_encoders, mistakes_are_named_with_their_line)
{
    refuse("model: m\nexperts:\n  - {name: a, url: \"http://h/v1\"}\nencoders: {}\n",
           "dir/leeroo.yaml:4:11: encoders must be a list");
    refuse(REST "  - {}\n", "dir/leeroo.yaml:5:5: an encoder is a file");
    refuse(REST "  - {gguf: a, url: \"http://h\"}\n", "an encoder is a file");
    refuse(REST "  - {gguf: a, model: b}\n", "are of an endpoint");
    refuse(REST "  - {gguf: a, pooling: max}\n", "pooling must be own, mean, last or hidden");
    refuse(REST "  - {gguf: a, layer: 0}\n", "layer");
    refuse(REST "  - {gguf: a, max_wait: 0}\n", "max_wait");
    refuse(REST "  - {gguf: a, queue: 0}\n", "queue");
    refuse(REST "  - {gguf: a, price: {input: 1}}\n", "nobody is paid for a file");
    refuse(REST "  - {url: \"http://h\", model: m, price: {output: 1}}\n", "'input'");
    refuse(REST "  - {gguf: a, pool: mean}\n", "'pool'");
    refuse(REST "  - {url: \"http://h\"}\n", "which model?");
    refuse(REST "  - {url: \"http://h\", model: m, api_key: sk-1}\n", "env:NAME");
    refuse(REST "  - {url: \"http://h\", model: m, api_key: \"env:LEEROO_NO_SUCH\"}\n",
           "LEEROO_NO_SUCH is not set");
    refuse(REST "  - {gguf: a/x.gguf}\n  - {gguf: b/x.gguf}\n",
           "dir/leeroo.yaml:6:5: an encoder is called 'x'");
}
