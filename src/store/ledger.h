/* The ledger: one row per request, opened before the first call to an expert and closed once, and the feedback on it.
 *
 * ledger_begin, ledger_end and ledger_feedback may be called from any thread at any rate. They never touch a database
 * and never wait: a row goes into a journal, a mapped file of fixed size that outlives a kill -9, from which one writer
 * thread carries it to SQLite or PostgreSQL in batches. When storage stalls the journal fills; what does not fit is
 * dropped, counted (rows and money), and the loss is written down once storage is back. A row that was opened but
 * never closed is closed as "interrupted" with its predicted cost when the ledger is opened again.
 *
 * An end says everything that its begin said but the decision, so a row whose begin was dropped is whole all the same.
 * Room is kept for the end of every begin that was taken. Writing a row twice changes nothing.
 *
 * Knows rows, not policy. Logs nothing: ledger_state says how it is. All texts are copied; too long ones are cut. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define LEDGER_DECISION_BYTES_MAX 4096
#define LEDGER_CALLS_BYTES_MAX    8192
#define LEDGER_COMMENT_BYTES_MAX  4096
#define LEDGER_JOURNAL_BYTES      (UINT64_C(64) << 20)

struct ledger;

struct ledger_options {
    const char *store; /* "postgresql://..." (or postgres://), else the path of a SQLite file */
    /* A file that is made with all its bytes, so that a full disk is found at the start. */
    const char *journal_path;
    uint64_t journal_bytes; /* 0: LEDGER_JOURNAL_BYTES */
    /* How old requests may become, in milliseconds; 0: they are kept for ever. Older ones go in the background. */
    int64_t keep_ms;
    /* Names this process among replicas; NULL: the name in the journal, at first the host's with a random number. */
    const char *instance;
};

/* Replays what an earlier process left in the journal. ERR_IO, ERR_CORRUPT (a foreign journal), ERR_USAGE. A database
 * that cannot be reached is no error: it is tried again for ever. */
NODISCARD enum status ledger_open(const struct ledger_options *o, struct ledger **ret,
                                  struct error *err);
/* Writes what it can within some seconds; the rest stays in the journal. NULL is fine. */
void ledger_close(struct ledger *l);

struct ledger_request { /* known when it begins; all of it is said again at its end */
    const char *id;
    int64_t begin_wall_ms;
    struct str front, key, policy, model, expert, plan;
    bool stream;
    double quality, lambda;
    int64_t predicted_nano_usd, reference_nano_usd;
};

struct ledger_begin {
    struct ledger_request request;
    struct str decision; /* JSON; left out when over LEDGER_DECISION_BYTES_MAX */
};

struct ledger_end {
    struct ledger_request request; /* expert: whose answer stands */
    struct str outcome;            /* "answered", "failed", "cancelled" */
    struct str basis;              /* "usage", "estimated", "predicted" */
    int http_status;
    int64_t cost_nano_usd;
    int64_t input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens;
    unsigned attempts;
    bool cached;            /* out of the response cache */
    int64_t first_token_ms; /* -1: none came */
    int64_t total_ms;
    struct str problem;
    /* JSON list; empty: one call whose figures are the request's, or none at all. Left out when over
     * LEDGER_CALLS_BYTES_MAX. */
    struct str calls;
};

void ledger_begin(struct ledger *l, const struct ledger_begin *row);
void ledger_end(struct ledger *l, const struct ledger_end *row);
/* ERR_OVERLOAD: the journal is full. Scores may be sent again: the last stands. */
NODISCARD enum status ledger_feedback(struct ledger *l, struct str request_id, double score,
                                      struct str comment, int64_t wall_ms);

struct ledger_state {
    bool storage_up;       /* false: rows wait in the journal */
    uint64_t written_rows; /* by this process */
    /* By this process: did not fit, were refused by the database, or went with a file that was deleted. */
    uint64_t lost_rows;
    int64_t lost_nano_usd;  /* their cost */
    uint64_t damaged_bytes; /* of the journal, passed over */
    uint64_t gone_files; /* of the database, moved away or deleted meanwhile; a new one was begun */
    uint64_t journal_used_bytes, journal_bytes;
    uint64_t pruned_rows; /* by this process, since they were older than keep_ms */
    struct ledger_pruning {
        uint64_t runs;     /* that went to their end; once an hour */
        uint64_t rows;     /* of the last one */
        int64_t before_ms; /* of the last one: older requests are gone */
        uint64_t failures;
    } pruning;
    char problem[160]; /* why storage is not up, or was not the last time */
};
void ledger_state(struct ledger *l, struct ledger_state *ret); /* any thread; cheap */

/* Waits until all rows appended before, and those that an earlier process left, are in the database. False: they are
 * not, within `timeout_ms`. Never called on an event loop. */
NODISCARD bool ledger_flush(struct ledger *l, uint32_t timeout_ms);
