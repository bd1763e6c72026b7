/* What an expert is told that shall make questions, or answer one of its own without the reference. */
#pragma once

#include "base/buf.h"
#include "pose/posed.h"

#define GENERATOR_SEEDS_MAX 6  /* questions shown as examples */
#define GENERATOR_ITEMS_MAX 20 /* questions asked for at once */

struct generator_want {
    struct str domain;                /* "law"; empty: any */
    unsigned level;                   /* 1..POSED_LEVELS; 0: mixed */
    unsigned kinds;                   /* bits of enum posed_kind */
    size_t items;                     /* 1..GENERATOR_ITEMS_MAX */
    const struct query *const *seeds; /* of the domain, to show what is meant */
    size_t seed_count;                /* at most GENERATOR_SEEDS_MAX are shown */
    uint64_t
        variation; /* another number, another request: the angle that the questions shall take */
};

/* Appends the system and the user message of one request for questions. */
void generator_prompt_system(struct buf *out);
void generator_prompt(const struct generator_want *want, struct buf *out);

/* The system message under which a question is answered so that judge_answer_read finds the answer. The user message
 * is the question's prompt. */
struct str generator_repeat_system(enum posed_kind kind);
/* Whether what came back answers the question as its reference says. */
bool generator_repeat_agrees(const struct posed *p, struct str response);
