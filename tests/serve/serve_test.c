/* What the tests of serve share. */
#include "serve_test.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "predict/train.h"

#define QUERIES 240

static FILE *create(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    return f;
}

static void write_dataset(const char *folder)
{
    static const char *const words[2][4] = {{"hello", "cat", "sum", "two"},
                                            {"prove", "lemma", "tensor", "quantum"}};
    static const char *const experts[] = {"cheap", "mid", "dear"};
    static const unsigned good_percent[2][3] = {{97, 98, 99}, {5, 40, 95}};
    struct rng rng;
    rng_seed(&rng, 3);
    FILE *f = create(folder, "experts.csv");
    fputs("model,usd_per_m_input,usd_per_m_output\ncheap,0.1,0.2\nmid,0.5,1.0\ndear,5.0,15.0\n", f);
    fclose(f);
    f = create(folder, "queries.jsonl");
    for (int i = 0; i < QUERIES; i++) {
        fprintf(f, "{\"id\":\"q%d\",\"text\":\"%d", i, i);
        for (int k = 0; k < 5; k++)
            fprintf(f, " %s", words[i % 2][rng_below(&rng, 4)]);
        fputs("\"}\n", f);
    }
    fclose(f);
    f = create(folder, "outcomes.csv");
    fputs("id,model,score,cost_usd,input_tokens,output_tokens\n", f);
    for (int i = 0; i < QUERIES; i++)
        for (int k = 0; k < 3; k++)
            fprintf(f, "q%d,%s,%d,,10,20\n", i, experts[k],
                    rng_below(&rng, 100) < good_percent[i % 2][k]);
    fclose(f);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"experts.csv", "queries.jsonl", "outcomes.csv", "m.leeroo"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

struct model *serve_test_model(void)
{
    char folder[] = "/tmp/leeroo-serve-XXXXXX", path[256];
    struct dataset *set = NULL;
    struct trained *trained = NULL;
    struct model *model = NULL;
    struct train_options options;
    struct error err = {0};
    cr_assert_not_null(mkdtemp(folder));
    write_dataset(folder);
    snprintf(path, sizeof(path), "%s/m.leeroo", folder);
    train_options_default(&options);
    cr_assert_eq(dataset_load(folder, DATASET_ALL, &set, &err), OK, "%s", err.text);
    cr_assert_eq(train_run(set, &options, &trained, &err), OK, "%s", err.text);
    cr_assert_eq(model_write(trained, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &model, &err), OK, "%s", err.text);
    trained_free(trained);
    dataset_free(set);
    remove_folder(folder);
    return model;
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
