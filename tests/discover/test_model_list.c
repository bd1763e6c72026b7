/* Lists of models as endpoints send them. */
#include "discover/model_list.h"

#include <criterion/criterion.h>

#include "base/buf.h"
#include "catalogue/catalogue.h"

static struct arena *a;

static void begin(void)
{
    a = arena_create(1 << 20);
}

static void end(void)
{
    arena_free(a);
}

TestSuite(model_list, .init = begin, .fini = end);

static struct model_list parsed(const char *body)
{
    struct model_list list = {0};
    struct error err = {0};
    cr_assert_eq(model_list_parse(str_from(body), a, &list, &err), OK, "%s", err.text);
    return list;
}

static void is(const struct model_list *list, size_t i, const char *id)
{
    cr_assert_lt(i, list->count);
    cr_expect(str_equal(list->models[i].id, str_from(id)), "%.*s", STR_FMT(list->models[i].id));
}

Test(model_list, openai)
{
    struct model_list list =
        parsed("{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o\",\"object\":\"model\",\"created\":"
               "1715367049,"
               "\"owned_by\":\"system\"},{\"id\":\"text-embedding-3-small\",\"object\":\"model\"},"
               "{\"id\":\"gpt-4o\"}]}");
    cr_assert_eq(list.count, 1, "no embeddings, and nothing twice");
    cr_expect_eq(list.others, 1);
    is(&list, 0, "gpt-4o");
    cr_expect_eq(list.models[0].made_s, 1715367049);
    cr_expect_eq(list.server.len, 0);
    cr_expect_not(list.models[0].priced);
}

Test(model_list, anthropic)
{
    struct model_list list =
        parsed("{\"data\":[{\"type\":\"model\",\"id\":\"claude-sonnet-4-20250514\",\"display_"
               "name\":\"Claude "
               "Sonnet 4\",\"created_at\":\"2025-02-19T00:00:00Z\"}],\"has_more\":false}");
    is(&list, 0, "claude-sonnet-4-20250514");
    cr_expect_eq(list.models[0].made_s, 1739923200);
}

Test(model_list, local_servers)
{
    struct model_list list =
        parsed("{\"object\":\"list\",\"data\":[{\"id\":\"llama3.1:8b\",\"object\":"
               "\"model\",\"created\":1,\"owned_by\":\"library\"}]}");
    cr_expect(str_equal(list.server, STR("Ollama")));
    list =
        parsed("{\"models\":[{\"name\":\"x\"}],\"object\":\"list\",\"data\":[{\"id\":\"/m/a.gguf\","
               "\"owned_by\":\"llamacpp\",\"meta\":{\"n_ctx_train\":8192,\"n_ctx\":2048}}]}");
    cr_expect(str_equal(list.server, STR("llama-server")));
    is(&list, 0, "/m/a.gguf");
    cr_expect_eq(list.models[0].context_tokens, 2048);
    list =
        parsed("{\"object\":\"list\",\"data\":[{\"id\":\"Qwen/Qwen2.5-7B-Instruct\",\"owned_by\":"
               "\"vllm\",\"max_model_len\":32768}]}");
    cr_expect(str_equal(list.server, STR("vLLM")));
    cr_expect_eq(list.models[0].context_tokens, 32768);
    list = parsed("{\"data\":[{\"id\":\"a\",\"owned_by\":\"organization_owner\"}]}");
    cr_expect(str_equal(list.server, STR("LM Studio")));
    cr_expect_eq(llama_server_context(STR("{\"default_generation_settings\":{\"n_ctx\":4096}}")),
                 4096);
    list = parsed("{\"data\":[{\"id\":\"sees\",\"architecture\":{\"input_modalities\":[\"text\","
                  "\"image\"],\"output_modalities\":[\"text\"]}}]}");
    cr_expect_eq(list.models[0].abilities, CATALOGUE_TOOLS | CATALOGUE_JSON | CATALOGUE_IMAGES);
    cr_expect_eq(llama_server_context(STR("{\"n_ctx\":4096}")), 0);
    cr_expect_eq(llama_server_context(STR("<html>")), 0);
}

Test(model_list, openrouter)
{
    struct model_list list = parsed(
        "{\"data\":[{\"id\":\"openai/gpt-4o-mini\",\"created\":5,\"context_length\":128000,"
        "\"architecture\":{\"input_modalities\":[\"text\",\"image\"],\"output_modalities\":["
        "\"text\"]},"
        "\"pricing\":{\"prompt\":\"0.00000015\",\"completion\":\"0.0000006\",\"input_cache_read\":"
        "\"0.000000075\"},\"top_provider\":{\"max_completion_tokens\":16384},"
        "\"supported_parameters\":[\"tools\",\"response_format\"]},"
        "{\"id\":\"x/free:free\",\"pricing\":{\"prompt\":\"0\",\"completion\":\"0\"}},"
        "{\"id\":\"x/auto\",\"pricing\":{\"prompt\":\"-1\",\"completion\":\"-1\"}},"
        "{\"id\":\"x/draws\",\"architecture\":{\"output_modalities\":[\"image\"]}}]}");
    cr_assert_eq(list.count, 3);
    cr_expect_eq(list.others, 1);
    const struct listed_model *m = list.models;
    cr_expect(m[0].priced && m[1].priced && !m[2].priced);
    cr_expect_eq(m[0].price.input_nano_usd_per_m, 150000000);
    cr_expect_eq(m[0].price.output_nano_usd_per_m, 600000000);
    cr_expect_eq(price_cached_input_nano_usd_per_m(&m[0].price), 75000000);
    cr_expect_eq(m[0].context_tokens, 128000);
    cr_expect_eq(m[0].output_tokens, 16384);
    cr_expect_eq(m[0].abilities, CATALOGUE_TOOLS | CATALOGUE_JSON | CATALOGUE_IMAGES);
    cr_expect_eq(m[1].price.output_nano_usd_per_m, 0);
}

Test(model_list, other_providers)
{
    struct model_list list =
        parsed("[{\"id\":\"meta-llama/"
               "Llama-3.3-70B-Instruct-Turbo\",\"type\":\"chat\",\"context_length\":131072,"
               "\"pricing\":{\"hourly\":0,\"input\":0.88,\"output\":0.88,\"base\":0}},"
               "{\"id\":\"a/hourly\",\"type\":\"chat\",\"pricing\":{\"input\":0,\"output\":0}},"
               "{\"id\":\"a/draws\",\"type\":\"image\"}]");
    cr_assert_eq(list.count, 2);
    cr_expect_eq(list.models[0].price.output_nano_usd_per_m, 880000000);
    cr_expect_not(list.models[1].priced, "rented by the hour is not free");
    list = parsed(
        "{\"data\":[{\"id\":\"mistral-small\",\"max_context_length\":32768,\"capabilities\":{"
        "\"completion_chat\":true,\"function_calling\":true,\"vision\":false},\"deprecation\":"
        "\"2030-01-01\"},{\"id\":\"mistral-fim\",\"capabilities\":{\"completion_chat\":false}}]}");
    cr_assert_eq(list.count, 1);
    cr_expect(list.models[0].abilities_told && list.models[0].abilities == CATALOGUE_TOOLS);
    cr_expect(list.models[0].retiring);
    cr_expect_eq(list.models[0].context_tokens, 32768);
    list = parsed(
        "{\"data\":[{\"id\":\"a\",\"context_window\":10,\"max_completion_tokens\":5,\"active\":"
        "true},{\"id\":\"b\",\"active\":false}]}");
    cr_assert_eq(list.count, 1);
    cr_expect_eq(list.models[0].output_tokens, 5);
    list = parsed(
        "{\"object\":\"list\",\"data\":[{\"id\":\"models/gemini-2.5-pro\",\"object\":\"model\"}]}");
    is(&list, 0, "gemini-2.5-pro");
    list = parsed(
        "{\"models\":[{\"name\":\"command-r\",\"endpoints\":[\"chat\"],\"context_length\":9},"
        "{\"name\":\"command-x\",\"endpoints\":[\"classify\"]}]}");
    cr_assert_eq(list.count, 1);
    is(&list, 0, "command-r");
}

Test(model_list, a_gateway)
{
    struct model_list list =
        parsed("{\"data\":[{\"id\":\"leeroo\",\"owned_by\":\"leeroo\"},{\"id\":\"a\"}]}");
    cr_expect(list.is_gateway);
    list = parsed("{\"data\":[{\"id\":\"sandbox\",\"owned_by\":\"leeroo\"}]}");
    cr_expect_not(list.is_gateway, "computing experts can be asked");
}

Test(model_list, azure_deployments)
{
    struct model_list list = parsed("{\"data\":[{\"id\":\"mine\",\"model\":\"gpt-4o\",\"status\":"
                                    "\"succeeded\",\"object\":\"deployment\"},"
                                    "{\"id\":\"soon\",\"model\":\"gpt-4o\",\"status\":\"running\","
                                    "\"object\":\"deployment\"}]}");
    cr_assert_eq(list.count, 1);
    is(&list, 0, "mine");
    cr_expect(str_equal(list.models[0].made_of, STR("gpt-4o")));
}

Test(model_list, odd)
{
    struct model_list list = {.count = 7};
    struct error err = {0};
    static const char *const wrong[] = {"", "{}", "<html>", "{\"data\":{}}", "3", "{\"error\":{}}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_eq(model_list_parse(str_from(wrong[i]), a, &list, &err), ERR_INPUT, "%s",
                     wrong[i]);
    cr_expect_eq(list.count, 7, "untouched");
    list = parsed("{\"data\":[]}");
    cr_expect_eq(list.count, 0);
    list = parsed("{\"data\":[1,null,{},{\"id\":5},{\"id\":\"a\\u0007b\"},{\"id\":\"\"},"
                  "{\"id\":\"ok\",\"created\":\"x\",\"context_length\":-1,\"pricing\":7}]}");
    cr_assert_eq(list.count, 1);
    is(&list, 0, "ok");
}

Test(model_list, limits_that_no_configuration_takes_are_not_said)
{
    struct model_list list = parsed("{\"data\":[{\"id\":\"a\",\"context_length\":4294967295,"
                                    "\"max_tokens\":1000000001},{\"id\":\"b\",\"context_length\":"
                                    "1000000000}]}");
    cr_expect_eq(list.models[0].context_tokens, 0);
    cr_expect_eq(list.models[0].output_tokens, 0);
    cr_expect_eq(list.models[1].context_tokens, 1000000000);
}

/* Each is looked for among those before: a list of 16 MiB must not hold a person up. */
Test(model_list, long_lists, .timeout = 10)
{
    struct buf b;
    struct error err = {0};
    struct model_list list = {0};
    struct arena *own = arena_create(64 << 20);
    buf_init(&b, MODEL_LIST_BYTES_MAX);
    buf_add_c(&b, "[{\"id\":\"x\"}");
    for (size_t i = 0; i < 600000; i++)
        buf_addf(&b, ",{\"id\":\"%zu\"}", 100000 + i);
    buf_add_c(&b, "]");
    cr_assert_eq(model_list_parse(buf_str(&b), own, &list, &err), OK, "%s", err.text);
    cr_expect_eq(list.count, MODEL_LIST_MODELS_MAX);
    cr_expect_eq(list.left_out, 600001 - MODEL_LIST_MODELS_MAX);
    buf_done(&b);
    arena_free(own);
}

Test(model_list, names_in_every_form)
{
    static const struct {
        const char *body, *id;
        bool there;
        size_t count;
    } rows[] = {{"{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "b", true, 2},
                {"{\"data\":[{\"id\":\"a\"}]}", "b", false, 1},
                {"{\"data\":[{\"id\":\"models/gemini-9\"}]}", "gemini-9", true, 1},
                {"{\"data\":[{\"id\":\"models/gemini-9\"}]}", "models/gemini-9", true, 1},
                {"[{\"id\":\"a\"},{\"id\":\"b/c\"}]", "b/c", true, 2},
                {"{\"models\":[{\"name\":\"a\"}]}", "a", true, 1},
                {"{\"data\":[{\"id\":\"w\\u00e9\"}]}", "w\xc3\xa9", true, 1},
                {"{\"data\":{\"id\":\"a\"}}", "a", false, 0},
                {"<html>", "a", false, 0},
                {"{\"data\":[1,null,\"a\"]}", "a", false, 3}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t count = 99;
        cr_expect_eq(model_list_names(str_from(rows[i].body), str_from(rows[i].id), &count),
                     rows[i].there, "%s", rows[i].body);
        cr_expect_eq(count, rows[i].count, "%s", rows[i].body);
    }
}
