/* Recorded outcomes as training data for a language model, one JSON object a line (docs/universe.md).
 *
 * Two things can be taught. ROUTING: whom to ask; the prompt is an orchestrator's (opinion/opinion_prompt.h), the
 * label the letter of the expert with the highest utility, score - lambda * cost. ANSWERS: what the best expert that
 * was right said, for a model that shall answer by itself. In pairs the best is set against others.
 *
 * A cell is a candidate when its score and its cost are known and the score is believed enough; for answers, when there
 * is a text that is not blank, too. Ties go to the cheaper, then to the expert listed first. Nothing is kept of a text
 * but in a temporary file, so that answers may be larger than memory. One thread. */
#pragma once

#include <stdio.h>

#include "data/dataset.h"
#include "opinion/opinion_prompt.h"

#define EXPORT_RIGHT      0.5 /* scores from here on are right */
#define EXPORT_CONFIDENCE 0.5 /* by default, scores believed less are unknown */
#define EXPORT_MARGIN     0.05
#define EXPORT_OPENAI_MIN 10 /* fewer examples OpenAI does not take */

/* In the words of TRL's "Dataset formats and types", all conversational. */
enum export_format {
    EXPORT_SFT,        /* prompt-completion */
    EXPORT_DPO,        /* preference, explicit prompt */
    EXPORT_PREFERENCE, /* preference, implicit prompt */
    EXPORT_OPENAI,     /* language modeling; also OpenAI's for supervised fine-tuning */
};

enum export_subject { EXPORT_ROUTING, EXPORT_ANSWERS };

struct export_options {
    enum export_format format;
    enum export_subject subject;
    double lambda;            /* in quality per USD */
    double budget_usd_per_1k; /* above 0: the least lambda with which the choices cost no more */
    double confidence_min;
    double margin; /* of pairs: by how much the other must be worse */
    size_t pairs;  /* at most, of a query; drawn where there are more */
    uint64_t seed;
    bool solved; /* only queries that somebody answered right; answers are always of those */
    void (*progress)(size_t done, size_t total, void *arg); /* may be NULL */
    void *progress_arg;
};

enum export_reason { /* why a query has no row */
                     EXPORT_EMPTY,
                     EXPORT_REPEATED, /* another has the same prompt */
                     EXPORT_UNKNOWN,  /* no candidate */
                     EXPORT_UNSOLVED,
                     EXPORT_NO_PAIR,
                     EXPORT_REASONS
};
const char *export_reason_text(enum export_reason reason);

struct export_figures {
    double lambda;
    size_t rows, queries; /* written, and of so many queries */
    size_t unsolved;      /* of these, nobody was right about */
    size_t doubted;       /* scores that were not believed enough */
    size_t left_out[EXPORT_REASONS];
    size_t same_answers; /* pairs of one text, left out */
    size_t *labels;      /* [expert_count], in the data set's arena: queries it is best at */
    double score, cost_usd_per_1k; /* means of the best, over the queries */
};

/* Writes the rows of `d`, which has outcomes and costs, to `out`. ERR_BUDGET: even the cheapest cost more.
 * ERR_NOT_FOUND: answers are wanted, and none of its experts has any. ERR_INPUT: no query has a row, or routing is
 * among more experts than there are letters. */
NODISCARD enum status export_write(const struct dataset *d, const struct export_options *o,
                                   FILE *out, struct export_figures *ret, struct error *err);

/* The head of an orchestrator's prompt for these experts of `d` (NULL: all), with their prices and mean scores: what
 * rows of routing begin with. As opinion_head_write. */
NODISCARD enum status export_head_write(const struct dataset *d, const size_t *experts,
                                        size_t count, double lambda, struct buf *out,
                                        struct error *err);
