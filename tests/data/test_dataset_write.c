/* A data set that is written and read back is the same. */
#include "data/dataset_write.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/check_column.h"

static char folder[64];

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/leeroo-write-XXXXXX");
    cr_assert(mkdtemp(folder));
}

static void remove_file(const char *file)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/set%s", folder, file);
    remove(path);
}

static void teardown(void)
{
    static const char *const files[] = {"/queries.jsonl",
                                        "/experts.csv",
                                        "/outcomes.csv",
                                        "/responses/org/b.jsonl",
                                        "/responses/org",
                                        "/responses",
                                        ""};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        remove_file(files[i]);
    remove(folder);
}

TestSuite(dataset_write, .init = setup, .fini = teardown);

static const struct str choices[] = {{"one", 3}, {"t\"w,o", 5}};
static struct query queries[] = {
    {.id = {"q,1", 3},
     .text = {"caf\xc3\xa9\n?", 7},
     .answer = {"B", 1},
     .choices = choices,
     .choice_count = 2,
     .task = {"t", 1},
     .domain = {"d", 1}},
    {.id = {"q2", 2}, .text = {"plain", 5}},
};
static struct dataset_expert experts[] = {
    {{"a", 1}, {.input_nano_usd_per_m = 100000000, .output_nano_usd_per_m = 300000001}},
    {{"org/b", 5}, {.output_nano_usd_per_m = 15000000000}}};
static struct outcome outcomes[] = {
    {.present = true,
     .known = true,
     .cost_known = true,
     .tokens_known = true,
     .score = 0.25f,
     .cost_nano_usd = 218500,
     .input_tokens = 143,
     .output_tokens = 98},
    {.present = false},
    {.present = true, .known = true, .score = 1},
    {.present = true,
     .cost_known = true,
     .tokens_known = true,
     .cost_nano_usd = 7,
     .output_tokens = 3},
};
static struct dataset original = {.queries = queries,
                                  .query_count = 2,
                                  .experts = experts,
                                  .expert_count = 2,
                                  .outcomes = outcomes};

static struct dataset *round_trip(void)
{
    char path[128];
    struct error err;
    struct dataset *d = NULL;
    snprintf(path, sizeof(path), "%s/set", folder);
    cr_assert_eq(dataset_write(&original, path, &err), OK, "%s", err.text);
    cr_assert_eq(dataset_load(path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    return d;
}

Test(dataset_write, queries_and_experts)
{
    struct dataset *d = round_trip();
    cr_assert_eq(d->query_count, 2);
    cr_assert(str_equal(d->queries[0].id, queries[0].id));
    cr_assert(str_equal(d->queries[0].text, queries[0].text));
    cr_assert_eq(d->queries[0].choice_count, 2);
    cr_assert(str_equal(d->queries[0].choices[1], choices[1]));
    cr_assert(str_equal(d->queries[0].domain, queries[0].domain));
    cr_assert_eq(d->queries[1].answer.len, 0);
    cr_assert_eq(d->experts[0].price.output_nano_usd_per_m, 300000001);
    cr_assert_eq(d->experts[1].price.input_nano_usd_per_m, 0);
    dataset_free(d);
}

Test(dataset_write, prices_of_cached_input)
{
    cr_assert(price_set_cached_input(&experts[0].price, 25000000));
    struct dataset *d = round_trip();
    cr_assert_eq(price_cached_input_nano_usd_per_m(&d->experts[0].price), 25000000);
    cr_assert_eq(price_cached_input_nano_usd_per_m(&d->experts[1].price), 0);
    dataset_free(d);
    price_set_reasoning(&experts[1].price, 12345678901);
    price_set_cache_write(&experts[1].price, 7);
    d = round_trip();
    for (size_t e = 0; e < 2; e++)
        cr_assert(price_equal(&d->experts[e].price, &experts[e].price));
    dataset_free(d);
}

Test(dataset_write, outcomes_with_holes)
{
    struct dataset *d = round_trip();
    for (size_t q = 0; q < 2; q++)
        for (size_t e = 0; e < 2; e++) {
            const struct outcome *wanted = &outcomes[q * 2 + e], *got = dataset_outcome(d, q, e);
            cr_expect_eq(got->present, wanted->present);
            cr_expect_eq(got->known, wanted->known);
            cr_expect_eq(got->cost_known, wanted->cost_known);
            cr_expect_eq(got->tokens_known, wanted->tokens_known);
            cr_expect_eq(got->score, wanted->score);
            cr_expect_eq(got->cost_nano_usd, wanted->cost_nano_usd);
            cr_expect_eq(got->output_tokens, wanted->output_tokens);
        }
    dataset_free(d);
}

Test(dataset_write, answers)
{
    static const struct str answers[] = {{"B", 1}, {"", 0}, {"1,234 \"or so\"", 13}, {"", 0}};
    original.has_answers = true;
    for (size_t i = 0; i < 4; i++)
        outcomes[i].answer = answers[i];
    struct dataset *d = round_trip();
    cr_assert(d->has_answers);
    for (size_t i = 0; i < 4; i++)
        cr_expect(str_equal(d->outcomes[i].answer, answers[i]));
    dataset_free(d);
}

Test(dataset_write, methods_confidence_and_checks)
{
    struct dataset *d = round_trip();
    cr_expect_eq(d->outcomes[0].method.len, 0);
    cr_expect_eq((double)d->outcomes[0].confidence, 1);
    dataset_free(d);
    queries[1].check = STR("{\"regex\":\"^a, *b\"}");
    outcomes[0].method = STR("consensus, of 3");
    outcomes[2].confidence = 0.3f;
    d = round_trip();
    cr_expect_eq(d->queries[0].check.len, 0);
    cr_expect(str_equal(d->queries[1].check, queries[1].check));
    cr_expect(str_equal(d->outcomes[0].method, outcomes[0].method));
    cr_expect_eq((double)d->outcomes[0].confidence, 1);
    cr_expect_eq(d->outcomes[2].method.len, 0);
    cr_expect_eq(d->outcomes[2].confidence, 0.3f);
    dataset_free(d);
}

static enum status see(const struct response_line *said, void *arg, struct error *err)
{
    (void)err;
    cr_assert(str_equal(said->id, STR("q2")));
    cr_assert(str_equal(said->text, STR(" \"hi\"\n")));
    ++*(int *)arg;
    return OK;
}

Test(dataset_write, what_a_check_has_said)
{
    static const uint8_t cells[] = {CHECK_PASSES, CHECK_REJECTS, CHECK_UNKNOWN, CHECK_PASSES};
    const struct dataset_check check = {"verified", cells};
    uint8_t back[4];
    struct error err = {0};
    original.check = &check;
    struct dataset *d = round_trip();
    cr_assert_eq(check_column_read(d, "verified", back, &err), OK, "%s", err.text);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(back[i], outcomes[i].present ? cells[i] : CHECK_UNKNOWN, "%zu", i);
    dataset_free(d);
}

Test(dataset_write, responses)
{
    const struct str texts[] = {{NULL, 0}, STR(" \"hi\"\n")};
    char path[128];
    struct error err;
    int seen = 0;
    snprintf(path, sizeof(path), "%s/set", folder);
    cr_assert_eq(responses_write(&original, path, STR("org/b"), texts, NULL, &err), OK, "%s",
                 err.text);
    cr_assert_eq(responses_read(path, STR("org/b"), see, &seen, &err), OK, "%s", err.text);
    cr_assert_eq(seen, 1);
    cr_assert_eq(responses_write(&original, path, STR("../b"), texts, NULL, NULL), ERR_INPUT);
}

static enum status see_certainty(const struct response_line *said, void *arg, struct error *err)
{
    (void)err;
    struct certainty *seen = arg;
    *seen = said->certainty;
    return OK;
}

Test(dataset_write, responses_with_their_certainty)
{
    const struct str texts[] = {{NULL, 0}, STR("hi")};
    const struct certainty certainty[] = {{0}, {true, 1.0f / 3, 0.1f, 7}};
    struct certainty seen = {0};
    char path[128];
    struct error err;
    snprintf(path, sizeof(path), "%s/set", folder);
    cr_assert_eq(responses_write(&original, path, STR("org/b"), texts, certainty, &err), OK, "%s",
                 err.text);
    cr_assert_eq(responses_read(path, STR("org/b"), see_certainty, &seen, &err), OK);
    cr_assert(seen.known && seen.mean == certainty[1].mean && seen.least == certainty[1].least &&
              seen.last == 7);
}

Test(dataset_write, responses_copied)
{
    const struct str texts[] = {{NULL, 0}, STR(" \"hi\"\n")};
    char path[128], copy[128];
    struct error err;
    int seen = 0;
    snprintf(path, sizeof(path), "%s/set", folder);
    snprintf(copy, sizeof(copy), "%s/copy", folder);
    cr_assert_eq(responses_write(&original, path, STR("org/b"), texts, NULL, &err), OK, "%s",
                 err.text);
    cr_assert_eq(responses_copy(path, copy, STR("org/b"), &err), OK, "%s", err.text);
    cr_assert_eq(responses_read(copy, STR("org/b"), see, &seen, &err), OK, "%s", err.text);
    cr_assert_eq(seen, 1);
    cr_assert_eq(responses_copy(path, copy, STR("a"), &err), ERR_NOT_FOUND);
    cr_assert_not_null(strstr(err.text, "responses/a.jsonl"));
    cr_assert_eq(responses_copy(path, copy, STR("../b"), NULL), ERR_INPUT);
    remove_file("/../copy/responses/org/b.jsonl");
    remove_file("/../copy/responses/org");
    remove_file("/../copy/responses");
    remove_file("/../copy");
}

Test(dataset_write, refused_by_the_system)
{
    struct error err;
    cr_assert_eq(dataset_write(&original, "/proc/no/such", &err), ERR_IO);
    cr_assert(strstr(err.text, "/proc/no"));
}
