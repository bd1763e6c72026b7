/* Where a run's questions come from: files, kept traffic, experts that make them up (generators), and the sandbox.
 *
 *     generate ─▶ read ─▶ sieve ─▶ repeat ─▶ split ─▶ the round's questions
 *                  │        │        │         │
 *                  └────────┴────────┴─────────┴──▶ dropped.jsonl, one line each, counted by reason
 *
 *   read     what is no valid question goes (pose/generator_reply.h)
 *   sieve    duplicates and what a protected set has go (pose/sieve.h); questions of files and traffic pass it, too,
 *            those of the sandbox by their exact text only
 *   repeat   the generator is asked its own question without the reference; where it answers otherwise, the question
 *            goes
 *   split    a sample is put to a few cheap experts; where all answer the same, the question tells them not apart and
 *            goes (arXiv 2601.09692). Their answers are cells like others, in the journal and paid once
 *
 * Which domains and levels are asked for follows the figures of the model (pose/mix.h). Everything hangs on the
 * options, the seed, the journal of the calls and what is known before the round: the same round again brings the same
 * questions and pays for nothing. Belongs to one thread. */
#pragma once

#include "calls/calls.h"
#include "pose/drop.h"
#include "pose/mix.h"
#include "pose/posed.h"

#define QUESTIONS_FILES_MAX      64
#define QUESTIONS_GENERATORS_MAX 16
#define QUESTIONS_SPLIT_MAX      8    /* experts that a question is split by */
#define QUESTIONS_PER_REQUEST    5    /* asked of a generator at once */
#define QUESTIONS_BATCHES_MAX    4    /* times that it is asked for what is still missing */
#define QUESTIONS_ROUND_MAX      5000 /* questions of one round */
#define QUESTIONS_SPLIT_SHARE    0.25
#define QUESTIONS_DOMAINS_MAX    256

struct questions;

struct questions_options {
    uint64_t seed;
    const char
        *folder; /* of the run, for dropped.jsonl and posed.jsonl; NULL: nothing is written */

    const char *const *files; /* files and data set directories (pose/question_file.h) */
    size_t file_count;
    const struct posed *traffic; /* kept prompts; strings outlive the questions */
    size_t traffic_count;
    const size_t *generators; /* indices of the calls' experts, asked in turn */
    size_t generator_count;
    bool sandbox;
    /* Of a round's questions, by enum posed_source; any scale. All 0: alike for those that are there. A source that
     * runs dry leaves its share to the others. */
    double shares[POSED_SOURCES];

    const struct dataset *const
        *protect; /* nothing of these is asked; needed during questions_create only */
    size_t protect_count;
    const struct str *
        domains; /* that generators are asked for; none: those of the files, else a list of common ones */
    size_t domain_count;
    unsigned kinds; /* bits of enum posed_kind, for generators; 0: POSED_COMPARABLE */
    const size_t
        *cheap; /* experts of the split test, the cheapest two to four; fewer than two: no test */
    size_t cheap_count;
    double split_share; /* of generated questions that are put to them; 0: QUESTIONS_SPLIT_SHARE */
    /* The job that asks an expert a question of the run, as cells are asked. NULL: key "cell/ID/EXPERT", the prompt
     * and posed_answer_form(). Texts live in `a`. */
    enum status (*cell)(void *arg, const struct query *q, size_t expert, struct arena *a,
                        struct call_job *ret, struct error *err);
    void *arg;
    const struct expert *experts; /* those of the calls */
};

/* Reads the files and sieves them and the traffic. What is in the folder's dropped.jsonl and posed.jsonl of earlier
 * rounds is taken up. ERR_INPUT: a file without a single question, or none of the sources is there. */
NODISCARD enum status questions_create(const struct questions_options *o, struct questions **ret,
                                       struct error *err);
void questions_free(struct questions *q); /* NULL is fine */

struct question_source_sum {
    struct posed *items; /* files and traffic: what passed; as long as the questions */
    size_t count;
    struct drop_counts dropped; /* on reading and sieving, before any round */
    struct error first;         /* complaint about a file; status OK: none */
};
/* What questions_create made of files (POSED_FILE) and traffic (POSED_TRAFFIC). */
const struct question_source_sum *questions_listed(const struct questions *q,
                                                   enum posed_source source);

struct question_round {
    struct posed *
        items; /* as long as the questions and the calls; ids "g3-17" (generator), "s3-4" (sandbox), else their own */
    size_t count;
    size_t from[POSED_SOURCES];
    struct drop_counts dropped;
    size_t requests, failed; /* to generators; of these and of repeats, without an answer */
    size_t generated;        /* valid questions in their replies */
    size_t split, unanimous; /* put to the cheap experts, and told apart by none */
    int64_t cost_nano_usd;   /* of all these calls, those out of the journal with them */
};

/* What a round asks for. */
struct questions_wanted {
    size_t round; /* 1 .. */
    size_t count; /* at most QUESTIONS_ROUND_MAX */
    /* What making questions up and checking them may cost; 0: no limit of its own. Kept by what it is expected to cost:
     * by prices, then by what it has cost; a request that is begun is checked to its end. */
    int64_t spend_nano_usd;
    const struct dataset *known;    /* all that the run asks already */
    const struct mix_cell *figures; /* [figure_count] of the model in force; none at first */
    size_t figure_count;
};

/* About as many new questions as wanted: fewer where the sources have no more, and up to a request's more where a
 * generator brought them. dropped.jsonl and posed.jsonl have the round when it returns. ERR_TOO_LARGE, ERR_MEMORY,
 * ERR_IO, and what calls_run says; that experts fail is none. */
NODISCARD enum status questions_round(struct questions *q, struct calls *calls,
                                      const struct questions_wanted *wanted,
                                      struct question_round *ret, struct error *err);
/* What a request and the checks of its questions may cost before there was one, by the dearest generator's price. */
int64_t questions_request_guess(const struct questions *q);
/* The difficulty of a question by its id, for figures; 0: not known. */
unsigned questions_level(const struct questions *q, struct str id);
/* Drops of all rounds so far, with those before the first. */
const struct drop_counts *questions_dropped(const struct questions *q);
