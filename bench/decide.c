/* How long one decision takes: text of 1 KB → features → estimates → decision, the path of `route` and of the gateway,
 * on one core; and how long the model takes to load. Every query is another text, so that the weights it touches are
 * as cold as they will be.
 *
 *   bench/decide MODEL [QUERIES]         exit 1 when a bar of the README is missed */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "plan/decide.h"

#define QUERY_BYTES     1024
#define QUERIES_DEFAULT 20000
#define LOADS           21
#define DECISION_US_BAR 20.0
#define LOAD_MS_BAR     20.0

/* Words of made-up letters, Zipf-like: half of them from the hundred most frequent of 20,000. */
static void text_make(struct rng *r, char text[QUERY_BYTES])
{
    size_t n = 0;
    while (n < QUERY_BYTES) {
        uint64_t word = rng_below(r, 2) ? rng_below(r, 100) : rng_below(r, 20000);
        uint64_t letters = word * UINT64_C(0x9E3779B97F4A7C15);
        for (size_t i = 0; i < 2 + word % 8 && n < QUERY_BYTES; i++, letters /= 26)
            text[n++] = (char)('a' + letters % 26);
        if (n < QUERY_BYTES)
            text[n++] = rng_below(r, 12) ? ' ' : '.';
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum status load_ms(const char *path, double *ret_median, struct error *err)
{
    double times[LOADS];
    for (size_t i = 0; i < LOADS; i++) {
        struct model *m;
        uint64_t start = clock_now_ns();
        enum status st = model_load(path, &m, err);
        times[i] = (double)(clock_now_ns() - start) / 1e6;
        if (st != OK)
            return st;
        model_free(m);
    }
    qsort(times, LOADS, sizeof(double), compare_doubles);
    *ret_median = times[LOADS / 2];
    return OK;
}

struct timing {
    double encode_us, estimate_us, decide_us; /* CPU time per query */
};

static enum status decide_once(const struct model *m, struct features *f, struct str text,
                               struct timing *t, struct error *err)
{
    struct estimate estimates[MODEL_EXPERTS_MAX];
    struct policy policy = {0};
    struct decision d;
    uint64_t start = clock_now_ns();
    enum status st = encode_text(model_encoder(m), text, f, err);
    if (st != OK)
        return st;
    uint64_t encoded = clock_now_ns();
    model_estimate(m, f, estimates);
    uint64_t estimated = clock_now_ns();
    st = decide(&policy, 100, estimates, NULL, model_expert_count(m), &d, err);
    t->encode_us += (double)(encoded - start) / 1e3;
    t->estimate_us += (double)(estimated - encoded) / 1e3;
    t->decide_us += (double)(clock_now_ns() - estimated) / 1e3;
    return st;
}

static enum status decisions(const struct model *m, size_t queries, struct timing *ret,
                             struct error *err)
{
    struct features f;
    struct timing sum = {0};
    struct rng r;
    char text[QUERY_BYTES];
    rng_seed(&r, 1);
    enum status st = features_init(&f, err);
    for (size_t i = 0; i < queries && st == OK; i++) {
        text_make(&r, text);
        st = decide_once(m, &f, (struct str){text, QUERY_BYTES}, &sum, err);
    }
    features_done(&f);
    double n = (double)queries;
    *ret = (struct timing){sum.encode_us / n, sum.estimate_us / n, sum.decide_us / n};
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: decide MODEL [QUERIES]\n");
        return 2;
    }
    size_t queries = argc > 2 ? strtoul(argv[2], NULL, 10) : QUERIES_DEFAULT;
    struct model *m = NULL;
    struct timing t;
    struct error err;
    double ms;
    enum status st = load_ms(argv[1], &ms, &err);
    if (st == OK)
        st = model_load(argv[1], &m, &err);
    if (st == OK)
        st = decisions(m, queries ? queries : 1, &t, &err);
    if (st != OK) {
        fprintf(stderr, "decide: %s\n", err.text);
        return 1;
    }
    double us = t.encode_us + t.estimate_us + t.decide_us;
    printf("load      %8.2f ms   bar %g ms   (%zu experts)\n", ms, LOAD_MS_BAR,
           model_expert_count(m));
    printf("decision  %8.2f us   bar %g us   (encode %.2f, estimate %.2f, decide %.2f)\n", us,
           DECISION_US_BAR, t.encode_us, t.estimate_us, t.decide_us);
    model_free(m);
    return us > DECISION_US_BAR || ms > LOAD_MS_BAR;
}
