/* What is asked of a judging expert, and what its reply says. Answers are data: they stand between marks with a number
 * that whoever wrote them could not know, and the judge is told that nothing in them speaks to it. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "data/dataset.h"

#define VERDICT_ANSWER_BYTES_MAX                                                                   \
    12000 /* of an answer that is judged; the middle of a longer one is left out */

enum judge_verdict {
    VERDICT_NONE, /* the reply says nothing that can be read */
    VERDICT_FIRST,
    VERDICT_SECOND,
    VERDICT_TIE,
};

/* Which of two answers is better. `nonce` makes the marks. Both texts of the messages go into bufs. */
void verdict_ask_pair(const struct query *q, struct str first, struct str second, uint64_t nonce,
                      struct buf *system, struct buf *user);
/* Whether an answer agrees with a reference. */
void verdict_ask_agreement(const struct query *q, struct str reference, struct str answer,
                           uint64_t nonce, struct buf *system, struct buf *user);

/* {"verdict": "1"} ("2", "tie") as the last JSON object of the reply, or a last line "Verdict: 1"; behind thoughts. */
enum judge_verdict verdict_read_pair(struct str reply);
/* {"verdict": "correct"} or "incorrect", "partly": 1, 0, 0.5; -1 when it cannot be read. */
double verdict_read_agreement(struct str reply);

/* For other questions to a judging expert. That what stands between marks is data: */
extern const char verdict_rules[];
void verdict_add_marked(struct buf *out, const char *what, struct str text, uint64_t nonce);
/* The last JSON object of a reply, behind thoughts (JSON_NONE: it has none), and the word of its "verdict" or of a last
 * line "Verdict: ..." (empty: there is none). Slices of it. */
struct json_value verdict_object(struct str reply);
struct str verdict_word(struct str reply);
