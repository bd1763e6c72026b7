/* A model of the small world (train/world.h), and newcomers to it whose truth is known. */
#pragma once

#include "enroll/enroll.h"
#include "train/world.h"

#define ROWS 600

struct enroll_world {
    struct world *world;
    struct model *model;
    struct arena *arena;
    struct rng rng;
};

static inline struct enroll_world enroll_world_make(void)
{
    struct error err;
    struct enroll_world w = {.world = world_make(ROWS), .arena = arena_create((size_t)1 << 30)};
    struct trained *t = world_train(w.world, 1);
    cr_assert_eq(model_parts_load(&t->parts, &w.model, &err), OK, "%s", err.text);
    trained_free(t);
    rng_seed(&w.rng, 7);
    return w;
}

static inline void enroll_world_done(struct enroll_world *w)
{
    model_free(w->model);
    world_free(w->world);
    arena_free(w->arena);
}

/* Rows of questions first, first + step, ...: right with chance[kind]; without `chance` nothing is known of it. */
static inline struct enroll_row *enroll_world_rows(struct enroll_world *w, size_t first,
                                                   size_t step, size_t count, const double *chance)
{
    struct enroll_row *rows = ARENA_ARRAY(w->arena, count + 1, struct enroll_row);
    float *others = ARENA_ARRAY(w->arena, count * WORLD_EXPERTS + 1, float);
    cr_assert(rows && others);
    for (size_t i = 0; i < count; i++) {
        size_t at = (first + i * step) % ROWS;
        const struct query *q = &w->world->queries[at];
        for (size_t e = 0; e < WORLD_EXPERTS; e++)
            others[i * WORLD_EXPERTS + e] = w->world->outcomes[at * WORLD_EXPERTS + e].score;
        rows[i] = (struct enroll_row){.text = q->prompt,
                                      .text_hash = q->text_hash,
                                      .score = -1,
                                      .others = others + i * WORLD_EXPERTS};
        if (chance) {
            rows[i].score = rng_uniform(&w->rng) < chance[world_kind(at)];
            rows[i].input_tokens = 20;
            rows[i].output_tokens = world_kind(at) ? 900 : 90;
        }
    }
    return rows;
}

static inline struct enroll_newcomer enroll_world_newcomer(const struct enroll_row *rows,
                                                           size_t count)
{
    return (struct enroll_newcomer){
        .name = STR("new"),
        .price = {.input_nano_usd_per_m = NANO_PER_USD, .output_nano_usd_per_m = 3 * NANO_PER_USD},
        .belief = {.accuracy = 0.6,
                   .accuracy_sd = 0.15,
                   .like = SIZE_MAX,
                   .input_tokens = 100,
                   .output_tokens = 100},
        .rows = rows,
        .row_count = count};
}

/* The model with it. */
static inline struct model *enroll_world_join(struct enroll_world *w,
                                              const struct enroll_newcomer *n,
                                              struct enroll_figures *figures)
{
    struct error err;
    struct expert_parameters p;
    struct buf bytes;
    struct model *m = NULL;
    const struct model_edit edit = {.add = &p, .add_count = 1};
    cr_assert_eq(enroll_fit(w->model, n, w->arena, &p, figures, &err), OK, "%s", err.text);
    buf_init(&bytes, MODEL_BYTES_MAX);
    cr_assert_eq(model_rewrite_bytes(w->model, &edit, &bytes, &err), OK, "%s", err.text);
    cr_assert_eq(model_load_bytes(bytes.ptr, bytes.len, &m, &err), OK, "%s", err.text);
    buf_done(&bytes);
    return m;
}

/* What a model makes of an easy (0) or hard (1) text that nobody has seen: means over some. */
static inline void enroll_world_ask(const struct model *m, int kind, struct estimate *ret)
{
    struct features f = {0};
    struct estimate e[MODEL_ARMS_MAX];
    struct rng r;
    char text[WORLD_TEXT];
    size_t n = model_expert_count(m);
    rng_seed(&r, 99);
    memset(ret, 0, n * sizeof(*ret));
    for (size_t i = 0; i < 40; i++) {
        world_text(&r, kind, text);
        cr_assert_eq(model_estimate_text(m, str_from(text), &f, e, NULL), OK);
        for (size_t k = 0; k < n; k++) {
            ret[k].quality += e[k].quality / 40;
            ret[k].output_tokens += e[k].output_tokens / 40;
        }
    }
    features_done(&f);
}
