/* How certain a language model was of the words of an answer, as three numbers of its tokens' margins. A margin is by
 * how much the log-probability of the most likely token lies above that of the next: at 0 the two are even. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"

#define CERTAINTY_MARGIN_MAX 100.0f /* larger ones are cut to it */
#define CERTAINTY_FEATURES   4

struct certainty {
    bool known; /* else the numbers are 0 */
    float mean, least, last;
};

/* From [mean, least, last]. False: it is no list of three numbers from 0 to CERTAINTY_MARGIN_MAX, none below `least`.
 */
bool certainty_read(struct json_value list, struct certainty *ret);
/* Appends that list; what is read back is the same to the bit. null: unknown. */
void certainty_write(const struct certainty *c, struct buf *out);
/* features[CERTAINTY_FEATURES] as trees look at them: whether it is known, mean, least, last. Unknown: all 0. */
void certainty_features(const struct certainty *c, float *features);
