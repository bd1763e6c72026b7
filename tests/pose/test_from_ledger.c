/* Kept prompts with what was said of their answers. */
#include "pose/from_ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/kept.h"
#include "store/ledger.h"

static char folder[64], kept_path[96], ledger_path[96], journal_path[96];
static struct arena *arena;

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/leeroo-traffic-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(kept_path, sizeof(kept_path), "%s/kept", folder);
    snprintf(ledger_path, sizeof(ledger_path), "%s/ledger", folder);
    snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
    arena = arena_create(16 << 20);
}

static void teardown(void)
{
    char command[96];
    arena_free(arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(from_ledger, .init = setup, .fini = teardown);

struct request {
    const char *id, *expert, *text; /* text NULL: the prompt is not kept */
    int64_t at_ms;
    double feedback; /* -1: none */
    const char *outcome, *calls;
};

static void end(struct ledger *l, const struct request *r)
{
    const struct ledger_end row = {
        .request = {.id = r->id, .begin_wall_ms = r->at_ms, .expert = str_from(r->expert)},
        .outcome = str_from(r->outcome ? r->outcome : "answered"),
        .basis = STR("usage"),
        .cost_nano_usd = 7000,
        .input_tokens = 11,
        .output_tokens = 22,
        .first_token_ms = -1,
        .calls = str_from(r->calls)};
    ledger_end(l, &row);
    if (r->feedback >= 0)
        cr_assert_eq(ledger_feedback(l, str_from(r->id), r->feedback, STR(""), r->at_ms), OK);
}

static void store(const struct request *requests, size_t count)
{
    struct ledger *l = NULL;
    struct kept *k = NULL;
    struct error err;
    const struct ledger_options o = {
        .store = ledger_path, .journal_path = journal_path, .journal_bytes = 1 << 20};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
    cr_assert_eq(kept_open(kept_path, KEPT_WRITE, &k, &err), OK, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        const struct request *r = &requests[i];
        end(l, r);
        if (!r->text)
            continue;
        const struct kept_row row = {.request_id = str_from(r->id),
                                     .expert = str_from(r->expert),
                                     .text = str_from(r->text),
                                     .at_ms = r->at_ms};
        cr_assert_eq(kept_put(k, &row, 1, NULL, &err), OK, "%s", err.text);
    }
    kept_close(k);
    cr_assert(ledger_flush(l, 10000));
    ledger_close(l);
}

static struct traffic read_all(const struct dataset *scores, int64_t since_ms)
{
    struct traffic t;
    struct error err;
    const struct from_ledger_options o = {
        .kept = kept_path, .ledger = ledger_path, .since_ms = since_ms, .scores = scores};
    cr_assert_eq(from_ledger_read(&o, arena, &t, &err), OK, "%s", err.text);
    return t;
}

static const struct traffic_outcome *outcome_for(const struct traffic *t, size_t question,
                                                 const char *expert)
{
    for (size_t i = 0; i < t->outcome_count; i++)
        if (t->outcomes[i].question == question &&
            str_equal(t->outcomes[i].expert, str_from(expert)))
            return &t->outcomes[i];
    return NULL;
}

static const struct request usual[] = {
    {"r1", "small", "Why?", 10, 1, NULL, NULL},
    {"r2", "small", "What is  it?", 20, 0, NULL, NULL},
    {"r3", "large", "why?", 30, 0.9, NULL, "[{\"expert\":\"large\"}]"},
    {"r4", "small", "Who?", 40, -1, NULL, NULL},
    {"r5", "small", "Why?", 50, 1, NULL, NULL},
    {"r6", "small", NULL, 60, 1, NULL, NULL},
    {"r7", "small", "Failed?", 70, 1, "failed", NULL},
};
#define USUAL (sizeof(usual) / sizeof(usual[0]))

Test(from_ledger, praise_is_weak_and_blame_is_no_outcome)
{
    store(usual, USUAL);
    struct traffic t = read_all(NULL, 0);
    cr_assert_eq(t.count, 4);
    cr_expect_eq(t.blamed, 1);
    cr_expect_eq(t.praised, 3);
    cr_expect(str_equal(t.questions[0].query.text, STR("What is  it?")), "blame comes first");
    cr_expect(t.recheck[0] && !t.recheck[1] && !t.recheck[2] && !t.recheck[3]);
    cr_expect(str_equal(t.questions[1].query.text, STR("Failed?")), "then the newest");
    cr_expect(str_equal(t.questions[2].query.text, STR("Why?")));
    cr_expect(str_equal(t.questions[2].query.id, STR("r1")));
    cr_expect_eq(t.questions[2].query.text_hash, text_hash(STR("why?")));
    cr_expect_eq(t.questions[2].source, POSED_TRAFFIC);
    cr_expect_eq(t.questions[2].kind, POSED_OPEN);
    cr_expect(str_equal(t.questions[2].query.prompt, STR("Why?")));
    cr_expect_eq(t.outcome_count, 2, "blame has none, and a failed request neither");
    const struct traffic_outcome *small = outcome_for(&t, 2, "small");
    cr_assert(small && str_equal(small->outcome.method, STR("feedback")));
    cr_expect_eq(small->outcome.score, 1);
    cr_expect_float_eq(small->outcome.confidence, 0.51f, 1e-6, "two of .3");
    cr_expect(small->outcome.cost_known && small->outcome.cost_nano_usd == 7000);
    cr_expect(small->outcome.tokens_known && small->outcome.output_tokens == 22);
    const struct traffic_outcome *large = outcome_for(&t, 2, "large");
    cr_assert_not_null(large);
    cr_expect_eq(large->outcome.score, 0.9f);
    cr_expect_eq(large->outcome.confidence, FEEDBACK_CONFIDENCE);
    cr_expect(!large->outcome.cost_known && !large->outcome.tokens_known, "of a plan, unknown");
}

Test(from_ledger, praise_of_many_has_an_end)
{
    struct request many[9];
    char ids[9][4];
    for (int i = 0; i < 9; i++) {
        snprintf(ids[i], sizeof(ids[i]), "r%d", i);
        many[i] = (struct request){ids[i], "small", "Same?", i, i % 2 ? 1 : 0.8, NULL, NULL};
    }
    store(many, 9);
    struct traffic t = read_all(NULL, 0);
    cr_assert_eq(t.outcome_count, 1);
    cr_expect_eq(t.outcomes[0].outcome.confidence, FEEDBACK_CONFIDENCE_MAX);
    cr_expect_gt(t.outcomes[0].outcome.score, 0.8f);
    cr_expect_lt(t.outcomes[0].outcome.score, 1);
}

Test(from_ledger, scores_of_an_earlier_run_stand_in_the_place_of_praise)
{
    struct query queries[] = {{.text_hash = text_hash(STR("Why?"))},
                              {.text_hash = text_hash(STR("what is it?"))},
                              {.text_hash = text_hash(STR("Never asked"))}};
    struct dataset_expert experts[] = {{.name = STR("small")}, {.name = STR("other")}};
    struct outcome outcomes[] = {
        {.present = true, .known = true, .score = 0, .confidence = 0.7f, .method = STR("judge")},
        {.present = true},
        {.present = true, .known = true, .score = 1, .confidence = 0.8f, .method = STR("judge")},
        {.present = true, .known = true, .score = 0, .method = STR("choice")},
        {.present = true, .known = true, .score = 1},
        {0}};
    const struct dataset scores = {.queries = queries,
                                   .query_count = 3,
                                   .experts = experts,
                                   .expert_count = 2,
                                   .outcomes = outcomes};
    store(usual, USUAL);
    struct traffic t = read_all(&scores, 0);
    cr_assert_eq(t.outcome_count, 4);
    const struct traffic_outcome *why = outcome_for(&t, 2, "small");
    cr_expect(why->outcome.score == 0 && str_equal(why->outcome.method, STR("judge")));
    cr_expect_eq(why->outcome.confidence, 0.7f);
    cr_expect_eq(outcome_for(&t, 0, "small")->outcome.confidence, 0.4f, "blame halves it");
    cr_expect_eq(outcome_for(&t, 0, "other")->outcome.confidence, 1, "but not what agrees");
    cr_expect_not_null(outcome_for(&t, 2, "large"), "praise of others stays");
}

Test(from_ledger, old_requests_are_passed_over)
{
    store(usual, USUAL);
    struct traffic t = read_all(NULL, 40);
    cr_assert_eq(t.count, 3);
    cr_expect_eq(t.praised, 1);
    cr_expect_eq(t.blamed, 0);
}

Test(from_ledger, without_stores)
{
    struct traffic t;
    struct error err;
    const struct from_ledger_options o = {.kept = kept_path};
    cr_expect_eq(from_ledger_read(&o, arena, &t, &err), ERR_NOT_FOUND);
    struct kept *k;
    cr_assert_eq(kept_open(kept_path, KEPT_WRITE, &k, NULL), OK);
    kept_close(k);
    cr_assert_eq(from_ledger_read(&o, arena, &t, &err), OK);
    cr_expect_eq(t.count, 0);
    const struct from_ledger_options missing = {.kept = kept_path, .ledger = "/nowhere/l"};
    cr_expect_eq(from_ledger_read(&missing, arena, &t, &err), ERR_NOT_FOUND);
}
