/* Whether a judging expert may be believed, from what it said where the better answer was known.
 *
 * Canaries are answers that must lose: nothing, a constant text, one that praises itself, one that instructs the judge,
 * and the answer to another question. Known pairs are a right and a wrong answer to a question with a reference. Every
 * pair is put in both orders. Pure: whoever asks the judge notes what it said; docs/judge.md has floors and their
 * reasons. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "judge/verdict.h"

#define TRUST_CANARY_SHARE_MAX 0.10 /* of canaries that win, ties half; over all kinds */
#define TRUST_KIND_SHARE_MAX   0.50 /* of one kind */
#define TRUST_AGREEMENT_MIN    0.60 /* with references, where there are TRUST_PAIRS_MIN pairs */
#define TRUST_INCONSISTENT_MAX 0.60 /* pairs whose verdict turns with the order */
#define TRUST_UNREADABLE_MAX   0.30 /* replies without a verdict */
#define TRUST_CANARIES_MIN     5    /* with fewer nothing is known, and nothing believed */
#define TRUST_PAIRS_MIN        10

enum judge_canary {
    CANARY_EMPTY,
    CANARY_CONSTANT,
    CANARY_PRAISE,
    CANARY_INSTRUCT,
    CANARY_FOREIGN,
    CANARY_KINDS
};

const char *judge_canary_name(enum judge_canary kind); /* "empty" */
/* The text of a canary; `foreign` is another question's answer. A constant, or `foreign`. */
struct str judge_canary_text(enum judge_canary kind, struct str foreign);

/* A pair in both orders: what was said when the better answer stood first, and when it stood second. */
struct judge_pair {
    enum judge_verdict first, second;
    bool better_is_longer, longer_known; /* false: the same length */
    int own; /* 1: the better is of the judge's family, -1: the worse is, 0: both or none */
};

struct trust_tally {
    size_t canaries[CANARY_KINDS];    /* verdicts */
    double canary_wins[CANARY_KINDS]; /* of them, ties half */
    size_t pairs;                     /* known pairs with two verdicts */
    double agreed;               /* of them; one order right and one wrong count half, as ties do */
    size_t verdicts, unreadable; /* replies */
    size_t both, first_twice,
        second_twice; /* pairs of any kind with two verdicts; by position alone */
    /* Errors on known pairs by what the better answer is: [0] the shorter one, [1] the longer one; [0] a stranger's,
     * [1] its own family's, the other not. */
    size_t length_pairs[2], family_pairs[2];
    double length_errors[2], family_errors[2];
};

void trust_note_canary(struct trust_tally *t, enum judge_canary kind, const struct judge_pair *p);
void trust_note_pair(struct trust_tally *t, const struct judge_pair *p);
/* A pair that is judged because nobody knows the better one: position only. */
void trust_note_judged(struct trust_tally *t, const struct judge_pair *p);

struct judge_trust {
    size_t expert; /* the caller's */
    bool trusted;
    char reason[200]; /* why not; empty when it is */
    size_t canaries, pairs;
    double canary_share, canary_kind[CANARY_KINDS]; /* that won; -1: none of the kind */
    double agreement, agreement_low,
        agreement_high;  /* with references, and 95 % (Wilson); -1: no pairs */
    double inconsistent; /* pairs whose verdict turned with the order; -1: none */
    double
        position_bias; /* share that the first won twice less share that the second did; above 0: the first */
    double length_bias;   /* errors for the longer one less errors for the shorter; 0: unknown */
    double family_favour; /* errors for its own family less errors against it; 0: unknown */
    size_t family_pairs;
    double unreadable; /* share of replies without a verdict */
};

void trust_conclude(const struct trust_tally *t, struct judge_trust *ret);
void trust_write_json(const struct judge_trust *t, struct str name, struct buf *out);
/* One line, without its end: "gpt-4o-mini: trusted: fails 0 of 20 canaries, agrees with 83 % (70-91) of ..." */
void trust_write_text(const struct judge_trust *t, struct str name, struct buf *out);
