/* Between the files of a round's questions: what is kept between rounds, and the round that is being made. */
#pragma once

#include "play/questions.h"
#include "pose/question_file.h"
#include "pose/question_log.h"
#include "pose/run_set.h"
#include "pose/sieve.h"

#define QUESTIONS_BYTES_MAX (UINT64_C(4) << 30)

struct questions {
    struct questions_options o;
    struct arena *arena;
    struct sieve *sieve;
    struct run_set known; /* text hashes of what the run asks */
    struct question_log log;
    struct question_source_sum listed[POSED_SOURCES]; /* of files and traffic */
    uint32_t *orders[POSED_SOURCES];                  /* in which they are taken */
    struct str *domains;                              /* for generators */
    size_t domain_count;
    struct mix_cell *cells; /* [MIX_CELLS_MAX], for whoever mixes */
    size_t *quotas;         /* [MIX_CELLS_MAX] */
};

struct posing {
    struct questions *q;
    struct calls *calls;
    const struct questions_wanted *wanted;
    struct buf items; /* of struct posed */
    struct question_round sums;
    struct error failure; /* of a drop that could not be written down */
};

/* A number for everything drawn in a round: of its own for each purpose. */
uint64_t posing_seed(const struct posing *p, const char *purpose, uint64_t number);
/* One more for the round. Its strings live as long as the questions. */
NODISCARD enum status posing_add(struct posing *p, const struct posed *item, struct error *err);
NODISCARD enum status posing_drop(struct posing *p, const struct query *q, enum drop_reason reason,
                                  struct str why, struct error *err);
/* Fills doubt, value and count of q->cells[count] by the round's figures, and the quotas of `total`. */
NODISCARD enum status posing_mix(struct posing *p, size_t count, size_t total, uint64_t seed,
                                 struct error *err);

/* Each takes about so many and says how many it took. */
NODISCARD enum status posing_listed(struct posing *p, enum posed_source source, size_t wanted,
                                    size_t *ret_taken, struct error *err);
NODISCARD enum status posing_sandbox(struct posing *p, size_t wanted, size_t *ret_taken,
                                     struct error *err);
NODISCARD enum status posing_generated(struct posing *p, size_t wanted, size_t *ret_taken,
                                       struct error *err);
/* Of one batch: kept are those that their generator answers as it said; then those of the sample that the cheap experts
 * answer differently. `candidates[count]` are moved to the front; *count is how many are left. */
struct candidate {
    struct posed posed;
    size_t generator; /* index of the expert */
};
NODISCARD enum status posing_repeat(struct posing *p, struct candidate *candidates, size_t *count,
                                    struct error *err);
NODISCARD enum status posing_split(struct posing *p, struct candidate *candidates, size_t *count,
                                   struct error *err);

/* Calls that belong together; results in the order of the jobs, texts as long as the calls. */
struct call_batch {
    struct call_job *jobs;
    struct call_result *results;
    size_t count, next;
};
NODISCARD enum status call_batch_create(struct arena *a, size_t count, struct call_batch *ret,
                                        struct error *err);
/* Adds what they cost to the round's sums. */
NODISCARD enum status call_batch_run(struct call_batch *b, struct posing *p, const char *what,
                                     struct error *err);
