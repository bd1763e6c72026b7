/* What a request cost: to the nano-dollar, whoever reports it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ask/asking_int.h"
#include "base/log.h"
#include "serve/chat_int.h"
#include "stage.h"
#include "watch/metrics_count.h"

/* A chat that no gateway runs: cheap at half a nano-dollar a token, dear at round prices. */
static struct scene {
    struct expert experts[2];
    struct route_policy policy;
    struct config config;
    struct gateway gateway;
    struct snapshot snapshot;
    struct worker worker;
    struct http_exchange x;
    struct estimate estimates[2];
    size_t order[2];
    struct asking asking; /* which asked nobody: what it paid is written into it */
    struct chat chat;
} scene;

static struct chat *begin(void)
{
    struct scene *s = &scene;
    s->experts[0] =
        (struct expert){.name = STR("cheap"),
                        .dialect = &dialect_openai,
                        .price = {.input_nano_usd_per_m = 500000, .output_nano_usd_per_m = 500000}};
    s->experts[1] = (struct expert){
        .name = STR("dear"),
        .dialect = &dialect_openai,
        .price = {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 15000000000}};
    s->policy.name = STR("default");
    s->config.experts = s->experts;
    s->config.expert_count = 2;
    s->config.policies = &s->policy;
    s->config.policy_count = 1;
    s->snapshot.config = &s->config;
    s->chat.snapshot = &s->snapshot;
    s->worker.gateway = &s->gateway;
    s->x.arena = arena_create(1 << 20);
    cr_assert_eq(loop_create(&s->worker.loop, NULL), OK);
    cr_assert(s->worker.watch.metrics = metrics_create());
    s->estimates[0] = (struct estimate){.quality = 0.25f, .cost_nano_usd = 7, .input_tokens = 3};
    s->estimates[1] = (struct estimate){
        .quality = 0.5f, .cost_nano_usd = 1234567890, .input_tokens = 11, .output_tokens = 22};
    s->order[1] = 1;
    s->chat.worker = &s->worker;
    s->chat.x = &s->x;
    s->chat.chosen = true;
    s->chat.choice = (struct pool_choice){.target = {.expert = SIZE_MAX},
                                          .decision = {.lambda = 12.5},
                                          .estimates = s->estimates,
                                          .order = s->order,
                                          .order_count = 2,
                                          .input_tokens = 40};
    s->asking = (struct asking){.main = &s->asking.attempts[0]};
    s->chat.asking = &s->asking;
    snprintf(s->chat.id, sizeof(s->chat.id), "req_1");
    return &s->chat;
}

static void end(void)
{
    arena_free(scene.x.arena);
    loop_free(scene.worker.loop);
    metrics_free(scene.worker.watch.metrics);
}

Test(account, a_prediction_is_priced_as_its_estimate)
{
    struct chat *c = begin();
    c->asking->standing = 1;
    struct cost predicted = chat_cost_predicted(c);
    cr_expect_eq(predicted.basis, COST_PREDICTED);
    cr_expect_eq(predicted.nano_usd, 1234567890);
    cr_expect_eq(predicted.tokens.input, 11);
    cr_expect_eq(predicted.tokens.output, 22);
    end();
}

Test(account, headers_carry_the_decision_and_the_cost)
{
    static const char *const wanted[][2] = {
        {"x-leeroo-request-id", "req_1"},     {"x-request-id", "req_1"},
        {"x-leeroo-expert", "dear"},          {"x-leeroo-plan", "single"},
        {"x-leeroo-lambda", "12.5"},          {"x-leeroo-cost-usd", "1.000000042"},
        {"x-leeroo-cost-basis", "estimated"},
    };
    struct chat *c = begin();
    struct http_header headers[CHAT_HEADERS_MAX];
    const struct cost cost = {.basis = COST_ESTIMATED, .nano_usd = NANO_PER_USD + 42};
    c->asking->standing = 1;
    size_t count = chat_headers(c, &cost, headers);
    cr_assert_eq(count, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; i < count; i++) {
        cr_expect(str_equal(headers[i].name, str_from(wanted[i][0])));
        cr_expect(str_equal(headers[i].value, str_from(wanted[i][1])), "%s: %.*s", wanted[i][0],
                  STR_FMT(headers[i].value));
    }
    end();
}

static void pay(struct chat *c, size_t candidate, enum call_outcome outcome,
                const struct cost *cost)
{
    c->asking->paid[c->asking->paid_count++] =
        (struct asking_paid){.candidate = candidate, .outcome = outcome, .cost = *cost};
}

static void note(struct chat *c, enum call_outcome outcome, int64_t nano_usd)
{
    const struct cost cost = {.basis = COST_USAGE, .nano_usd = nano_usd};
    pay(c, c->asking->standing, outcome, &cost);
}

Test(account, the_sum_of_all_calls_is_what_it_cost)
{
    struct chat *c = begin();
    struct cost sum = chat_cost_total(c);
    cr_expect(sum.nano_usd == 0 && sum.basis == COST_ESTIMATED, "nobody reported anything");
    const struct cost
        unreported = {.basis = COST_ESTIMATED},
        told = {.basis = COST_USAGE, .nano_usd = 7, .tokens = {.input = 3, .output = 4}},
        guessed = {.basis = COST_ESTIMATED, .nano_usd = 5, .tokens = {.input = 2, .output = 1}},
        much = {.basis = COST_USAGE, .nano_usd = INT64_MAX, .tokens = {.input = 1, .output = 1}};
    pay(c, 0, CALL_FAILED, &unreported);
    pay(c, 1, CALL_ANSWERED, &told);
    sum = chat_cost_total(c);
    cr_expect(sum.nano_usd == 7 && sum.basis == COST_USAGE, "what failed for nothing says nothing");
    pay(c, 0, CALL_CANCELLED, &guessed);
    sum = chat_cost_total(c);
    cr_expect_eq(sum.nano_usd, 12);
    cr_expect_eq(sum.basis, COST_ESTIMATED);
    cr_expect(sum.tokens.input == 5 && sum.tokens.output == 5);
    sum = chat_cost_predicted(c);
    cr_expect_eq(sum.nano_usd, 12 + 7, "and the candidate's estimate");
    cr_expect_eq(sum.basis, COST_PREDICTED);
    pay(c, 0, CALL_ANSWERED, &much);
    cr_expect_eq(chat_cost_total(c).nano_usd, INT64_MAX);
    end();
}

static const char *account(struct chat *c, int http_status, int64_t nano_usd, const char *problem)
{
    static char text[4096];
    log_catch();
    c->asking->paid_count = 0;
    note(c, CALL_ANSWERED, nano_usd);
    chat_account(c, REQUEST_ANSWERED, http_status, problem);
    snprintf(text, sizeof(text), "%s", log_read());
    log_release();
    return text;
}

Test(account, one_line_says_it_all)
{
    struct chat *c = begin();
    c->choice.target.policy = SIZE_MAX; /* no budget to tell */
    c->asking->standing = 1;
    c->asking->calls = 3;
    c->request.model = STR("leeroo/my \"own\"");
    const char *line = account(c, 200, 1500, NULL);
    cr_expect(strstr(line, " front=chat key=- model=\"leeroo/my \\\"own\\\"\" cached_tokens=0 "),
              "%s", line);
    cr_expect(strstr(line, " reference_usd=0.000000007 hedged=0"), "%s", line);
    cr_expect(strstr(line, "msg=request req=req_1 policy=- expert=dear plan=single status=200 "),
              "%s", line);
    cr_expect(strstr(line, " predicted_usd=1.234567890 cost_usd=0.000001500 basis=usage "), "%s",
              line);
    cr_expect(strstr(line, " attempts=3 first_token_ms=-1 "), "%s", line);
    cr_expect(!strstr(line, "error="), "%s", line);
    cr_expect(!strchr(line, '\n') || !strchr(line, '\n')[1], "one line: %s", line);
    line = account(c, 502, 0, "two \"words\"\nand a line");
    cr_expect(strstr(line, " error=\"two \\\"words\\\" and a line\"\n"), "%s", line);
    c->chosen = false;
    line = account(c, 400, 0, "bad");
    cr_expect(strstr(line, "msg=request req=req_1 status=400 total_ms="), "%s", line);
    cr_expect(!strstr(line, "expert="), "%s", line);
    end();
}

static double lambda_now(struct pool *pool)
{
    struct openai_request request;
    struct pool_choice choice;
    struct error err = {0};
    struct arena *arena = arena_create(1 << 20);
    cr_assert_eq(
        openai_request_parse(STR("{\"text\":\"prove lemma\"}"), false, arena, &request, NULL, &err),
        OK);
    cr_assert_eq(serve_test_choose(pool, &request, (struct pool_target){.expert = SIZE_MAX}, arena,
                                   &choice, &err),
                 OK, "%s", err.text);
    arena_free(arena);
    return choice.decision.lambda;
}

/* What failed for nothing is no request that the budget allowed for; what a client left behind is. */
Test(account, the_budget_hears_of_what_was_spent)
{
    struct chat *c = begin();
    struct model *model = serve_test_model();
    struct config *config =
        serve_test_config(model, SERVE_TEST_EXPERTS "policies: {default: {budget: 0.1}}\n");
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &scene.snapshot.pool, NULL), OK);
    scene.snapshot.config = config;
    double before = lambda_now(scene.snapshot.pool);
    log_set_level(LOG_OFF);
    note(c, CALL_FAILED, 0);
    for (int i = 0; i < 200; i++)
        chat_account(c, REQUEST_FAILED, 502, "down");
    cr_expect_eq(lambda_now(scene.snapshot.pool), before);
    note(c, CALL_CANCELLED, NANO_PER_USD / 1000);
    for (int i = 0; i < 200; i++)
        chat_account(c, REQUEST_CANCELLED, 499, "client gone");
    cr_expect_gt(lambda_now(scene.snapshot.pool), before);
    pool_free(scene.snapshot.pool);
    config_free(config);
    model_free(model);
    end();
}
