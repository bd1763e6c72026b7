/* What a round buys: its money by plan, whole rows of validation questions, and what may not be bought. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "play/play_int.h"

enum { EXPERTS = 3, QUERIES = 400 };

static char folder[64], open_folder[64];
static struct expert experts[EXPERTS];
static struct policy policy = {.lambda = 100};
static struct play_settings settings;
static struct play_options options;
static struct run *run, *open_run; /* its questions have no answers */
static struct arena *arena;

static void setup(void)
{
    static const char *const names[EXPERTS] = {"small", "middle", "large"};
    int64_t price = 100000000;
    arena = arena_create(64 << 20);
    strcpy(folder, "/tmp/leeroo-choose-XXXXXX");
    cr_assert(mkdtemp(folder));
    for (size_t e = 0; e < EXPERTS; e++, price *= 10)
        experts[e] = (struct expert){
            .name = str_from(names[e]),
            .price = {.input_nano_usd_per_m = price, .output_nano_usd_per_m = 4 * price}};
    play_settings_default(&settings);
    settings.spend_nano_usd = 1000000000;
    options = (struct play_options){.settings = &settings,
                                    .experts = experts,
                                    .expert_count = EXPERTS,
                                    .policies = &policy,
                                    .policy_count = 1};
    cr_assert_eq(run_open(folder, experts, EXPERTS, &run, NULL), OK);
    strcpy(open_folder, "/tmp/leeroo-choose-XXXXXX");
    cr_assert(mkdtemp(open_folder));
    cr_assert_eq(run_open(open_folder, experts, EXPERTS, &open_run, NULL), OK);
    for (size_t i = 0; i < QUERIES; i++) {
        char text[32];
        size_t at;
        snprintf(text, sizeof(text), "question %zu", i);
        struct query q = {.text = str_from(text), .prompt = str_from(text), .answer = STR("7")};
        q.text_hash = text_hash(q.text);
        cr_assert_eq(run_add_query(run, &q, &at, NULL), OK);
    }
}

static void teardown(void)
{
    run_close(run);
    run_close(open_run);
    cr_assert_eq(rmdir(folder), 0);
    cr_assert_eq(rmdir(open_folder), 0);
    arena_free(arena);
}

TestSuite(round_choose, .init = setup, .fini = teardown);

static struct cells choose(const bool *left_out, int64_t budget_nano_usd)
{
    struct play_beliefs beliefs;
    struct cells cells;
    struct error err = {0};
    cr_assert_eq(play_believe(run, &options, NULL, arena, &beliefs, &err), OK, "%s", err.text);
    cr_assert_eq(
        play_choose(run, &options, &beliefs, left_out, budget_nano_usd, arena, &cells, &err), OK,
        "%s", err.text);
    return cells;
}

static bool validates(const struct cell *c)
{
    return publish_validates(run_dataset(run)->queries[c->question].text_hash);
}

Test(round_choose, each_round_may_spend_twice_the_one_before_and_the_last_all)
{
    int64_t spent = 0, before = 0;
    for (size_t k = 1; k <= settings.rounds; k++) {
        int64_t budget = play_round_budget(&settings, k, spent);
        if (k > 1)
            cr_expect_float_eq((double)budget / (double)before, 2, 1e-6, "round %zu", k);
        spent += budget;
        before = budget;
    }
    cr_assert_eq(spent, settings.spend_nano_usd);
    cr_assert_eq(play_round_budget(&settings, settings.rounds + 3, 400000000), 600000000);
    cr_assert_eq(play_round_budget(&settings, settings.rounds, 1000000001), 0);
    cr_assert_eq(play_round_budget(&settings, settings.rounds - 1, 900000000), 33333333,
                 "more than its share is spent: the next two have what is left");
    settings.spend_nano_usd = PURSE_NO_CAP;
    cr_assert_eq(play_round_budget(&settings, 1, 5), INT64_MAX);
}

Test(round_choose, whoever_is_not_asked_is_bought_no_answer_of)
{
    static const bool asked[EXPERTS] = {false, true, false};
    options.asked = asked;
    for (int everything = 0; everything < 2; everything++) {
        settings.everything = everything;
        struct cells cells = choose(NULL, 1000000000);
        cr_assert_gt(cells.count, 0);
        for (size_t i = 0; i < cells.count; i++)
            cr_assert_eq(cells.cells[i].expert, 1);
    }
}

Test(round_choose, validation_questions_are_bought_as_whole_rows_with_their_share)
{
    int64_t budget = 100000000;
    struct cells cells = choose(NULL, budget);
    size_t of_query[QUERIES] = {0}, whole = 0;
    cr_assert_gt(cells.count, 0);
    cr_assert_leq(cells.cost_nano_usd, budget);
    for (size_t i = 0; i < cells.count; i++)
        if (validates(&cells.cells[i]))
            of_query[cells.cells[i].question]++;
    for (size_t q = 0; q < QUERIES; q++) {
        cr_assert(of_query[q] == 0 || of_query[q] == EXPERTS, "query %zu: %zu cells", q,
                  of_query[q]);
        whole += of_query[q] == EXPERTS;
    }
    /* 300 tokens for 0.4, 4 and 40 USD a million, and three for the question */
    double row = 300 * (0.4 + 4 + 40) / 1e6;
    cr_assert_geq(whole, (size_t)(0.2 * 0.1 / row) - 1, "%zu", whole);
    cr_assert_leq(whole, (size_t)(0.2 * 0.1 / row) + 1, "%zu", whole);
}

Test(round_choose, an_expert_that_is_left_out_is_not_asked)
{
    const bool left_out[EXPERTS] = {false, true, false};
    struct cells cells = choose(left_out, 100000000);
    size_t counts[EXPERTS] = {0};
    for (size_t i = 0; i < cells.count; i++)
        counts[cells.cells[i].expert]++;
    cr_assert_eq(counts[1], 0);
    cr_assert_gt(counts[0], 0);
    cr_assert_gt(counts[2], 0);
}

Test(round_choose, what_is_known_is_not_bought_again_and_hearsay_is)
{
    const struct outcome known = {.present = true, .known = true, .score = 1};
    const struct outcome hole = {.present = true};
    size_t said = 0;
    for (size_t q = 0; q < QUERIES; q++) {
        cr_assert_eq(run_set_outcome(run, q, 0, q % 2 ? &known : &hole,
                                     q % 2 ? STR("It is 7.") : (struct str){NULL, 0}, NULL),
                     OK);
        cr_assert_eq(run_set_outcome(run, q, 1, &known, (struct str){NULL, 0}, NULL), OK);
    }
    struct cells cells = choose(NULL, INT64_C(1000000000000));
    for (size_t i = 0; i < cells.count; i++) {
        cr_assert_neq(cells.cells[i].expert, 0, "known, or a hole");
        said += cells.cells[i].expert == 1;
    }
    cr_assert_eq(said, QUERIES, "what users said of an answer is no answer");
}

Test(round_choose, what_only_agreement_scores_is_asked_as_whole_rows)
{
    size_t of_query[QUERIES] = {0}, parts = 0, wholes = 0;
    for (size_t i = 0; i < QUERIES; i++) {
        char text[32];
        size_t at;
        snprintf(text, sizeof(text), "open question %zu", i);
        struct query q = {.text = str_from(text), .prompt = str_from(text)};
        q.text_hash = text_hash(q.text);
        cr_assert_eq(run_add_query(open_run, &q, &at, NULL), OK);
    }
    struct run *answered = run;
    run = open_run;
    struct cells cells = choose(NULL, 500000000);
    run = answered;
    for (size_t i = 0; i < cells.count; i++)
        of_query[cells.cells[i].question]++;
    for (size_t q = 0; q < QUERIES; q++) {
        wholes += of_query[q] == EXPERTS;
        parts += of_query[q] > 0 && of_query[q] < EXPERTS;
    }
    double row = 300 * (0.4 + 4 + 40) / 1e6;
    cr_assert_geq(wholes, (size_t)(0.5 / row) - 2,
                  "what is left of the money pays no row: %zu, %zu", wholes, parts);
}

Test(round_choose, everything_is_every_open_cell)
{
    const struct outcome known = {.present = true, .known = true};
    settings.everything = true;
    cr_assert_eq(run_set_outcome(run, 5, 2, &known, STR("7"), NULL), OK);
    cr_assert_eq(choose(NULL, 1).count, QUERIES * EXPERTS - 1);
}

Test(round_choose, the_same_run_chooses_the_same)
{
    struct cells a = choose(NULL, 100000000), b = choose(NULL, 100000000);
    cr_assert_eq(a.count, b.count);
    cr_assert_eq(memcmp(a.cells, b.cells, a.count * sizeof(*a.cells)), 0);
}

Test(round_choose, a_teachers_answers_are_as_long_as_those_that_it_gave)
{
    struct outcome known = {.present = true, .known = true, .tokens_known = true};
    cr_expect_eq(play_teacher_tokens(run, &options), 0, "no teacher");
    settings.teacher = "middle";
    cr_expect_eq(play_teacher_tokens(run, &options), PLAY_OUTPUT_GUESS);
    settings.output_tokens = 100;
    cr_expect_eq(play_teacher_tokens(run, &options), 100, "no longer than it may be");
    known.output_tokens = 40;
    cr_assert_eq(run_set_outcome(run, 0, 1, &known, STR("7"), NULL), OK);
    known.output_tokens = 20;
    cr_assert_eq(run_set_outcome(run, 1, 1, &known, STR("7"), NULL), OK);
    cr_expect_eq(play_teacher_tokens(run, &options), 30);
}

Test(round_choose, scoring_is_part_of_the_price_where_a_judge_reads)
{
    struct query q = {.prompt = STR("How do you do?"), .text = STR("How do you do?")};
    settings.judges = (struct play_list){{"large"}, 1};
    settings.teacher = "middle";
    struct play_scoring cost = play_evaluate_cost(&options, &q, 300);
    cr_assert_gt(cost.judge_nano_usd, 0);
    cr_assert_gt(cost.teacher_nano_usd, 0);
    cr_assert_gt(cost.judge_nano_usd, cost.teacher_nano_usd);
    q.answer = STR("Fine");
    cost = play_evaluate_cost(&options, &q, 300);
    cr_assert_eq(cost.judge_nano_usd + cost.teacher_nano_usd, 0);
}
