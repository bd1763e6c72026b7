/* A language model that knows whom to ask, scripted: what it knows is learnt, kept, and told by the model file; what
 * training leaves of one that only guesses is nothing. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "train/model_edit.h"
#include "train/model_write.h"
#include "train/source_kind.h"
#include "world.h"

#define ROWS        1200
#define CERTAINTIES 2
#define WIDTH       (WORLD_EXPERTS + CERTAINTIES)

/* Of a text of an odd number of bytes it prefers the first expert, of any other the second. How certain it is says
 * whether anybody will be right, where the text's hash is even. */
static void say(const struct encoder *e, struct str text, float *dense)
{
    bool knows = e->state;
    float first = knows ? (text.len % 2 ? -0.2f : -1.7f) : -0.7f - 0.001f * (float)(text.len % 7);
    for (size_t i = 0; i < WORLD_EXPERTS; i++)
        dense[i] = i == 0 ? first : i == 1 ? logf(1 - expf(first)) : -9;
    dense[WORLD_EXPERTS] = knows ? (float)(hash64(text, 9) % 2) : 0.5f;
    dense[WORLD_EXPERTS + 1] = 3; /* always */
}

static void *create(const struct encoder *e)
{
    (void)e;
    return calloc(WIDTH, sizeof(float));
}

static enum status encode(const struct encoder *e, void *work, struct str text,
                          struct encoding *ret, struct error *err)
{
    (void)err;
    say(e, text, work);
    *ret = (struct encoding){.dense = work};
    return OK;
}

static const struct encoder knowing = {.name = "knowing",
                                       .fingerprint = "knowing/1",
                                       .dense_count = WIDTH,
                                       .state = "it knows",
                                       .work_create = create,
                                       .work_free = free,
                                       .encode = encode};
static const struct encoder guessing = {.name = "guessing",
                                        .fingerprint = "guessing/1",
                                        .dense_count = WIDTH,
                                        .work_create = create,
                                        .work_free = free,
                                        .encode = encode};
static const struct encoder narrow = {.name = "narrow",
                                      .fingerprint = "narrow/1",
                                      .dense_count = WORLD_EXPERTS - 1,
                                      .work_create = create,
                                      .work_free = free,
                                      .encode = encode};

/* Where it says that nobody will be right, nobody is; else whom it prefers is, nine times in ten. */
static struct world *preferred_world(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct world *w = world_make(ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        struct str text = w->queries[i].prompt;
        bool anybody = hash64(text, 9) % 2, odd = text.len % 2, luck = i % 10 == 0;
        w->outcomes[i * WORLD_EXPERTS].score = anybody && odd != luck;
        w->outcomes[i * WORLD_EXPERTS + 1].score = anybody && odd == luck;
        w->queries[i].domain = str_from(names[w->queries[i].text_hash % 8]);
    }
    return w;
}

static struct trained *train_with(const struct world *w, const struct encoder *e)
{
    const struct train_source late = {.name = "opinion", .kind = "opinion", .instance = e};
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.late = &late;
    o.late_count = e ? 1 : 0;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), OK, "%s", err.text);
    return t;
}

Test(opinion_kind, whom_it_prefers_and_how_sure_it_is_are_learnt)
{
    struct world *w = preferred_world();
    struct trained *without = train_with(w, NULL), *with = train_with(w, &knowing);
    const struct predictor *p = &with->parts.predictor;
    cr_assert_eq(p->late_count, 1);
    cr_assert(!with->late[0].left_out);
    const struct opinion_head *h = p->sources[p->source_count].state;
    cr_assert_eq(h->labels, WORLD_EXPERTS);
    cr_assert_eq(h->certainties, CERTAINTIES);
    cr_assert_gt(h->weights[WORLD_EXPERTS], 0.5f, "the label's log-probability");
    cr_assert_gt(h->weights[2 * WORLD_EXPERTS], 0.5f, "the certainty");
    cr_assert_eq((double)h->scale[1], 0, "what never changes says nothing");
    cr_assert_lt(with->figures[0].log_loss, without->figures[0].log_loss - 0.2);
    cr_assert_gt(with->figures[0].auc, 0.9);
    trained_free(without);
    trained_free(with);
    world_free(w);
}

Test(opinion_kind, who_only_guesses_is_left_out)
{
    struct world *w = preferred_world();
    struct trained *t = train_with(w, &guessing);
    cr_assert(t->late[0].left_out);
    cr_assert_eq(t->parts.predictor.late_count, 0);
    trained_free(t);
    world_free(w);
}

Test(opinion_kind, the_model_file_says_the_same)
{
    struct world *w = preferred_world();
    struct trained *t = train_with(w, &knowing);
    struct features f;
    struct error err = {0};
    struct model *m = NULL;
    struct buf bytes;
    struct estimate a[WORLD_EXPERTS + 8], b[WORLD_EXPERTS + 8];
    buf_init(&bytes, MODEL_BYTES_MAX);
    cr_assert_eq(encoder_register(&knowing, &err), OK, "%s", err.text);
    cr_assert_eq(model_parts_load(&t->parts, &m, &err), OK, "%s", err.text);
    cr_assert_eq(features_init(&f, &err), OK);
    for (size_t i = 0; i < 20; i++) {
        struct str text = w->queries[i].prompt;
        cr_assert_eq(trained_estimate_text(t, text, &f, a, &err), OK);
        cr_assert_eq(model_estimate_text(m, text, &f, b, &err), OK);
        for (size_t e = 0; e < WORLD_EXPERTS; e++)
            cr_assert_eq(a[e].quality, b[e].quality);
    }
    features_done(&f);
    model_free(m);
    buf_done(&bytes);
    trained_free(t);
    world_free(w);
}

Test(opinion_kind, an_encoder_without_a_label_for_each_expert_is_refused)
{
    struct world *w = preferred_world();
    const struct train_source late = {.name = "opinion", .kind = "opinion", .instance = &narrow};
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.late = &late;
    o.late_count = 1;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "a number for each of"));
    world_free(w);
}
