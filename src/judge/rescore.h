/* The answers of a whole data set: what every expert said to every query, read from its column `answer` or from
 * responses/, and scores by one rule for all experts. Nothing is printed; strings live in the data set's arena. */
#pragma once

#include "judge/answer_text.h"

/* done of total texts; may be NULL. */
typedef void judge_progress(size_t done, size_t total, void *arg);

/* Makes sure that every outcome of these experts (NULL, 0: all) has its `answer` and `answer_class`: from the column
 * `answer` where the data set has it, else read from responses/ with JUDGE_AUTO. An outcome without a text has no
 * answer. Classes: the letter's number (A is 1) for a query with choices, else one from 27 on for all that agree
 * (judge_answers_agree) with the first of them; always over all answers of the query that are known so far.
 * has_answers is set when all experts were asked for. Fill the parts before dataset_concat, which has no folder of
 * its own. ERR_NOT_FOUND when there is neither the column nor a file of texts; the errors of responses_read. On
 * failure the data set is as it was. */
NODISCARD enum status judge_answers_fill(struct dataset *d, const size_t *experts, size_t count,
                                         judge_progress *progress, void *arg, struct error *err);

/* The classes of one query's outcomes by their `answer`, as above. */
void judge_row_classes(const struct query *query, struct outcome *row, size_t experts);

struct judge_figures {
    size_t expert;
    size_t texts;      /* responses to queries of the data set */
    size_t unanswered; /* of them: the answer is unknown */
    size_t scored;     /* of them: the query has a known answer, so there is a score */
    size_t compared;   /* of these: a score was recorded too */
    double recorded;   /* mean recorded score of those compared; 0 when there are none */
    double judged;     /* mean new score of those scored */
    double agreement;  /* share of those compared where old and new score round to the same */
};

/* Replaces the scores of these experts (NULL, 0: all) by 1 where the text answers as the query's key says, else 0,
 * and sets answers and classes as above, from responses/ alone. Questions with a check keep theirs
 * (judge/rescore_checks.h). An outcome without a text or without a key becomes unknown; costs and tokens stay, the
 * method and the confidence of the old score go. ret[count] (of all experts for 0) in the order of `experts`.
 * ERR_NOT_FOUND when an expert has no texts; ERR_INPUT when no query has a key; the errors of responses_read. On
 * failure the data set is as it was. */
NODISCARD enum status judge_rescore(struct dataset *d, const size_t *experts, size_t count,
                                    enum judge_rule rule, judge_progress *progress, void *arg,
                                    struct judge_figures *ret, struct error *err);
