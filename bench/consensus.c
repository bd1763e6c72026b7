/* What unlike experts agree on (judge/consensus.h) against references that it is not shown: the table of docs/judge.md.
 *
 *     bench_consensus [DATA]      the directory that has mmlu_pro (../shared/data)
 *
 * Answers are read from the recorded texts. Rows are pools of experts, whole or with only some answers known; columns
 * the share of labels that are right, calibration (expected error in 15 bins) and ranking (AUC) of the answers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "judge/consensus.h"
#include "judge/rescore.h"

#define ARENA_CAP ((size_t)4 << 30)
#define BINS      15

static const char ten[] =
    "gemini-1.5-flash-002,gemini-1.5-pro-002,gpt-4o-2024-05-13,llama-3.1-8b-instruct,"
    "llama-3.1-70b-instruct,mixtral-8x7b-instruct,mathstral-7b,phi-3-mini-4k-instruct,"
    "qwen1.5-72b-chat,deepseek-v2-chat";

/* Which answers of a pool are known. */
enum known { KNOWN_ALL, KNOWN_SHARES, KNOWN_TWO, KNOWN_FIRST };

static const struct row {
    const char *name, *experts; /* NULL: all */
    enum known known;
} rows[] = {
    {"ten, all answers", ten, KNOWN_ALL},
    {"ten, 4 to 60 % of the answers of each", ten, KNOWN_SHARES},
    {"ten, two answers to each of nine in ten", ten, KNOWN_TWO},
    {"ten, 1,000 questions", ten, KNOWN_FIRST},
    {"two strong, four weak",
     "gpt-4o-2024-05-13,gemini-1.5-pro-002,gemma-7b,yi-6b,qwen1.5-7b-chat,mistral-7b-v0.1",
     KNOWN_ALL},
    {"eight base models and older ones",
     "gemma-7b,llama-2-13b,llama-2-70b,llama-3-70b,yi-34b,jamba-1.5-large,command-r,qwen1.5-110b",
     KNOWN_ALL},
    {"seven weak ones, gpt-4o",
     "llama-3-8b-instruct,llama-3-8b-instruct-quantized,gemma-7b,yi-6b,qwen1.5-7b-chat,"
     "gpt-4o-2024-05-13,mistral-7b-v0.1,mistral-7b-v0.2",
     KNOWN_ALL},
    {"all", NULL, KNOWN_ALL},
};

struct pool {
    const struct dataset *d;
    size_t experts[DATASET_EXPERTS_MAX], count, questions;
    uint16_t *classes;
    uint32_t *choices;
    uint16_t families[DATASET_EXPERTS_MAX];
};

struct answer {
    float right;
    bool is;
};

static uint16_t truth_of(const struct pool *p, size_t q)
{
    return (uint16_t)(p->d->queries[q].answer.ptr[0] - 'A' + 1);
}

/* Shares as a sparse round buys: less of the dear ones. */
static bool is_known(enum known known, struct rng *rng, size_t q, size_t e, const size_t pair[2])
{
    static const double shares[] = {.2, .3, .04, .6, .6, .6, .6, .6, .6, .6};
    if (known == KNOWN_SHARES)
        return rng_uniform(rng) < shares[e % 10];
    return known != KNOWN_TWO || q % 10 == 0 || e == pair[0] || e == pair[1];
}

static void fill(struct pool *p, enum known known)
{
    struct rng rng;
    rng_seed(&rng, 8);
    for (size_t q = 0; q < p->questions; q++) {
        const size_t pair[2] = {rng_below(&rng, p->count), rng_below(&rng, p->count)};
        p->choices[q] = p->d->queries[q].choice_count;
        for (size_t e = 0; e < p->count; e++)
            p->classes[q * p->count + e] =
                is_known(known, &rng, q, e, pair)
                    ? dataset_outcome(p->d, q, p->experts[e])->answer_class
                    : 0;
    }
}

static int by_right(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    return (x->right > y->right) - (x->right < y->right);
}

static double calibration(const struct answer *answers, size_t count)
{
    double gap[BINS] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        gap[(size_t)fmin((double)answers[i].right * BINS, BINS - 1)] +=
            (double)answers[i].right - answers[i].is;
    for (size_t b = 0; b < BINS; b++)
        sum += fabs(gap[b]);
    return sum / (double)count;
}

/* Ties count half. */
static double ranking(struct answer *answers, size_t count)
{
    double ranks = 0, right = 0;
    qsort(answers, count, sizeof(*answers), by_right);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && answers[end].right <= answers[i].right;)
            end++;
        for (size_t k = i; k < end; k++) {
            ranks += answers[k].is ? (double)(i + end - 1) / 2 : 0;
            right += answers[k].is;
        }
    }
    return (ranks - right * (right - 1) / 2) / (right * ((double)count - right));
}

static void report(const struct pool *p, const struct row *row, const struct consensus *c,
                   struct answer *answers)
{
    size_t labels = 0, hits = 0, count = 0;
    for (size_t q = 0; q < p->questions; q++) {
        labels += c->label[q] != 0;
        hits += c->label[q] == truth_of(p, q);
        for (size_t e = 0; e < p->count; e++)
            if (p->classes[q * p->count + e])
                answers[count++] = (struct answer){c->right[q * p->count + e],
                                                   p->classes[q * p->count + e] == truth_of(p, q)};
    }
    printf("| %s | %.1f %% | %.3f | ", row->name, 100 * (double)hits / (double)labels,
           calibration(answers, count));
    printf("%.3f |\n", ranking(answers, count));
    fflush(stdout);
}

/* One piece: a pool is filled, voted on and told of. */
static enum status measure(const struct dataset *d, const struct row *row, struct error *err)
{
    struct pool p = {.d = d, .questions = row->known == KNOWN_FIRST ? 1000 : d->query_count};
    struct str names[DATASET_EXPERTS_MAX];
    struct arena *a = arena_create(ARENA_CAP);
    struct consensus c;
    enum status status = a ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (p.count = 0; !row->experts && p.count < d->expert_count; p.count++)
        p.experts[p.count] = p.count;
    if (status == OK && row->experts)
        status = dataset_expert_list(d, row->experts, p.experts, &p.count, err);
    if (status == OK) {
        p.classes = ARENA_ARRAY(a, p.questions * p.count, uint16_t);
        p.choices = ARENA_ARRAY(a, p.questions, uint32_t);
        for (size_t e = 0; e < p.count; e++)
            names[e] = d->experts[p.experts[e]].name;
        consensus_families(names, p.count, p.families);
        fill(&p, row->known);
        status = consensus_run(&(struct consensus_input){.classes = p.classes,
                                                         .choices = p.choices,
                                                         .families = p.families,
                                                         .questions = p.questions,
                                                         .experts = p.count},
                               a, &c, err);
    }
    if (status == OK)
        report(&p, row, &c, ARENA_ARRAY(a, p.questions * p.count, struct answer));
    arena_free(a);
    return status;
}

int main(int argc, char **argv)
{
    char path[512];
    struct error err = {0};
    struct dataset *d = NULL;
    snprintf(path, sizeof(path), "%s/mmlu_pro", argc > 1 ? argv[1] : "../shared/data");
    enum status status = dataset_load(path, DATASET_ALL, &d, &err);
    if (status == OK)
        status = judge_answers_fill(d, NULL, 0, NULL, NULL, &err);
    printf("| experts | labels right | calibration | ranking (AUC) |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && status == OK; i++)
        status = measure(d, &rows[i], &err);
    dataset_free(d);
    if (status != OK)
        fprintf(stderr, "bench_consensus: %s\n", err.text);
    return status != OK;
}
