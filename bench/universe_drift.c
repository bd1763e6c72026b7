/* How often drift is called where there is none, and found where it was planted (eval/drift.h), on recorded outcomes.
 *
 * A model is trained on four fifths of a data set, by the hash of the texts. Recent outcomes are drawn from the fifth
 * that is left: so many questions, answered by all experts, or by one of them only, drawn for each question as traffic
 * has it. Planted is either a weaker model's outcomes in the place of an expert's, or right answers made wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/drift.h"
#include "train/model_edit.h"
#include "train/train.h"

#define FOLDS      5
#define SPLITS_MAX 40
#define ALPHA      0.05
#define FIRST_SEED 101 /* those before were looked at when the settings were chosen */
#define EXPERT     "llama-3.1-70b-instruct"
#define WEAKER     "llama-3-8b-instruct"

struct held {          /* a split of the data */
    struct dataset *d; /* the fifth that is left */
    struct model *m;
    struct estimate *estimates; /* [queries × experts] */
};

struct planted {
    const char *name;
    size_t of, by; /* experts; `by` SIZE_MAX: none takes its place */
    double share;  /* of its right answers that are made wrong */
};

static void die(const struct error *err)
{
    fprintf(stderr, "bench_universe_drift: %s\n", err->text);
    exit(1);
}

static struct dataset *part(const struct dataset *d, uint64_t seed, bool held)
{
    struct error err;
    struct dataset *ret = NULL;
    uint32_t *rows = calloc(d->query_count, sizeof(*rows)), n = 0;
    for (uint32_t q = 0; q < d->query_count; q++)
        if ((split_fold(d->queries[q].text_hash, seed, FOLDS) == 0) == held)
            rows[n++] = q;
    if (dataset_subset(d, rows, n, &ret, &err) != OK)
        die(&err);
    free(rows);
    return ret;
}

static struct held prepare(const struct dataset *d, uint64_t seed)
{
    struct error err;
    struct held h = {.d = part(d, seed, true)};
    struct dataset *learnt = part(d, seed, false);
    struct trained *t = NULL;
    struct train_options o;
    struct features f;
    train_options_default(&o);
    if (train_run(learnt, &o, &t, &err) != OK || model_parts_load(&t->parts, &h.m, &err) != OK ||
        features_init(&f, &err) != OK)
        die(&err);
    trained_free(t);
    dataset_free(learnt);
    h.estimates = calloc(h.d->query_count * h.d->expert_count, sizeof(*h.estimates));
    for (size_t q = 0; q < h.d->query_count; q++)
        if (model_estimate_text(h.m, h.d->queries[q].prompt, &f,
                                h.estimates + q * h.d->expert_count, &err) != OK)
            die(&err);
    features_done(&f);
    return h;
}

static void done(struct held *h)
{
    free(h->estimates);
    model_free(h->m);
    dataset_free(h->d);
}

/* One outcome; false: it is not known. */
static bool make_row(const struct held *h, size_t q, size_t e, const struct planted *p,
                     struct rng *rng, struct drift_row *ret)
{
    bool is_planted = p && p->of == e;
    const struct estimate *x = &h->estimates[q * h->d->expert_count + e];
    const struct outcome *o = dataset_outcome(h->d, q, is_planted && p->by != SIZE_MAX ? p->by : e);
    if (!o->known)
        return false;
    float score = o->score;
    if (is_planted && p->share > 0 && score >= 0.5f && rng_uniform(rng) < p->share)
        score = 0;
    *ret = (struct drift_row){.expert = e,
                              .score = score,
                              .estimated = x->quality,
                              .estimated_sd = x->quality_sd,
                              .tokens = 1 + (double)o->output_tokens,
                              .estimated_tokens = 1 + (double)x->output_tokens};
    return true;
}

struct tally {
    size_t runs, any, planted,
        others; /* runs in which somebody, the planted one, another was called */
};

/* Of `count` questions; `each`: all experts answer each, else one. */
static void run_once(const struct held *h, size_t count, bool each, const struct planted *p,
                     uint64_t seed, struct tally *t)
{
    size_t experts = h->d->expert_count, n = 0, chosen = 0;
    struct arena *a = arena_create((size_t)1 << 28);
    struct drift_row *rows = ARENA_ARRAY(a, count * experts, struct drift_row);
    struct drift_known *known = ARENA_ARRAY(a, experts, struct drift_known);
    struct drift_expert *found = ARENA_ARRAY(a, experts, struct drift_expert);
    struct rng rng;
    struct error err;
    rng_seed(&rng, seed);
    for (size_t q = 0; q < h->d->query_count && chosen < count; q++) {
        if (rng_below(&rng, h->d->query_count - q) >= count - chosen)
            continue;
        size_t only = each ? SIZE_MAX : rng_below(&rng, experts);
        for (size_t e = 0; e < experts; e++)
            if ((each || e == only) && make_row(h, q, e, p, &rng, &rows[n]))
                rows[n++].question = chosen;
        chosen++;
    }
    for (size_t e = 0; e < experts; e++) {
        const struct model_expert *is = model_expert_at(h->m, e);
        known[e] = (struct drift_known){is->outcomes, is->calibration_error, is->length_log,
                                        is->length_log_sd};
    }
    const struct drift_input in = {.rows = rows,
                                   .row_count = n,
                                   .question_count = count,
                                   .expert_count = experts,
                                   .known = known,
                                   .alpha = ALPHA};
    if (drift_find(&in, a, found, &err) != OK)
        die(&err);
    bool any = false, other = false;
    for (size_t e = 0; e < experts; e++) {
        bool called = found[e].quality.drifted || found[e].length.drifted;
        any |= called;
        other |= called && !(p && p->of == e);
    }
    t->runs++;
    t->any += any;
    t->others += other;
    t->planted += p && found[p->of].quality.drifted;
    arena_free(a);
}

static void table_row(struct held *held, size_t splits, size_t seeds, size_t count, bool each,
                      const struct planted *p)
{
    struct tally t = {0};
    for (size_t s = 0; s < splits; s++)
        for (size_t k = 0; k < seeds; k++)
            run_once(&held[s], count, each, p, 1000 * s + k + 1, &t);
    printf("| %s | %s | %zu | %zu | %.3f | %.3f |\n", p ? p->name : "nothing",
           each ? "all experts" : "one expert each", count, t.runs,
           p ? (double)t.planted / (double)t.runs : NAN, (double)t.others / (double)t.runs);
    fflush(stdout);
}

/* One piece: the table's parts in their order. */
int main(int argc, char **argv)
{
    static const size_t counts[] = {50, 100, 200, 400, 800, 1600, 2400};
    struct error err;
    struct dataset *d = NULL;
    static struct held held[SPLITS_MAX];
    const char *path = argc > 1 ? argv[1] : "../shared/data/mmlu_pro";
    size_t splits = argc > 2 ? strtoul(argv[2], NULL, 10) : 5,
           seeds = argc > 3 ? strtoul(argv[3], NULL, 10) : 40;
    if (dataset_load(path, DATASET_ALL, &d, &err) != OK)
        die(&err);
    splits = splits < SPLITS_MAX ? splits : SPLITS_MAX;
    for (size_t s = 0; s < splits; s++)
        held[s] = prepare(d, FIRST_SEED + s);
    size_t of = dataset_expert_index(d, STR(EXPERT)), by = dataset_expert_index(d, STR(WEAKER));
    const struct planted planted[] = {{"a weaker model", of, by, 0},
                                      {"5 % made wrong", of, SIZE_MAX, 0.05},
                                      {"10 % made wrong", of, SIZE_MAX, 0.1}};
    printf("| planted | asked | questions | runs | it is found | another is called "
           "|\n|---|---|---|---|---|---|\n");
    for (size_t each = 2; each-- > 0;)
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
            table_row(held, splits, seeds, counts[i], each, NULL);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; of != SIZE_MAX && i < sizeof(counts) / sizeof(counts[0]); i++)
            table_row(held, splits, seeds, counts[i], true, &planted[k]);
    for (size_t s = 0; s < splits; s++)
        done(&held[s]);
    dataset_free(d);
    return 0;
}
