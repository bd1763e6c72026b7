/* Which k of many candidates are worth having, found by asking as little as may be: a race.
 *
 *     probe_next ─▶ cells to buy ─▶ the caller asks ─▶ probe_tell ─▶ probe_next ─▶ ... ─▶ no cells: probe_result
 *
 * What a set is worth is its coverage: the mean over all questions of the best score among its members. Questions come
 * in an order drawn by the seed. Of the first every candidate is asked; of each batch after them only what can still
 * change the choice. A candidate is out once a set with it is hardly likely to be better than the best one, a member
 * for good once no set without it is. Where a member for good has answered, the others need not be asked, and where
 * all the others answer alike, the dear member need not. That is racing (Maron and Moore 1993) with accepts and
 * rejects (Bubeck, Wang and Viswanathan 2013) over sets; greedy on what is unsolved alone keeps 1 − 1/e
 * (arXiv 2605.09588).
 *
 * Pure: no clock, no files, no calls. The same answers, costs and money lead to the same cells. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "universe/objective.h"

#define PROBE_DOUBTS_MAX 5

struct probe;

struct probe_options {
    size_t questions, candidates; /* candidates: up to CANDIDATES_MAX */
    size_t members;               /* at most, k: 1..candidates */
    /* At most, of all members together: what asking each of them 1,000 questions is expected to cost. 0: any. */
    int64_t cost_max_nano_usd;
    uint64_t seed;
};

struct probe_cell {
    uint32_t question, candidate;
};

struct probe_cells {
    const struct probe_cell *cells;
    size_t count; /* 0: it is over */
};

enum probe_standing { PROBE_OPEN, PROBE_MEMBER, PROBE_OUT };

enum probe_end { /* why no more is asked */
                 PROBE_RUNNING,
                 PROBE_DECIDED, /* no other set is likely to be better by what asking is worth */
                 PROBE_ASKED_ALL,
                 PROBE_MONEY, /* the next questions do not fit */
};

/* A mean over questions, and its standard error; coverage, 0..1. */
struct probe_figure {
    double mean, error;
};

struct probe_step {
    size_t candidate;
    struct probe_figure coverage; /* of the set up to it */
    struct probe_figure gain;     /* of this member over those before it */
    int64_t cost_nano_usd;        /* of asking it 1,000 questions, as expected */
};

struct probe_doubt { /* somebody that is not in the set, and may be as good as one that is */
    size_t candidate;
    struct probe_figure loss; /* of the best set with it, when that was last known */
};

struct probe_result {
    struct probe_step steps[CANDIDATES_MAX]; /* by what each adds */
    size_t count;
    /* Of the set, on all questions that it rests on; whoever was not asked one is taken for what was to be expected. */
    struct probe_figure coverage;
    struct probe_doubt doubts[PROBE_DOUBTS_MAX]; /* those that lose least */
    size_t doubt_count;
    size_t questions; /* that the choice rests on */
    /* Of these, those that the steps are measured on: every member was asked them, whatever others had answered. */
    size_t whole;
    size_t open; /* candidates that are neither in nor out for good */
    enum probe_end end;
};

NODISCARD enum status probe_create(const struct probe_options *o, struct probe **ret,
                                   struct error *err);
void probe_free(struct probe *p); /* NULL is fine */

/* What a candidate made of a question, 0..1; one that has failed made 0. May be told before it is asked for. */
void probe_tell(struct probe *p, size_t question, size_t candidate, double score);
/* It is asked no more, and is not chosen. */
void probe_drop(struct probe *p, size_t candidate);

/* The next cells to buy; nothing that is told already. cost_nano_usd: [questions × candidates], expected of each now.
 * The cells live until the next call; all of them are told before it, or it is over. */
NODISCARD enum status probe_next(struct probe *p, const int64_t *cost_nano_usd,
                                 int64_t money_nano_usd, struct probe_cells *ret,
                                 struct error *err);
enum probe_standing probe_standing(const struct probe *p, size_t candidate);
/* The choice by all that was told: at any moment; of no questions, it is empty. */
NODISCARD enum status probe_result(struct probe *p, struct probe_result *ret, struct error *err);
