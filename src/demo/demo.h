/* The parts of `leeroo demo`: the state of one demonstration and its steps, in the order in which they run.
 * demo_pool.c holds the experts and the exam's questions, demo_play.c self-play, demo_exam.c what the exam says of a
 * model; cli/demo_ask.c has the gateway and the three questions, cli/command_demo.c the story and the options. */
#pragma once

#include <stdio.h>

#include "config/config.h"
#include "data/dataset.h"
#include "expert/expert.h"
#include "play/trial.h"
#include "predict/model.h"
#include "rehearse/sandbox.h"
#include "rehearse/upstream.h"
#include "serve/local.h"

#define DEMO_PATH_BYTES     1024
#define DEMO_LAMBDA         100.0 /* a right answer is worth 1 / DEMO_LAMBDA USD: a cent */
#define DEMO_LAMBDA_MEANING "a right answer is worth one cent"
#define DEMO_BUDGET         0.10 /* USD per 1,000 queries, of the policy "thrifty" */
#define DEMO_MODEL_FILE     "orchestrator.safetensors"

struct coded_demo;

struct demo {
    FILE *out; /* where the story is told */
    const char *dir, *listen;
    size_t queries;
    uint64_t seed;
    bool keep, bold;
    bool allow_remote; /* --listen may be an address that other machines reach */
    bool temporary;    /* the folder was made for this run */
    struct arena *arena;
    struct sandbox sandbox;
    struct upstream_pool *upstream;
    char upstream_url[96];
    struct expert experts[SANDBOX_EXPERT_COUNT];
    struct dataset *exam; /* with outcomes */
    struct model *model;
    struct config *config;
    local_prepare *prepare; /* gives the gateway the page; NULL: none */
    struct local *gateway;
    struct coded_demo *coded; /* of --verify (demo/coded.h); NULL: the usual one */
};

void demo_heading(const struct demo *d, int step, const char *title);
NODISCARD enum status demo_path(const struct demo *d, const char *file, char path[DEMO_PATH_BYTES],
                                struct error *err);

NODISCARD enum status demo_hire(struct demo *d, struct error *err);     /* 1: the experts */
NODISCARD enum status demo_set_exam(struct demo *d, struct error *err); /* 2: its questions */
NODISCARD enum status demo_play(struct demo *d, struct error *err);     /* 3: five rounds */
NODISCARD enum status demo_examine(struct demo *d, struct error *err);  /* 4: the table */

/* 7: commands to go on with. */
void demo_next_steps(const struct demo *d);
/* The text as a shell takes it for one word; the same in the demo's arena, and so the name that the program was called
 * by. */
void demo_quote(const char *text, struct buf *out);
const char *demo_shown(const struct demo *d, const char *text);
const char *demo_program(const struct demo *d);

/* What a model makes of the exam. */
struct demo_mark {
    double right, usd_per_1k; /* at DEMO_LAMBDA */
    double
        at_half; /* right, for half of what the best single expert costs; NaN: no policy is that cheap */
};
NODISCARD enum status demo_mark(struct demo *d, const struct model *m, struct demo_mark *ret,
                                struct error *err);
