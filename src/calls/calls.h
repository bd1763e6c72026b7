/* Paid calls, each with a key and made once: what every phase of self-play asks experts by.
 *
 *     calls_run(calls, source):  next(job) ─▶ in the journal? ──yes──────────────────▶ done(job, result), at no cost
 *                                               │no
 *                                               ▼
 *                                fits the purse? ─no─▶ done(CALL_UNPAID)
 *                                               │yes: reserved, intent written
 *                                               ▼
 *                                src/ask: gate, dialect, retries ─▶ journal ─▶ done(job, result)
 *
 * The journal (calls/call_journal.h) is an append-only file; a process that is killed has lost the calls in flight, and
 * those stay booked at what they might have cost. So running the same jobs again gives the same results and pays for
 * nothing twice. What is asked of whom is part of the key: the answer to another question, or of another expert, is
 * none.
 *
 * With `share` a call is put out for whichever machine takes it (calls/join.h), and this one takes some, too. A call
 * whose machine dies stays booked at its reservation, as if this process had died; it is put out again. What is out
 * when this process is killed stays out, and what comes of it is taken by the next.
 *
 * Everything runs on the thread that calls calls_run, which asks some experts at a time and returns when the source has
 * no more and nothing is in flight. A struct calls belongs to one thread and outlives all its results. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/certainty.h"
#include "base/error.h"
#include "base/str.h"
#include "calls/purse.h"
#include "expert/cost.h"
#include "expert/expert.h"
#include "net/http_client.h"
#include "watch/watch.h"

#define CALLS_CONCURRENCY_MAX   256
#define CALLS_OUTPUT_TOKENS     2048 /* of an answer at most, where neither job nor options say */
#define CALLS_FAILURES_MAX      5    /* in a row, then the expert is left out of the round */
#define CALLS_KEY_BYTES_MAX     1024
#define CALLS_JOURNAL_BYTES_MAX (UINT64_C(8) << 30) /* of texts in memory */

struct calls;

struct calls_share {      /* other machines make calls, too: see share/share.h */
    const char *url;      /* of Redis */
    const char *password; /* where the address has none; NULL: none */
    const char *run;      /* its name there */
    /* What people should hear: Redis is away, Redis is back. NULL: nothing. */
    void (*on_said)(void *arg, const char *text);
    void *arg;
};

struct calls_options {
    const struct expert *experts; /* outlive the calls; their texts, too */
    size_t expert_count;
    /* Calls at a time, 1..CALLS_CONCURRENCY_MAX; with `share` those made here, from 0. */
    size_t concurrency;
    const char *journal;     /* the file, made when missing; NULL: in memory only */
    int64_t cap_nano_usd;    /* of all that the journal holds, too; PURSE_NO_CAP: none */
    int64_t booked_nano_usd; /* at least so much is spent, whatever is left of the journal */
    int64_t output_tokens;   /* 0: CALLS_OUTPUT_TOKENS; -1: answers are not limited */
    /* Of the calls in the journal, so many, the first, were told by rounds that are over. */
    size_t settled;
    uint64_t seed;                      /* of the pauses between tries */
    struct http_client_options network; /* how experts are reached */
    /* Not 0: somebody wants it to end. No more calls are made then, and those in flight are waited for. NULL: never. */
    const volatile sig_atomic_t *stop;
    const struct watch
        *watch; /* hears of every call, as of a client's request. NULL: nobody does */
    const struct calls_share *share; /* NULL: all calls are made here */
};

struct call_job {
    struct str key; /* "cell/QUERY/EXPERT" */
    size_t expert;
    struct str system, user; /* texts; an empty system message is left out */
    int64_t output_tokens;   /* of the answer at most; 0: as the options have it */
    /* The caller's own, as given to `done`. */
    uint64_t tag;
    void *arg;
};

enum call_end {
    CALL_DONE,   /* there is a text */
    CALL_BROKEN, /* the expert failed, tried again as often as it is worth */
    CALL_UNPAID, /* it did not fit into the purse: not made, or not made again after a failed try */
    CALL_LEFT_OUT, /* its expert has failed too often in this round, or is let alone: not made */
};

struct call_result {
    enum call_end end;
    bool remembered;                     /* out of the journal */
    struct str text;                     /* as long as the calls; ptr NULL: none */
    int64_t input_tokens, output_tokens; /* with COST_USAGE as reported, else estimated */
    int64_t cost_nano_usd;               /* of failed tries, too */
    enum cost_basis basis;
    int64_t latency_ms;
    struct certainty certainty; /* of an expert that tells log-probabilities */
    const char *problem;        /* why there is no text, during `done`; NULL */
};

/* Where jobs come from. */
struct call_source {
    void *self;
    /* The next job; false: none now. Its texts must stay until its `done`. Asked again after each `done`, which may
     * have brought new ones; once nothing is in flight, false is the end. */
    bool (*next)(void *self, struct call_job *ret);
    /* Once for each job. Not from inside `next`. */
    void (*done)(void *self, const struct call_job *job, const struct call_result *result);
};

enum call_purpose { /* by the first part of a key */
                    CALL_CELL,
                    CALL_GENERATE,
                    CALL_REPEAT,
                    CALL_TEACHER,
                    CALL_JUDGE,
                    CALL_CANARY,
                    CALL_OTHER,
                    CALL_PURPOSES
};

const char *call_purpose_name(enum call_purpose purpose); /* "cell" */

struct calls_told {
    size_t calls; /* that were answered or failed */
    int64_t cost_nano_usd;
};

struct calls_sum { /* of one expert, or of all; in this process and before it */
    size_t made, remembered, broken, unpaid, left_out;
    int64_t cost_nano_usd; /* of all that was made or is in the journal */
};

/* Reads the journal. ERR_CORRUPT: a line in it that no kill can have left (the last may be cut). */
NODISCARD enum status calls_create(const struct calls_options *o, struct calls **ret,
                                   struct error *err);
void calls_free(struct calls *c); /* NULL is fine; the journal is on the disk then */
/* There will be no more calls of this run: machines that have joined it go home. Without it they wait for it. */
void calls_finish(struct calls *c);

/* `what` of the progress line; `total` jobs are expected (0: unknown). Fails when the journal cannot be written, or the
 * loop fails; not when experts do. ERR_CANCELLED: options.stop was set. */
NODISCARD enum status calls_run(struct calls *c, const struct call_source *source, const char *what,
                                size_t total, struct error *err);
/* Whether the journal holds an answer to this job, and which. */
bool calls_find(const struct calls *c, const struct call_job *job, struct call_result *ret);

/* The most that a job may cost, one try of it: by a token for each byte asked, and its answer's limit. INT64_MAX where
 * answers are not limited. */
int64_t calls_bound_nano_usd(const struct calls *c, const struct call_job *job);
/* The same of any job, before there are calls. */
int64_t calls_job_bound_nano_usd(const struct expert *expert, const struct call_job *job,
                                 int64_t output_tokens);
const struct purse *calls_purse(const struct calls *c);
/* What all results told so far have cost, those out of the journal with them: the same whether or not a process was
 * killed on the way. What a call has cost is told once; nothing of one that is `settled`. */
int64_t calls_told_nano_usd(const struct calls *c);
/* Calls that have ended, in this process and before it: the options' `settled` of the next, once a round is over. */
size_t calls_ended(const struct calls *c);
/* The same since the last calls_readmit: of what a round has asked an expert for a purpose. */
struct calls_told calls_told(const struct calls *c, enum call_purpose purpose, size_t expert);
/* What killed processes left in flight, as booked. */
int64_t calls_lost_nano_usd(const struct calls *c);
/* Since calls_create, of all experts for SIZE_MAX; cost with the journal's. */
struct calls_sum calls_sum(const struct calls *c, size_t expert);
/* Whether a job was left out for want of money since calls_create. */
bool calls_cap_reached(const struct calls *c);
/* Whether the expert has failed too often, so that it is not asked until it is readmitted. */
bool calls_left_out(const struct calls *c, size_t expert);
/* A round begins: every expert may be asked again. */
void calls_readmit(struct calls *c);
