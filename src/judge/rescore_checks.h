/* Scores of a whole data set's answers to questions with a check of their own (judge/answer_check.h), which
 * judge_rescore leaves alone. Nothing is printed; strings live in the data set's arena. */
#pragma once

#include "judge/rescore.h"

struct rescore_checks_figures {
    size_t refused;    /* texts whose check is a command, where those are not allowed */
    size_t broken;     /* texts whose check said nothing */
    char problem[400]; /* the first of these; empty: none */
};

/* Replaces the scores of these experts (NULL, 0: all) on questions with a check by what the check says of their texts,
 * unknown where it says nothing, and adds them to figures[count] of judge_rescore. A check that cannot be read is
 * ERR_INPUT and names its question. The errors of responses_read. On failure the data set is as it was. */
NODISCARD enum status judge_rescore_checks(struct dataset *d, const size_t *experts, size_t count,
                                           bool allow_commands, struct judge_figures *figures,
                                           struct rescore_checks_figures *ret, struct error *err);
