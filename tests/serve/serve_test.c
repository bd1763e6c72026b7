/* What the tests of serve share. */
#include "serve_test.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "judge/answer_table.h"
#include "plan/decide.h"
#include "plan/plan_filter.h"
#include "route/estimator.h"
#include "train/train.h"

#define QUERIES_MAX 700

enum texts { TEXTS_NONE, TEXTS_PLAIN, TEXTS_TELLING };

static FILE *create(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    return f;
}

static void write_responses(const char *folder, bool good[QUERIES_MAX][3], size_t queries,
                            bool telling, struct rng *rng)
{
    static const char *const names[] = {"responses/cheap.jsonl", "responses/mid.jsonl",
                                        "responses/dear.jsonl"};
    char path[256];
    snprintf(path, sizeof(path), "%s/responses", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    for (int k = 0; k < 3; k++) {
        FILE *f = create(folder, names[k]);
        for (size_t i = 0; i < queries; i++)
            fprintf(f, "{\"id\":\"q%zu\",\"text\":\"%s The answer is (%c).\"}\n", i,
                    !good[i][k] && telling && rng_below(rng, 3) == 0 ? "But wait, that cannot be."
                                                                     : "Yes.",
                    good[i][k] ? 'A' : (char)('B' + rng_below(rng, 3)));
        fclose(f);
    }
}

static void write_dataset(const char *folder, enum texts texts)
{
    static bool good[QUERIES_MAX][3];
    const size_t queries = texts ? QUERIES_MAX : 240;
    static const char *const words[2][4] = {{"hello", "cat", "sum", "two"},
                                            {"prove", "lemma", "tensor", "quantum"}};
    static const char *const experts[] = {"cheap", "mid", "dear"};
    /* Without texts who is dear is good at hard questions; with texts all err, each in its own way, so that those who
     * agree are right. */
    static const unsigned plain[2][3] = {{97, 98, 99}, {5, 40, 95}},
                          told[2][3] = {{80, 80, 88}, {75, 75, 84}};
    const unsigned(*good_percent)[3] = texts ? told : plain;
    struct rng rng;
    rng_seed(&rng, 3);
    FILE *f = create(folder, "experts.csv");
    fputs("model,usd_per_m_input,usd_per_m_output\ncheap,0.1,0.2\nmid,0.5,1.0\ndear,5.0,15.0\n", f);
    fclose(f);
    f = create(folder, "queries.jsonl");
    for (size_t i = 0; i < queries; i++) {
        fprintf(f, "{\"id\":\"q%zu\",\"text\":\"%zu", i, i);
        for (int k = 0; k < 5; k++)
            fprintf(f, " %s", words[i % 2][rng_below(&rng, 4)]);
        fputs("\"}\n", f);
    }
    fclose(f);
    f = create(folder, "outcomes.csv");
    fputs("id,model,score,cost_usd,input_tokens,output_tokens\n", f);
    for (size_t i = 0; i < queries; i++)
        for (int k = 0; k < 3; k++) {
            good[i][k] = rng_below(&rng, 100) < good_percent[i % 2][k];
            fprintf(f, "q%zu,%s,%d,,10,20\n", i, experts[k], good[i][k]);
        }
    fclose(f);
    if (texts)
        write_responses(folder, good, queries, texts == TEXTS_TELLING, &rng);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {
        "experts.csv",           "queries.jsonl",       "outcomes.csv",         "m.leeroo",
        "responses/cheap.jsonl", "responses/mid.jsonl", "responses/dear.jsonl", "responses"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

static void read_answers(struct dataset *set, struct arena *arena, struct train_options *options)
{
    static struct answer_table answers;
    static const size_t experts[] = {0, 1, 2};
    struct error err = {0};
    size_t found = 0;
    cr_assert_eq(answer_table_classify(set, experts, 3, NULL, NULL, &found, &err), OK, "%s",
                 err.text);
    cr_assert_eq(answer_table_read(&set, 1, set, experts, 3, arena, &answers, &err), OK, "%s",
                 err.text);
    options->answers = &answers;
    options->plans = "panel(cheap,mid->dear);cascade(cheap->dear)";
}

static struct model *train_model(enum texts texts)
{
    char folder[] = "/tmp/leeroo-serve-XXXXXX", path[256];
    struct dataset *set = NULL;
    struct trained *trained = NULL;
    struct model *model = NULL;
    struct train_options options;
    struct error err = {0};
    cr_assert_not_null(mkdtemp(folder));
    write_dataset(folder, texts);
    snprintf(path, sizeof(path), "%s/m.leeroo", folder);
    train_options_default(&options);
    cr_assert_eq(dataset_load(folder, DATASET_ALL, &set, &err), OK, "%s", err.text);
    struct arena *arena = arena_create(64u << 20);
    if (texts)
        read_answers(set, arena, &options);
    cr_assert_eq(train_run(set, &options, &trained, &err), OK, "%s", err.text);
    cr_assert_eq(model_write(trained, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &model, &err), OK, "%s", err.text);
    trained_free(trained);
    dataset_free(set);
    arena_free(arena);
    remove_folder(folder);
    return model;
}

struct model *serve_test_model(void)
{
    return train_model(TEXTS_NONE);
}

struct model *serve_test_plan_model(bool telling)
{
    return train_model(telling ? TEXTS_TELLING : TEXTS_PLAIN);
}

static bool is_called(struct str name, struct str wanted)
{
    return str_ends(wanted, STR("~")) ? str_starts(name, str_slice(wanted, 0, wanted.len - 1)) &&
                                            str_find(name, STR("~"), 0) != SIZE_MAX
                                      : str_equal(name, wanted);
}

/* The lambda at which the arm is decided for among the experts and what its own name allows; negative: none. */
static double lambda_for(const struct model *m, const struct estimate *estimates, size_t arm)
{
    bool use[MODEL_ARMS_MAX];
    struct decision d;
    for (size_t i = 0; i < model_arm_count(m); i++)
        use[i] = i < model_expert_count(m);
    cr_assert_eq(plan_filter_apply(m, model_arm_at(m, arm)->name, use, NULL), OK);
    for (double lambda = 0.01; lambda < 1e6; lambda *= 1.1) {
        const struct policy policy = {.lambda = lambda};
        cr_assert_eq(decide(&policy, lambda, estimates, use, model_arm_count(m), &d, NULL), OK);
        if (d.arm == arm)
            return lambda;
    }
    return -1;
}

const char *serve_test_policies(const struct model *m, const char *text, const char *name)
{
    static char yaml[256];
    struct estimate estimates[MODEL_ARMS_MAX];
    struct features features;
    cr_assert_eq(features_init(&features, NULL), OK);
    cr_assert_eq(model_encode(m, str_from(text), &features, NULL), OK);
    model_estimate(m, &features, estimates);
    features_done(&features);
    for (size_t arm = model_expert_count(m); arm < model_arm_count(m); arm++) {
        struct str called = model_arm_at(m, arm)->name;
        double lambda = is_called(called, str_from(name)) ? lambda_for(m, estimates, arm) : -1;
        if (lambda < 0)
            continue;
        snprintf(yaml, sizeof(yaml), "policies: {default: {lambda: %.9g, plans: \"%.*s\"}}\n",
                 lambda, STR_FMT(called));
        return yaml;
    }
    cr_assert_fail("%s is never chosen", name);
    return NULL;
}

enum status serve_test_choose(struct pool *p, const struct openai_request *r,
                              struct pool_target target, struct arena *a, struct pool_choice *ret,
                              struct error *err)
{
    struct estimator *e = NULL;
    struct request_estimates estimates;
    const struct estimator_ask ask = {
        .pool = p, .request = r, .cached_tokens = target.cached_tokens, .arena = a};
    cr_assert_eq(estimator_create(NULL, &e, NULL), OK);
    enum status status = estimator_begin(e, &ask, &estimates, NULL, err);
    estimator_free(e);
    return status == OK ? pool_choose(p, r, target, &estimates, a, ret, err) : status;
}

struct config *serve_test_config(const struct model *m, const char *yaml)
{
    char text[8192];
    struct config *c = NULL;
    struct error err = {0};
    snprintf(text, sizeof(text), "listen: 127.0.0.1:0\nthreads: 1\nmodel: m\n%s", yaml);
    cr_assert_eq(config_parse(str_from(text), "test.yaml", &c, &err), OK, "%s", err.text);
    cr_assert_eq(config_bind(c, m, &err), OK, "%s", err.text);
    return c;
}
