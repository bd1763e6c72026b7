/* round-K/round.json, read back. What the file lacks, or has as null, is 0, empty or NAN; shares lie within 0..1, and
 * differences of them within -1..1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#define ROUND_FILE_LIST_MAX     4096 /* rows of a list in it */
#define ROUND_FILE_CANARIES_MAX 16

struct round_spending {
    struct str expert, purpose; /* "cell", "generate", ... */
    size_t calls;
    int64_t cost_nano_usd;
};

struct round_expert { /* until now */
    struct str name;
    size_t outcomes, scored;
    int64_t cost_nano_usd;
    double mean_score;
    bool left_out;
};

struct round_drop {
    struct str reason;
    size_t count;
};

struct round_canary {
    struct str name;
    double won; /* share; NAN: none of the kind */
};

struct round_judge {
    struct str name, reason;
    bool trusted;
    size_t canaries, pairs, family_pairs;
    struct round_canary kinds[ROUND_FILE_CANARIES_MAX];
    size_t kind_count;
    double canary_share, agreement, agreement_low, agreement_high, inconsistent, position_bias,
        length_bias, family_favour, unreadable;
};

struct round_gap {
    struct str expert; /* ptr NULL: of all */
    size_t count;
    double agreement, bias;
};

struct round_file {
    size_t round, rounds, questions_new, questions, cells, broken, left_out, unpaid, outcomes,
        validation;
    int64_t spent_nano_usd, spent_all_nano_usd, booked_nano_usd, cap_nano_usd;
    double area, area_error, area_prior, gain_mix, gain_last, doubt, gain_in_force;
    double confidence, confidence_min; /* that the model is better; and what is asked for */
    size_t compared;                   /* questions that it was found on */
    struct str publication, problem;   /* problem.ptr NULL: none */
    bool cap_reached;
    size_t requests, requests_failed, generated, split;
    struct round_drop *drops;
    struct round_spending *spending;
    struct round_expert *experts;
    struct round_judge *judges;
    struct round_gap *judge_gaps, *consensus_gaps;
    size_t drop_count, spending_count, expert_count, judge_count, judge_gap_count,
        consensus_gap_count;
    size_t commands_refused, checks_broken;
};

/* Strings are spans of `text` or live in `a`. ERR_CORRUPT names place and member. */
NODISCARD enum status round_file_parse(struct str text, const char *place, struct arena *a,
                                       struct round_file *ret, struct error *err);
