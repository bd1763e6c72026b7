/* A data set in memory whose topics are known: four subjects with words of their own, among words that all have. Three
 * experts: "wide" knows all but glaciers, "ships" ships alone and best, "poor" little. Nobody knows glaciers. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "train/train.h"

#define PLANTED_SUBJECTS 4
#define PLANTED_EXPERTS  3
#define PLANTED_TEXT     256

enum planted_subject { PLANTED_BREAD, PLANTED_SHIPS, PLANTED_GLACIERS, PLANTED_CHESS };

static const char *const planted_words[PLANTED_SUBJECTS][8] = {
    {"flour", "yeast", "oven", "dough", "crust", "knead", "sourdough", "baker"},
    {"mast", "anchor", "sail", "harbour", "rudder", "captain", "tide", "keel"},
    {"moraine", "icefall", "crevasse", "firn", "serac", "ablation", "tarn", "glacier"},
    {"bishop", "gambit", "pawn", "castling", "endgame", "knight", "checkmate", "pawns"},
};
static const double planted_skill[PLANTED_SUBJECTS][PLANTED_EXPERTS] = {
    {0.95, 0.3, 0.3}, {0.2, 0.95, 0.2}, {0.06, 0.04, 0.05}, {0.93, 0.4, 0.3}};

struct planted {
    struct dataset d;
    struct dataset_expert experts[PLANTED_EXPERTS];
    struct query *queries;
    struct outcome *outcomes;
    unsigned char *subject; /* [rows] */
    char *texts;
};

static inline void planted_text(struct rng *r, size_t subject, size_t row, char *text)
{
    static const char *const common[] = {"people", "often", "because", "thing", "year", "good"};
    char *at = text;
    for (int i = 0; i < 8; i++) {
        at += snprintf(at, 20, "%s ", planted_words[subject][rng_below(r, 8)]);
        at += snprintf(at, 20, "%s ", common[rng_below(r, 6)]);
    }
    snprintf(at, 16, "%zu?", row);
}

/* With domains they are "food" (bread), "sea" (ships), and "games" (chess and glaciers). */
static inline struct planted *planted_make(size_t rows, uint64_t seed, bool domains)
{
    static const char *const names[] = {"wide", "ships", "poor"};
    static const char *const of[] = {"food", "sea", "games", "games"};
    struct planted *p = calloc(1, sizeof(*p));
    struct rng r;
    cr_assert_not_null(p);
    rng_seed(&r, seed);
    p->queries = calloc(rows, sizeof(*p->queries));
    p->outcomes = calloc(rows * PLANTED_EXPERTS, sizeof(*p->outcomes));
    p->subject = calloc(rows, 1);
    p->texts = calloc(rows, PLANTED_TEXT);
    cr_assert(p->queries && p->outcomes && p->subject && p->texts);
    for (size_t e = 0; e < PLANTED_EXPERTS; e++)
        p->experts[e] = (struct dataset_expert){
            str_from(names[e]), {.input_nano_usd_per_m = (int64_t)(3 - e) * NANO_PER_USD}};
    for (size_t i = 0; i < rows; i++) {
        char *text = p->texts + i * PLANTED_TEXT;
        size_t subject = p->subject[i] = (unsigned char)rng_below(&r, PLANTED_SUBJECTS);
        planted_text(&r, subject, i + 100000 * seed, text);
        p->queries[i] = (struct query){.id = str_from(text),
                                       .text = str_from(text),
                                       .prompt = str_from(text),
                                       .domain = domains ? str_from(of[subject]) : STR(""),
                                       .text_hash = text_hash(str_from(text))};
        for (size_t e = 0; e < PLANTED_EXPERTS; e++)
            p->outcomes[i * PLANTED_EXPERTS + e] =
                (struct outcome){.present = true,
                                 .known = true,
                                 .cost_known = true,
                                 .score = rng_uniform(&r) < planted_skill[subject][e],
                                 .cost_nano_usd = 1000 * (int64_t)(3 - e)};
    }
    p->d = (struct dataset){.path = STR("planted"),
                            .queries = p->queries,
                            .query_count = rows,
                            .experts = p->experts,
                            .expert_count = PLANTED_EXPERTS,
                            .outcomes = p->outcomes};
    return p;
}

static inline void planted_free(struct planted *p)
{
    free(p->queries);
    free(p->outcomes);
    free(p->subject);
    free(p->texts);
    free(p);
}

/* A model that was trained on it. */
static inline struct model *planted_model(const struct planted *p)
{
    struct train_options o;
    struct trained *t = NULL;
    struct model *m = NULL;
    struct error err = {0};
    char path[] = "/tmp/leeroo-planted-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    train_options_default(&o);
    cr_assert_eq(train_run(&p->d, &o, &t, &err), OK, "%s", err.text);
    cr_assert_eq(model_write(t, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &m, &err), OK, "%s", err.text);
    trained_free(t);
    unlink(path);
    return m;
}
