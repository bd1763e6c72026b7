/* Consensus against the references it was not shown: ten experts on MMLU-Pro, from their recorded texts. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "judge/consensus.h"
#include "judge/rescore.h"

#define EXPERTS  10
#define BINS     15
#define BEST_OF  0.742 /* gpt-4o's answers that are right, the most of any of them */
#define MAJORITY 0.700 /* labels by majority that are right */

static const char names[] =
    "gemini-1.5-flash-002,gemini-1.5-pro-002,gpt-4o-2024-05-13,llama-3.1-8b-instruct,"
    "llama-3.1-70b-instruct,mixtral-8x7b-instruct,mathstral-7b,phi-3-mini-4k-instruct,"
    "qwen1.5-72b-chat,deepseek-v2-chat";

static struct dataset *load(size_t *experts)
{
    const char *base = getenv("LEEROO_DATA");
    char path[512];
    struct stat info;
    struct dataset *d;
    struct error err = {0};
    size_t count;
    snprintf(path, sizeof(path), "%s/mmlu_pro", base ? base : "../shared/data");
    if (stat(path, &info) != 0)
        cr_skip_test("skipped: no data");
    cr_assert_eq(dataset_load(path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    cr_assert_eq(dataset_expert_list(d, names, experts, &count, &err), OK, "%s", err.text);
    cr_assert_eq(judge_answers_fill(d, experts, count, NULL, NULL, &err), OK, "%s", err.text);
    return d;
}

static uint16_t *classes_of(const struct dataset *d, const size_t *experts, struct arena *a,
                            uint32_t *choices)
{
    uint16_t *classes = ARENA_ARRAY(a, d->query_count * EXPERTS, uint16_t);
    for (size_t q = 0; q < d->query_count; q++) {
        choices[q] = d->queries[q].choice_count;
        for (size_t i = 0; i < EXPERTS; i++)
            classes[q * EXPERTS + i] = dataset_outcome(d, q, experts[i])->answer_class;
    }
    return classes;
}

static uint16_t truth_of(const struct dataset *d, size_t q)
{
    return (uint16_t)(d->queries[q].answer.ptr[0] - 'A' + 1);
}

/* Expected calibration error of the answers' probabilities. */
static double calibration_error(const struct dataset *d, const uint16_t *classes,
                                const struct consensus *c)
{
    double gap[BINS] = {0}, sum = 0, count = 0;
    for (size_t i = 0; i < d->query_count * EXPERTS; i++) {
        const double p = (double)c->right[i];
        const size_t bin = (size_t)fmin(p * BINS, BINS - 1);
        if (classes[i] == 0)
            continue;
        gap[bin] += p - (classes[i] == truth_of(d, i / EXPERTS));
        count++;
    }
    for (size_t b = 0; b < BINS; b++)
        sum += fabs(gap[b]);
    return sum / count;
}

Test(consensus_recorded, ten_experts_agree_on_more_than_the_best_of_them_knows, .timeout = 120)
{
    size_t experts[DATASET_EXPERTS_MAX], right = 0;
    struct dataset *d = load(experts);
    struct arena *a = arena_create((size_t)1 << 28);
    uint32_t *choices = ARENA_ARRAY(a, d->query_count, uint32_t);
    const uint16_t *classes = classes_of(d, experts, a, choices);
    struct consensus c;
    cr_assert_eq(consensus_run(&(struct consensus_input){.classes = classes,
                                                         .choices = choices,
                                                         .questions = d->query_count,
                                                         .experts = EXPERTS},
                               a, &c, NULL),
                 OK);
    for (size_t q = 0; q < d->query_count; q++)
        right += c.label[q] == truth_of(d, q);
    const double accuracy = (double)right / (double)d->query_count;
    cr_expect_gt(accuracy, BEST_OF + 0.005, "%.4f", accuracy);
    cr_expect_gt(accuracy, MAJORITY + 0.04);
    cr_expect_lt(calibration_error(d, classes, &c), 0.05);
    arena_free(a);
    dataset_free(d);
}
