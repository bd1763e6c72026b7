/* Models of several sources and encoders: a toy that a program brings itself is learnt, written, read and heard. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "toy.h"
#include "world.h"

#define ROWS 600

/* The first expert is good where the text has an odd number of bytes, which words do not tell. */
static struct world *parity_world(void)
{
    struct world *w = world_make(ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        float odd = (float)(w->queries[i].prompt.len % 2);
        w->outcomes[i * WORLD_EXPERTS].score = i % 10 ? odd : 1 - odd;
    }
    return w;
}

static const struct train_source with_toy[] = {
    {.name = "words", .kind = "linear", .encoder = "ngram"},
    {.name = "sides", .kind = "sides", .encoder = "parity"},
};

static struct trained *train_with(const struct world *w, const struct train_source *sources,
                                  size_t count)
{
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.sources = sources;
    o.source_count = count;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), OK, "%s", err.text);
    return t;
}

static struct model *write_and_load(const struct trained *t)
{
    struct model *m = NULL;
    struct error err = {0};
    char path[] = "/tmp/leeroo-toy-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(model_write(t, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &m, &err), OK, "%s", err.text);
    unlink(path);
    return m;
}

Test(train_sources, a_source_of_ones_own_is_learnt)
{
    struct world *w = parity_world();
    struct trained *without = world_train(w, 1);
    toy_register();
    struct trained *with = train_with(w, with_toy, 2);
    const struct predictor *p = &with->parts.predictor;
    cr_assert_eq(p->source_count, 2);
    cr_assert_eq(p->encoder_count, 2);
    cr_assert_gt(with->figures[0].auc, 0.85); /* nine in ten */
    cr_assert_lt(without->figures[0].auc, with->figures[0].auc - 0.05, "%g, %g",
                 without->figures[0].auc, with->figures[0].auc);
    const float *slopes = p->base + p->experts + LEVEL_SLOPES;
    cr_assert(slopes[0] > 0.3f && slopes[1] > 0.3f, "the toy's slopes: %g %g", (double)slopes[0],
              (double)slopes[1]);
    trained_free(without);
    trained_free(with);
    world_free(w);
}

Test(train_sources, what_was_written_says_the_same)
{
    struct world *w = parity_world();
    toy_register();
    struct trained *t = train_with(w, with_toy, 2);
    struct model *m = write_and_load(t);
    struct features f = {0};
    struct estimate got[2][WORLD_EXPERTS], want[WORLD_EXPERTS];
    static const char *const texts[2] = {"hello sum cat two hello sum 12345",
                                         "hello sum cat two hello sum 1234"};
    for (int odd = 0; odd < 2; odd++) {
        struct str text = str_from(texts[!odd]);
        cr_assert_eq(text.len % 2, odd);
        cr_assert_eq(model_estimate_text(m, text, &f, got[odd], NULL), OK);
        cr_assert_eq(trained_estimate_text(t, text, &f, want, NULL), OK);
        cr_assert_eq(memcmp(got[odd], want, sizeof(want)), 0);
    }
    cr_assert_gt((double)got[1][0].quality, 0.75);
    cr_assert_lt((double)got[0][0].quality, 0.25);
    features_done(&f);
    model_free(m);
    trained_free(t);
    world_free(w);
}

static void note(enum status status, const struct error *err, void *arg)
{
    cr_assert(status == OK && !err);
    ++*(int *)arg;
}

Test(train_sources, an_encoder_may_answer_later)
{
    struct world *w = parity_world();
    toy_register();
    struct trained *t = train_with(w, with_toy, 2);
    struct model *m = write_and_load(t);
    struct features f = {0};
    struct estimate now[WORLD_EXPERTS], later[WORLD_EXPERTS];
    struct estimate_task *task = NULL;
    int calls = 0;
    const struct str text = STR("prove the lemma");
    cr_assert_eq(model_estimate_text(m, text, &f, now, NULL), OK);
    cr_assert_eq(model_estimate_begin(m, text, &f, later, note, &calls, &task, NULL), OK);
    cr_assert_eq(memcmp(now, later, sizeof(now)), 0);
    toy_waits = true;
    memset(later, 0, sizeof(later));
    cr_assert_eq(model_estimate_begin(m, text, &f, later, note, &calls, &task, NULL), AGAIN);
    cr_assert(task && toy_task && !calls);
    toy_answer();
    cr_assert_eq(calls, 1);
    cr_assert_eq(memcmp(now, later, sizeof(now)), 0);
    cr_assert_eq(model_estimate_begin(m, text, &f, later, note, &calls, &task, NULL), AGAIN);
    model_estimate_cancel(task);
    cr_assert(!toy_task && calls == 1);
    features_done(&f);
    model_free(m);
    trained_free(t);
    world_free(w);
}

/* A model may do without n-grams, and a source without an encoder. */
Test(train_sources, the_usual_ones_are_no_must)
{
    struct world *w = parity_world();
    toy_register();
    struct trained *t = train_with(w, with_toy + 1, 1);
    struct model *m = write_and_load(t);
    struct features f = {0};
    struct estimate e[WORLD_EXPERTS];
    cr_assert_eq(model_estimate_text(m, STR("odd"), &f, e, NULL), OK);
    cr_assert_gt((double)e[0].quality, 0.75);
    features_done(&f);
    model_free(m);
    trained_free(t);
    world_free(w);
}

Test(train_sources, what_is_unknown_is_refused)
{
    static const struct train_source wrong[][2] = {
        {{.name = "a", .kind = "linear", .encoder = "ngram"}, {.name = "b", .kind = "nearest"}},
        {{.name = "a", .kind = "linear", .encoder = "ngram"},
         {.name = "b", .kind = "linear", .encoder = "gguf"}},
        {{.name = "a", .kind = "linear", .encoder = "ngram"},
         {.name = "a", .kind = "groups", .of = "a"}},
        {{.name = "a", .kind = "linear", .encoder = "ngram"},
         {.name = "b", .kind = "groups", .of = "c"}},
        {{.name = "a", .kind = "linear", .encoder = "ngram"}, {.name = "b", .kind = "groups"}},
        {{.name = "a", .kind = "linear", .encoder = "ngram"}, {.name = "b", .kind = "linear"}},
    };
    struct world *w = world_make(60);
    struct train_options o;
    train_options_default(&o);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct trained *t = NULL;
        struct error err = {0};
        o.sources = wrong[i];
        o.source_count = 2;
        cr_assert_eq(train_run(&w->dataset, &o, &t, &err), ERR_INPUT, "%zu", i);
        cr_assert(!t && err.text[0]);
    }
    world_free(w);
}
