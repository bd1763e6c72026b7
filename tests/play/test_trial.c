/* A trial over real HTTP: outcomes are what the sandbox experts answered, and failures leave holes. */
#include "play/trial.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "judge/answer_text.h"
#include "pose/question_set.h"
#include "rehearse/sandbox.h"
#include "rehearse/upstream.h"

static struct sandbox sandbox = {1};
static struct upstream_pool *pool;
static struct faults *faults;
static struct dataset *questions;
static struct arena *arena;
static char url[96];
static struct expert experts[SANDBOX_EXPERT_COUNT];

static void start(const char *fail_500)
{
    struct error err;
    char bound[64];
    struct rehearse_source source = sandbox_source(&sandbox);
    const char *const specs[FAULT_COUNT] = {[FAULT_500] = fail_500};
    cr_assert_eq(faults_create(&source, specs, 1, &faults, &err), OK, "%s", err.text);
    struct upstream_options o = {.source = source, .faults = faults};
    cr_assert_eq(upstream_pool_start("127.0.0.1:0", 1, &o, &pool, bound, &err), OK, "%s", err.text);
    snprintf(url, sizeof(url), "http://%s/v1", bound);
    cr_assert_eq(question_set_make(1, 40, NULL, &questions, &err), OK, "%s", err.text);
    arena = arena_create(64 << 20);
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++)
        experts[i] = (struct expert){.name = questions->experts[i].name,
                                     .url = str_from(url),
                                     .upstream_model = questions->experts[i].name,
                                     .dialect = &dialect_openai,
                                     .price = questions->experts[i].price,
                                     .connect_timeout_ms = 5000,
                                     .total_timeout_ms = 20000};
}

static void teardown(void)
{
    upstream_pool_stop(pool);
    faults_free(faults);
    dataset_free(questions);
    arena_free(arena);
}

TestSuite(trial, .fini = teardown, .timeout = 60);

static enum status run(size_t concurrency, struct trial_result *result, struct error *err)
{
    struct trial_options o = {
        .experts = experts, .concurrency = concurrency, .what = "asking", .seed = 1};
    return trial_run(questions, &o, arena, result, err);
}

Test(trial, outcomes_are_the_answers)
{
    struct trial_result result;
    struct error err;
    struct rehearse_source source = sandbox_source(&sandbox);
    start(NULL);
    cr_assert_eq(run(16, &result, &err), OK, "%s", err.text);
    cr_assert_eq(result.failed, 0);
    for (size_t q = 0; q < 40; q++)
        for (size_t e = 0; e < SANDBOX_EXPERT_COUNT; e++) {
            const struct outcome *o = &result.outcomes[q * SANDBOX_EXPERT_COUNT + e];
            struct rehearse_answer a;
            cr_assert_eq(
                source.ops->answer(source.self, e, questions->queries[q].prompt, arena, &a, NULL),
                OK);
            cr_assert(str_equal(result.texts[e * 40 + q], a.text));
            cr_assert(o->present && o->known && o->cost_known && o->tokens_known);
            cr_assert_eq(o->output_tokens, a.output_tokens);
            cr_assert_eq(o->score, judge_score(&questions->queries[q], a.text));
            cr_assert_eq(o->cost_nano_usd,
                         price_cost_nano_usd(&experts[e].price, a.input_tokens, a.output_tokens));
        }
}

Test(trial, failures_leave_holes)
{
    struct trial_result result;
    struct error err;
    start("lexicon=1");
    cr_assert_eq(run(3, &result, &err), OK, "%s", err.text);
    cr_assert_eq(result.failed, 40);
    for (size_t q = 0; q < 40; q++) {
        cr_assert_not(result.outcomes[q * SANDBOX_EXPERT_COUNT + 2].present);
        cr_assert(result.outcomes[q * SANDBOX_EXPERT_COUNT + 3].known);
        cr_assert(result.texts[2 * 40 + q].ptr == NULL);
    }
}

Test(trial, nobody_answers)
{
    struct trial_result result;
    struct error err;
    start("1");
    cr_assert_eq(run(8, &result, &err), ERR_UPSTREAM);
}
