/* The margins of an answer's tokens, which chat completions tell where log-probabilities were asked for
 * (choices[0].logprobs.content, each token with two or more in its top_logprobs), gathered from a whole answer or from
 * a stream's chunks one after the other; and the answer without them, for a client who did not ask. */
#pragma once

#include <stdint.h>

#include "base/certainty.h"

struct margins {
    double sum;
    float least, last;
    uint64_t count;
};

/* Of the first choice. Tokens without a text, or with fewer than two alternatives, have no margin. */
void margins_add(struct margins *m, struct json_value root);
/* Unknown when no token had a margin. */
struct certainty margins_certainty(const struct margins *m);
/* Appends `text`, which `root` is read from, with null for the log-probabilities of every choice. False, and nothing is
 * appended: there are none. */
bool margins_strip(struct json_value root, struct str text, struct buf *out);
