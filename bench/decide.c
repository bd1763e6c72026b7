/* How long one decision takes: text of 1 KB → features → estimates → decision, the path of `route` and of the gateway,
 * on one core; and how long the model takes to load. Every query is another text, so that the weights it touches are
 * as cold as they will be.
 *
 *   bench_decide [MODEL [QUERIES]]       without MODEL one of ten experts is trained on $LEEROO_DATA/mmlu first;
 *                                        exit 1 when a bar is missed */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "plan/decide.h"
#include "train/train.h"

#define QUERY_BYTES     1024
#define QUERIES_DEFAULT 20000
#define EXPERTS_TRAINED 10
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
        enum status status = model_load(path, &m, err);
        times[i] = (double)(clock_now_ns() - start) / 1e6;
        if (status != OK)
            return status;
        model_free(m);
    }
    qsort(times, LOADS, sizeof(double), compare_doubles);
    *ret_median = times[LOADS / 2];
    return OK;
}

enum stage { ENCODE, ESTIMATE, DECIDE, WHOLE, STAGES };

struct timing {
    double cpu_us;           /* of a whole decision, mean */
    double stage_us[STAGES]; /* medians: deaf to whatever else the machine does */
};

static enum status decide_once(const struct model *m, struct features *f, struct str text,
                               double stage_us[STAGES], struct error *err)
{
    struct estimate estimates[MODEL_ARMS_MAX];
    struct policy policy = {0};
    struct decision d;
    uint64_t start = clock_now_ns();
    enum status status = model_encode(m, text, f, err);
    if (status != OK)
        return status;
    uint64_t encoded = clock_now_ns();
    model_estimate(m, f, estimates);
    uint64_t estimated = clock_now_ns();
    status = decide(&policy, 100, estimates, NULL, model_expert_count(m), &d, err);
    stage_us[ENCODE] = (double)(encoded - start) / 1e3;
    stage_us[ESTIMATE] = (double)(estimated - encoded) / 1e3;
    stage_us[DECIDE] = (double)(clock_now_ns() - estimated) / 1e3;
    stage_us[WHOLE] = (double)(clock_now_ns() - start) / 1e3;
    return status;
}

/* `texts` holds `queries` texts; `us` room for a time of each. */
static enum status decisions(const struct model *m, const char *texts, size_t queries,
                             double (*us)[STAGES], double *column, struct timing *ret,
                             struct error *err)
{
    struct features f;
    enum status status = features_init(&f, err);
    double start = clock_cpu_seconds();
    for (size_t i = 0; i < queries && status == OK; i++) {
        struct str text = {texts + i * QUERY_BYTES, QUERY_BYTES};
        status = decide_once(m, &f, text, us[i], err);
    }
    ret->cpu_us = (clock_cpu_seconds() - start) * 1e6 / (double)queries;
    features_done(&f);
    for (size_t stage = 0; stage < STAGES && status == OK; stage++) {
        for (size_t i = 0; i < queries; i++)
            column[i] = us[i][stage];
        qsort(column, queries, sizeof(double), compare_doubles);
        ret->stage_us[stage] = column[queries / 2];
    }
    return status;
}

static enum status measure(const char *path, size_t queries, struct timing *ret, size_t *experts,
                           struct error *err)
{
    struct model *m = NULL;
    struct rng r;
    enum status status = model_load(path, &m, err);
    if (status != OK)
        return status;
    char *texts = malloc(queries * QUERY_BYTES);
    double(*us)[STAGES] = malloc(queries * sizeof(*us));
    double *column = malloc(queries * sizeof(*column));
    rng_seed(&r, 1);
    for (size_t i = 0; texts && i < queries; i++)
        text_make(&r, texts + i * QUERY_BYTES);
    status = texts && us && column ? decisions(m, texts, queries, us, column, ret, err)
                                   : error_set(err, ERR_MEMORY, "out of memory");
    *experts = model_expert_count(m);
    free(texts);
    free(us);
    free(column);
    model_free(m);
    return status;
}

static enum status train_on(const char *dataset, const char *path, struct error *err)
{
    struct dataset *d;
    struct trained *t = NULL;
    struct train_options o;
    size_t experts[EXPERTS_TRAINED];
    enum status status = dataset_load(dataset, DATASET_ALL, &d, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < EXPERTS_TRAINED; i++)
        experts[i] = i;
    train_options_default(&o);
    o.experts = experts;
    o.expert_count = d->expert_count < EXPERTS_TRAINED ? d->expert_count : EXPERTS_TRAINED;
    status = train_run(d, &o, &t, err);
    if (status == OK)
        status = model_write(t, path, err);
    trained_free(t);
    dataset_free(d);
    return status;
}

static int report(const char *model, size_t queries)
{
    size_t experts = 0;
    struct timing t = {0};
    struct error err;
    double ms;
    enum status status = load_ms(model, &ms, &err);
    if (status == OK)
        status = measure(model, queries, &t, &experts, &err);
    if (status != OK) {
        fprintf(stderr, "decide: %s\n", err.text);
        return 1;
    }
    printf("load      %7.2f ms   bar %g ms   (%zu experts; median of %d)\n", ms, LOAD_MS_BAR,
           experts, LOADS);
    printf("decision  %7.2f us   bar %g us   (median; encode %.2f, estimate %.2f, decide %.2f; "
           "CPU time, mean %.2f)\n",
           t.stage_us[WHOLE], DECISION_US_BAR, t.stage_us[ENCODE], t.stage_us[ESTIMATE],
           t.stage_us[DECIDE], t.cpu_us);
    return t.stage_us[WHOLE] > DECISION_US_BAR || ms > LOAD_MS_BAR;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        size_t queries = argc > 2 ? strtoul(argv[2], NULL, 10) : QUERIES_DEFAULT;
        return report(argv[1], queries ? queries : 1);
    }
    const char *root = getenv("LEEROO_DATA");
    char dataset[4096], model[] = "/tmp/leeroo-bench-XXXXXX";
    struct error err;
    snprintf(dataset, sizeof(dataset), "%s/mmlu", root ? root : "../shared/data");
    if (access(dataset, R_OK) != 0) {
        printf("skipped: no data at %s\n", dataset);
        return 0;
    }
    int fd = mkstemp(model);
    if (fd < 0 || train_on(dataset, model, &err) != OK) {
        fprintf(stderr, "decide: %s\n", fd < 0 ? "no temporary file" : err.text);
        return 1;
    }
    int rc = report(model, QUERIES_DEFAULT);
    close(fd);
    unlink(model);
    return rc;
}
