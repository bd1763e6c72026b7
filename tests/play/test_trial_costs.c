/* Self-play and the gateway ask the same experts, in three dialects, one of them failing at first: for the same usage
 * both must find the same cost, to the nano-dollar. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net_test.h"
#include "play/trial.h"
#include "serve/local.h"
#include "serve/serve_test.h"

#define EXPERTS 3

/* What each expert has sent, and in which words it was asked. */
static struct upstream {
    atomic_int calls;      /* of all */
    atomic_int dear_calls; /* it refuses the first of every two */
    char bodies[EXPERTS][512], keys[EXPERTS][64], targets[EXPERTS][128];
} seen;

static const char *const names[EXPERTS] = {"cheap", "mid", "dear"};

static void note(char *into, size_t size, struct str value)
{
    snprintf(into, size, "%.*s", (int)value.len, value.ptr ? value.ptr : "");
}

static void answer(struct http_exchange *x, int http_status, const char *body, bool wait)
{
    const struct http_header headers[] = {{STR("content-type"), STR("application/json")},
                                          {STR("retry-after"), STR("1")}};
    http_respond(x, http_status, headers, wait ? 2 : 1, str_from(body));
}

/* cheap speaks Azure's dialect, mid Anthropic's, dear OpenAI's and refuses at first. */
static void handle(struct http_exchange *x, void *arg)
{
    (void)arg;
    size_t e = str_starts(x->path, STR("/cheap")) ? 0 : str_starts(x->path, STR("/mid")) ? 1 : 2;
    atomic_fetch_add(&seen.calls, 1);
    note(seen.bodies[e], sizeof(seen.bodies[e]), x->body);
    note(seen.keys[e], sizeof(seen.keys[e]), http_header_get(x, e == 1 ? "x-api-key" : "api-key"));
    note(seen.targets[e], sizeof(seen.targets[e]), x->path);
    if (e == 2 && atomic_fetch_add(&seen.dear_calls, 1) % 2 == 0)
        answer(x, 429, "{\"error\":{\"message\":\"slow down\"}}", true);
    else if (e == 1)
        answer(x, 200,
               "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\","
               "\"content\":[{\"type\":\"text\",\"text\":\"The answer is 7.\"}],\"stop_reason\":"
               "\"end_turn\",\"usage\":{\"input_tokens\":100,\"cache_read_input_tokens\":40,"
               "\"cache_creation_input_tokens\":20,\"output_tokens\":30}}",
               false);
    else
        answer(x, 200,
               "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The "
               "answer is 7.\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":160,"
               "\"completion_tokens\":30,\"prompt_tokens_details\":{\"cached_tokens\":40},"
               "\"completion_tokens_details\":{\"reasoning_tokens\":10}}}",
               false);
}

static struct config *make_config(const struct model *model, int port)
{
    char yaml[2048];
    const char *price = "price: {input: 1.5, output: 6, cached_input: 0.25, cache_write: 2, "
                        "reasoning: 9}";
    setenv("TRIAL_KEY", "sk-trial-123456", 1);
    snprintf(
        yaml, sizeof(yaml),
        "drain: {delay: 0}\nexperts:\n"
        "  - {name: cheap, url: \"http://127.0.0.1:%d/cheap\", dialect: azure, api_version: v9,"
        " api_key: \"env:TRIAL_KEY\", %s}\n"
        "  - {name: mid, url: \"http://127.0.0.1:%d/mid\", dialect: anthropic,"
        " api_key: \"env:TRIAL_KEY\", %s}\n"
        "  - {name: dear, url: \"http://127.0.0.1:%d/dear\", retries: 1, %s}\n"
        "policies: {default: {lambda: 1}}\n",
        port, price, port, price, port, price);
    return serve_test_config(model, yaml);
}

static int64_t served_cost(struct local *gateway, const char *name)
{
    char body[256];
    struct buf whole;
    struct local_reply reply;
    struct error err = {0};
    int64_t nano_usd = 0;
    snprintf(body, sizeof(body),
             "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"What is 3 + 4?\"}]}",
             name);
    buf_init(&whole, 1 << 16);
    cr_assert_eq(local_post(gateway, "/v1/chat/completions", str_from(body), NULL, NULL, &whole,
                            &reply, &err),
                 OK, "%s", err.text);
    cr_assert_eq(reply.http_status, 200, "%s: %.*s", name, STR_FMT(buf_str(&whole)));
    cr_assert_eq(money_parse_usd(str_from(reply.cost_usd), &nano_usd), OK, "'%s'", reply.cost_usd);
    cr_expect_str_eq(reply.cost_basis, "usage");
    buf_done(&whole);
    return nano_usd;
}

Test(trial_costs, the_loop_and_the_gateway_find_the_same, .timeout = 60)
{
    struct error err = {0};
    struct trial_result result;
    struct local *gateway;
    struct arena *arena = arena_create(64 << 20);
    struct test_server *upstream = test_server_start(NULL, handle, NULL);
    struct model *model = serve_test_model();
    struct config *config = make_config(model, upstream->port);
    struct query query = {.id = STR("q1"),
                          .text = STR("What is 3 + 4?"),
                          .prompt = STR("What is 3 + 4?"),
                          .answer = STR("7")};
    struct dataset_expert experts[EXPERTS];
    for (size_t i = 0; i < EXPERTS; i++)
        experts[i] = (struct dataset_expert){.name = str_from(names[i])};
    const struct dataset data = {
        .queries = &query, .query_count = 1, .experts = experts, .expert_count = EXPERTS};
    const struct trial_options options = {
        .experts = config->experts, .concurrency = 2, .what = "asking", .seed = 1};
    cr_assert_eq(trial_run(&data, &options, arena, &result, &err), OK, "%s", err.text);
    cr_assert_eq(result.failed, 0, "the refusal was tried again");
    cr_expect_eq(atomic_load(&seen.calls), EXPERTS + 1);
    cr_expect_str_eq(seen.keys[0], "sk-trial-123456", "Azure's header");
    cr_expect_str_eq(seen.keys[1], "sk-trial-123456", "Anthropic's header");
    cr_expect(strstr(seen.bodies[1], "\"max_tokens\":4096"), "Anthropic's words: %s",
              seen.bodies[1]);
    cr_assert_eq(local_start(config, model, NULL, &gateway, &err), OK, "%s", err.text);
    for (size_t i = 0; i < EXPERTS; i++) {
        const struct outcome *o = &result.outcomes[i];
        cr_expect(o->present && o->known && o->cost_known);
        cr_expect(str_equal(result.texts[i], STR("The answer is 7.")));
        cr_expect_eq(o->input_tokens, 160, "%s: %d", names[i], o->input_tokens);
        cr_expect_eq(o->output_tokens, 30);
        cr_expect_gt(o->cost_nano_usd, 0);
        cr_expect_eq(o->cost_nano_usd, served_cost(gateway, names[i]), "%s", names[i]);
    }
    local_stop(gateway);
    config_free(config);
    model_free(model);
    test_server_stop(upstream);
    arena_free(arena);
}
