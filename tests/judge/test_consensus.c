/* What unlike experts agree on, on matrices made by hand and by a seed. */
#include "judge/consensus.h"

#include <criterion/criterion.h>
#include <math.h>

#include "base/rng.h"

#define QUESTIONS 600
#define EXPERTS   6

static uint16_t classes[QUESTIONS * EXPERTS], truths[QUESTIONS];
static uint32_t choices[QUESTIONS];

/* Expert e is right with probability skill[e], else takes one of the other choices. */
static void make(const double *skill, size_t experts, uint32_t choice_count)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (size_t q = 0; q < QUESTIONS; q++) {
        choices[q] = choice_count;
        truths[q] = (uint16_t)(1 + rng_below(&rng, choice_count));
        for (size_t e = 0; e < experts; e++) {
            const uint64_t other = 1 + rng_below(&rng, choice_count - 1);
            const uint64_t wrong = 1 + (truths[q] - 1 + other) % choice_count;
            const bool right = rng_uniform(&rng) < skill[e];
            classes[q * experts + e] = right ? truths[q] : (uint16_t)wrong;
        }
    }
}

static struct consensus run(const struct consensus_input *in, struct arena *a)
{
    struct consensus c;
    struct error err = {0};
    cr_assert_eq(consensus_run(in, a, &c, &err), OK, "%s", err.text);
    return c;
}

static double label_accuracy(const struct consensus *c, size_t questions)
{
    size_t right = 0;
    for (size_t q = 0; q < questions; q++)
        right += c->label[q] == truths[q];
    return (double)right / (double)questions;
}

/* Labels by the most votes; a tie is none. */
static double majority_accuracy(size_t experts)
{
    size_t right = 0;
    for (size_t q = 0; q < QUESTIONS; q++) {
        size_t votes[16] = {0}, most = 0;
        for (size_t e = 0; e < experts; e++)
            votes[classes[q * experts + e]]++;
        for (uint16_t c = 1; c < 16; c++)
            most = c != truths[q] && votes[c] > most ? votes[c] : most;
        right += votes[truths[q]] > most;
    }
    return (double)right / QUESTIONS;
}

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(64u << 20);
    cr_assert_not_null(arena);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(consensus, .init = setup, .fini = teardown);

Test(consensus, the_able_few_outvote_the_many)
{
    const double skill[EXPERTS] = {0.95, 0.9, 0.4, 0.4, 0.4, 0.4};
    make(skill, EXPERTS, 4);
    const struct consensus c = run(
        &(struct consensus_input){
            .classes = classes, .choices = choices, .questions = QUESTIONS, .experts = EXPERTS},
        arena);
    const double accuracy = label_accuracy(&c, QUESTIONS);
    cr_expect_gt(accuracy, majority_accuracy(EXPERTS) + 0.05, "%.3f, by majority %.3f", accuracy,
                 majority_accuracy(EXPERTS));
    cr_expect_gt(c.reliability[0], c.reliability[1] - 0.02);
    for (size_t e = 0; e < EXPERTS; e++) {
        cr_expect_lt(fabs(c.reliability[e] - skill[e]), 0.12, "%zu: %.2f", e, c.reliability[e]);
        cr_expect_eq(c.share[e], 1);
    }
}

Test(consensus, an_answer_is_as_good_as_who_gave_it)
{
    const double skill[EXPERTS] = {0.95, 0.9, 0.4, 0.4, 0.4, 0.4};
    make(skill, EXPERTS, 4);
    classes[0] = classes[1] = 1;
    classes[2] = classes[3] = classes[4] = 2; /* three of the weak against two of the able */
    classes[5] = 0;
    const struct consensus c = run(
        &(struct consensus_input){
            .classes = classes, .choices = choices, .questions = QUESTIONS, .experts = EXPERTS},
        arena);
    cr_expect_eq(c.label[0], 1);
    cr_expect_gt(c.right[0], c.right[2]);
    cr_expect_eq(c.right[0], c.right[1]);
    cr_expect_eq(c.sure[0], c.right[0]);
    cr_expect_eq(c.right[5], 0);
}

Test(consensus, agreement_by_chance_counts_less_where_there_are_few_choices)
{
    const double skill[3] = {0.7, 0.7, 0.7};
    float right[2];
    for (size_t i = 0; i < 2; i++) {
        make(skill, 3, i ? 10 : 2);
        classes[0] = classes[1] = 1;
        classes[2] = 0;
        right[i] = run(&(struct consensus_input){.classes = classes,
                                                 .choices = choices,
                                                 .questions = QUESTIONS,
                                                 .experts = 3},
                       arena)
                       .right[0];
    }
    cr_expect_lt(right[0], right[1]);
}

Test(consensus, copies_of_one_family_share_a_vote)
{
    const double skill[EXPERTS] = {0.8, 0.75, 0.75, 0.5, 0.5, 0.5};
    make(skill, EXPERTS, 4);
    for (size_t q = 0; q < QUESTIONS; q++)
        classes[q * EXPERTS + 5] = classes[q * EXPERTS + 4] = classes[q * EXPERTS + 3];
    const struct str names[EXPERTS] = {STR("a-1"), STR("b-1"),   STR("c-1"),
                                       STR("d-1"), STR("x/d-2"), STR("D3")};
    uint16_t families[EXPERTS];
    consensus_families(names, EXPERTS, families);
    cr_assert(families[3] == families[4] && families[4] == families[5]);
    cr_assert(families[0] != families[1] && families[2] != families[3]);
    struct consensus_input in = {
        .classes = classes, .choices = choices, .questions = QUESTIONS, .experts = EXPERTS};
    const double alone =
        label_accuracy(&(struct consensus){.label = run(&in, arena).label}, QUESTIONS);
    in.families = families;
    const struct consensus c = run(&in, arena);
    cr_expect_lt(c.share[3], 0.4);
    cr_expect_eq(c.share[0], 1);
    cr_expect_gt(label_accuracy(&c, QUESTIONS), alone + 0.1);
}

Test(consensus, what_is_known_teaches_what_is_not)
{
    const double skill[3] = {0.9, 0.35, 0.35};
    make(skill, 3, 10);
    for (size_t q = 0; q < QUESTIONS; q++)
        classes[q * 3 + 2] = classes[q * 3 + 1]; /* two that always agree look like the able ones */
    struct consensus_input in = {
        .classes = classes, .choices = choices, .questions = QUESTIONS, .experts = 3};
    cr_expect_lt(run(&in, arena).reliability[0], 0.6);
    uint16_t known[QUESTIONS] = {0};
    memcpy(known, truths, QUESTIONS / 2 * sizeof(*known));
    in.truths = known;
    const struct consensus c = run(&in, arena);
    cr_expect_gt(c.reliability[0], 0.75);
    cr_expect_eq(c.right[0], classes[0] == truths[0] ? 1 : 0);
    double able = 0, copies = 0;
    for (size_t q = QUESTIONS / 2; q < QUESTIONS; q++) {
        able += (double)c.right[q * 3];
        copies += (double)c.right[q * 3 + 1];
    }
    cr_expect_gt(able, copies + 30, "%.0f, %.0f", able, copies);
}

Test(consensus, a_question_that_nobody_answered_has_no_label)
{
    memset(classes, 0, sizeof(classes));
    memset(choices, 0, sizeof(choices));
    classes[2 * 2] = 27; /* an open question, one answer */
    const struct consensus c = run(
        &(struct consensus_input){
            .classes = classes, .choices = choices, .questions = 3, .experts = 2},
        arena);
    cr_expect_eq(c.label[0], 0);
    cr_expect_eq(c.sure[0], 0);
    cr_expect_eq(c.label[2], 27);
    cr_expect(c.right[4] > 0.3f && c.right[4] < 0.95f, "%.2f", (double)c.right[4]);
    cr_expect_eq(c.share[1], 0);
    cr_expect_eq(consensus_confidence(0.2f), 0.8f);
}

Test(consensus, the_same_matrix_gives_the_same_numbers)
{
    const double skill[EXPERTS] = {0.9, 0.8, 0.7, 0.6, 0.5, 0.4};
    make(skill, EXPERTS, 4);
    const struct consensus_input in = {
        .classes = classes, .choices = choices, .questions = QUESTIONS, .experts = EXPERTS};
    const struct consensus a = run(&in, arena), b = run(&in, arena);
    cr_expect_eq(memcmp(a.right, b.right, QUESTIONS * EXPERTS * sizeof(float)), 0);
}

Test(consensus, too_many_experts_are_refused)
{
    struct consensus c = {.label = truths};
    struct error err = {0};
    const struct consensus_input in = {.experts = CONSENSUS_EXPERTS_MAX + 1};
    cr_expect_eq(consensus_run(&in, arena, &c, &err), ERR_TOO_LARGE);
    cr_expect_eq(c.label, truths);
}
