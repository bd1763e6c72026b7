/* Learning a sequential panel (predict/panel.h) from recorded outcomes by backward induction over the subsets of its
 * members: fitted optimal stopping (Longstaff & Schwartz 2001), as American options are priced.
 *
 *   posterior   a weighted vote (stage/panel_votes.h), then one forest, on sampled subsets of every row with what the
 *               members answered there
 *   values      from the states in which one member is left back to the first call: what the final answer, by the
 *               verdicts learnt so far, gains over the one that would stand now, regressed on the state. Paid is what
 *               was recorded. That difference is mostly 0, which makes it far less noisy than the final score.
 *   hurdles     for each number of answers and lambda, the gain below which going on did not pay; where no gain
 *               stands out from noise, nobody is asked after the first. A lambda at which the whole panel gains no
 *               more than noise over the best single by its estimates is closed: one is asked there
 *
 * Cross-fitted: every verdict on a row comes from trees that never saw it; the panel keeps the trees of all folds, each
 * with its share. One thread; the same rows, options and generator give the same panel. */
#pragma once

#include "predict/panel.h"
#include "stage/trees_grow.h"

/* What is recorded of one member on one row, and was estimated without it. */
struct panel_cell {
    float quality, output_tokens; /* held-out estimates */
    float expected_usd, cost_usd; /* of the call; recorded */
    float score;                  /* 0..1 */
    float confidence;             /* of the score, above 0 */
    uint16_t answer_class;        /* 0: unknown what it says */
    const float *stats;           /* [ANSWER_STATS] of the text; NULL: none */
    struct certainty certainty;
};

struct panel_rows {
    size_t rows, members;
    const struct panel_cell *cells; /* [rows × members] */
    const float *characters;        /* [rows] */
    const uint32_t *choice_counts;  /* [rows] */
    const uint8_t *folds;           /* [rows] below fold_count */
    unsigned fold_count;
};

struct panel_learn_options {
    struct forest_options posterior, values;
    /* States learnt from, of a row and number of answers; of more than six members fewer. */
    size_t posterior_states, value_states;
    size_t lambda_count;
    float surrogate; /* share of the full posterior in the scores that values learn from, 0..1 */
};

/* What the panel did on the rows, held out, at each lambda. */
struct panel_figures {
    double score[PANEL_LAMBDAS_MAX], cost_usd[PANEL_LAMBDAS_MAX], calls[PANEL_LAMBDAS_MAX];
    /* Utility over that of the single that is best by its estimate, and its standard error; both 0 where closed. */
    double gain[PANEL_LAMBDAS_MAX], gain_error[PANEL_LAMBDAS_MAX];
    size_t open; /* lambdas that are not closed; 0: the panel is not worth having */
};

/* The same row by row, [rows × lambdas] each. */
struct panel_runs {
    uint8_t *asked;  /* bit i: member i */
    uint8_t *winner; /* whose answer stood */
};

void panel_learn_options_default(struct panel_learn_options *o);

/* Runs may be NULL. ERR_MEMORY only: what was recorded is the caller's to check. The forests are freed by
 * panel_done. */
NODISCARD enum status panel_learn(const struct panel_rows *rows,
                                  const struct panel_learn_options *options, struct rng *rng,
                                  struct panel *ret, struct panel_figures *figures,
                                  const struct panel_runs *runs, struct error *err);
void panel_done(struct panel *p);
/* The state of a row in which `asked` have answered. */
void panel_row_state(const struct panel_rows *rows, size_t row, uint8_t asked,
                     struct panel_state *ret);
