/* Late sources: one that knows something is kept and told by the model file, one that knows nothing is left out as if
 * it had never been there; and a model whose late sources are silent is the model without any. */
#include "train/blend_fit.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "train/model_edit.h"
#include "train/model_write.h"
#include "world.h"

#define ROWS    1200
#define DIMS    6
#define DOMAINS 8

/* Numbers of a text that say nothing; where `state` is set, the second says whether it has an odd number of bytes. */
static void say(const struct encoder *e, struct str text, float *dense)
{
    for (size_t d = 0; d < DIMS; d++)
        dense[d] = (float)(hash64(text, d + 1) % 1000) / 1000 - 0.5f;
    if (e->state)
        dense[1] = text.len % 2 ? 1.5f : -1.5f;
}

static bool silent;

static void *create(const struct encoder *e)
{
    (void)e;
    return calloc(DIMS, sizeof(float));
}

static enum status encode(const struct encoder *e, void *work, struct str text,
                          struct encoding *ret, struct error *err)
{
    (void)err;
    say(e, text, work);
    *ret = silent ? (struct encoding){.silent = true} : (struct encoding){.dense = work};
    return OK;
}

static enum status encode_many(const struct encoder *e, const struct str *texts, size_t count,
                               float *dense, encode_progress *progress, void *arg,
                               struct error *err)
{
    (void)progress;
    (void)arg;
    (void)err;
    for (size_t i = 0; i < count; i++)
        say(e, texts[i], dense + i * DIMS);
    return OK;
}

static const struct encoder knowing = {.name = "knowing",
                                       .fingerprint = "knowing/1",
                                       .dense_count = DIMS,
                                       .state = "parity",
                                       .work_create = create,
                                       .work_free = free,
                                       .encode = encode,
                                       .encode_many = encode_many};
static const struct encoder noise = {.name = "noise",
                                     .fingerprint = "noise/1",
                                     .dense_count = DIMS,
                                     .work_create = create,
                                     .work_free = free,
                                     .encode = encode};

static const struct train_source late[] = {
    {.name = "noise", .kind = "dense", .instance = &noise},
    {.name = "parity", .kind = "dense", .instance = &knowing},
};

/* Whether a text has an odd number of bytes decides what the experts make of it; words do not tell. */
static struct world *parity_world(size_t domains)
{
    static const char *const names[DOMAINS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct world *w = world_make(ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        float odd = (float)(w->queries[i].prompt.len % 2);
        w->outcomes[i * WORLD_EXPERTS].score = i % 10 ? odd : 1 - odd;
        w->outcomes[i * WORLD_EXPERTS + 1].score = i % 7 ? odd : 1 - odd;
        w->queries[i].domain = str_from(names[w->queries[i].text_hash % domains]);
    }
    return w;
}

static struct trained *train_with(const struct world *w, const struct train_source *sources,
                                  size_t count)
{
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.late = sources;
    o.late_count = count;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), OK, "%s", err.text);
    return t;
}

static struct buf bytes_of(const struct trained *t)
{
    struct model *m = NULL;
    struct error err = {0};
    struct buf b;
    buf_init(&b, MODEL_BYTES_MAX);
    cr_assert_eq(model_parts_load(&t->parts, &m, &err), OK, "%s", err.text);
    cr_assert_eq(model_rewrite_bytes(m, NULL, &b, &err), OK, "%s", err.text);
    model_free(m);
    return b;
}

Test(blend_fit, what_knows_something_is_kept_and_what_does_not_is_left_out)
{
    struct world *w = parity_world(DOMAINS);
    struct trained *without = train_with(w, NULL, 0), *with = train_with(w, late, 2);
    const struct predictor *p = &with->parts.predictor;
    cr_assert_eq(without->late_count, 0);
    cr_assert_eq(with->late_count, 2);
    cr_assert(str_equal(with->late[0].name, STR("noise")) && with->late[0].left_out);
    cr_assert(!with->late[1].left_out);
    cr_assert(with->late[1].known_gain > 5 * with->late[1].known_error);
    cr_assert(with->late[1].fresh_gain > 5 * with->late[1].fresh_error);
    cr_assert_eq(p->late_count, 1);
    cr_assert_eq(p->encoder_count, 2);
    cr_assert_eq(p->encoders[1], &knowing);
    cr_assert_gt(with->figures[0].auc, 0.85); /* nine in ten */
    cr_assert_lt(with->figures[0].log_loss, without->figures[0].log_loss - 0.05);
    trained_free(without);
    trained_free(with);
    world_free(w);
}

Test(blend_fit, where_nothing_is_worth_it_the_model_is_the_one_without)
{
    struct world *w = parity_world(DOMAINS);
    struct trained *without = train_with(w, NULL, 0), *with = train_with(w, late, 1);
    struct buf a = bytes_of(without), b = bytes_of(with);
    cr_assert(with->late[0].left_out);
    cr_assert_eq(with->parts.predictor.encoder_count, 1);
    cr_assert(str_equal(buf_str(&a), buf_str(&b)));
    buf_done(&a);
    buf_done(&b);
    trained_free(without);
    trained_free(with);
    world_free(w);
}

Test(blend_fit, too_few_domains_are_judged_by_texts_alone)
{
    struct world *w = parity_world(2);
    struct trained *t = train_with(w, late + 1, 1);
    cr_assert(!t->late[0].left_out);
    cr_assert(isnan(t->late[0].fresh_gain));
    cr_assert(blend_unlike(t->parts.predictor.blend, 1, 3) < 1e-6f); /* nothing is unlike */
    trained_free(t);
    world_free(w);
}

/* All but plans, of which there are none here: quality, spread, tokens, cost. */
static void estimate(const struct model *m, struct str text, struct estimate *estimates)
{
    struct features f;
    struct error err;
    cr_assert_eq(features_init(&f, &err), OK);
    cr_assert_eq(model_estimate_text(m, text, &f, estimates, &err), OK);
    features_done(&f);
}

Test(blend_fit, a_model_file_says_the_same_and_silence_is_the_model_without)
{
    struct world *w = parity_world(DOMAINS);
    struct trained *without = train_with(w, NULL, 0), *with = train_with(w, late + 1, 1);
    struct model *plain = NULL, *blended = NULL;
    struct error err = {0};
    float changed = 0;
    cr_assert_eq(encoder_register(&knowing, &err), OK);
    cr_assert_eq(model_parts_load(&without->parts, &plain, &err), OK, "%s", err.text);
    cr_assert_eq(model_parts_load(&with->parts, &blended, &err), OK, "%s", err.text);
    for (size_t i = 0; i < 100; i++) {
        struct estimate a[WORLD_EXPERTS], b[WORLD_EXPERTS], c[WORLD_EXPERTS];
        struct features f;
        struct str text = w->queries[i].prompt;
        cr_assert_eq(features_init(&f, &err), OK);
        silent = false;
        cr_assert_eq(trained_estimate_text(with, text, &f, a, &err), OK);
        features_done(&f);
        estimate(blended, text, b);
        cr_assert_arr_eq(a, b, sizeof(a));
        silent = true;
        estimate(blended, text, c);
        estimate(plain, text, a);
        cr_assert_arr_eq(a, c, sizeof(a));
        changed = fmaxf(changed, fabsf(b[0].quality - c[0].quality));
    }
    cr_assert_gt(changed, 0.1f);
    model_free(plain);
    model_free(blended);
    trained_free(without);
    trained_free(with);
    world_free(w);
}

Test(blend_fit, an_encoder_that_is_silent_cannot_be_learnt_from)
{
    struct world *w = parity_world(DOMAINS);
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.late = late;
    o.late_count = 1;
    silent = true;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), ERR_UPSTREAM);
    cr_assert(strstr(err.text, "'noise' said nothing of query 1"), "%s", err.text);
    world_free(w);
}
