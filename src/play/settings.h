/* What a run was begun with: RUN_DIR/run.json, so that `leeroo play RUN_DIR` goes on as it was. Paths are absolute. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define PLAY_LIST_MAX        16
#define PLAY_SETTINGS_BYTES  (1u << 20)
#define PLAY_ROUNDS          5
#define PLAY_WORKERS         16
#define PLAY_ROUND_QUESTIONS 100 /* new ones made up for a round */

struct play_list {
    const char *items[PLAY_LIST_MAX];
    size_t count;
};

struct play_settings {
    const char *config;          /* leeroo.yaml */
    const char *experts;         /* "a,b": only these are asked; NULL: all of the configuration */
    struct play_list questions;  /* files and data sets */
    struct play_list protect;    /* data sets of which nothing may be asked */
    struct play_list generators; /* experts that make up questions */
    struct play_list
        domains; /* that these are asked for; none: those of the files, or common ones */
    struct play_list judges; /* experts that score answers */
    const char *teacher;     /* the expert whose answer is the reference; NULL: none */
    bool allow_commands;     /* run what a question's check names */
    bool sandbox;            /* built-in questions with known answers */
    bool from_ledger; /* prompts that the gateway has kept, and what was said of its answers */
    bool everything;  /* every cell: collect */
    size_t members;   /* of the set that is looked for among all cells: probe; 0: none is */
    int64_t cost_max_nano_usd; /* of that set, for 1,000 questions to each member; 0: any */
    size_t rounds, workers, round_questions;
    int64_t spend_nano_usd; /* INT64_MAX: no cap */
    int64_t output_tokens;  /* of an answer at most; 0: as usual */
    uint64_t seed;
};

void play_settings_default(struct play_settings *s);
/* Appears whole or not at all. */
NODISCARD enum status play_settings_write(const struct play_settings *s, const char *path,
                                          struct error *err);
/* ERR_NOT_FOUND: there is none. ERR_INPUT: it is damaged. Texts live in `a`. */
NODISCARD enum status play_settings_read(const char *path, struct arena *a,
                                         struct play_settings *ret, struct error *err);
NODISCARD enum status play_settings_parse(struct str text, const char *place, struct arena *a,
                                          struct play_settings *ret, struct error *err);
