/* The ledger: one row per request, opened before the first call to an expert and closed once, and the feedback on it.
 *
 * ledger_begin, ledger_end and ledger_feedback may be called from any thread at any rate. They never touch a database
 * and never wait: a row goes into a journal, a mapped file of fixed size that outlives a kill -9, from which one writer
 * thread carries it to SQLite or PostgreSQL in batches. When storage stalls the journal fills; what does not fit is
 * dropped, counted (rows and money), and the loss is written down once storage is back. A row that was opened but
 * never closed is closed as "interrupted" with its predicted cost when the ledger is opened again.
 *
 * Knows rows, not policy. All texts are copied. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct ledger;

struct ledger_options {
    const char *store; /* "postgresql://..." (or postgres://), else the path of a SQLite file */
    const char *
        journal_path; /* mapped; made with all its bytes, so that a full disk is found at the start */
    size_t journal_bytes; /* 0: 64 MiB */
    const char *instance; /* names this process among replicas; NULL: the host's name */
};

/* Replays what an earlier process left in the journal. ERR_IO, ERR_CORRUPT (a foreign journal), ERR_USAGE. A database
 * that cannot be reached is no error: it is tried again for ever. */
NODISCARD enum status ledger_open(const struct ledger_options *o, struct ledger **ret,
                                  struct error *err);
void ledger_close(struct ledger *l); /* writes what it can within seconds; NULL is fine */

struct ledger_begin {
    const char *id;
    int64_t begin_wall_ms;
    struct str front, key, policy, model, expert, plan;
    bool stream;
    double quality, lambda;
    int64_t predicted_nano_usd, reference_nano_usd;
    struct str decision; /* JSON */
};

struct ledger_end {
    const char *id;
    struct str outcome; /* "answered", "failed", "cancelled" */
    int http_status;
    struct str expert, basis; /* whose answer stands; "usage", "estimated" */
    int64_t cost_nano_usd, reference_nano_usd;
    int64_t input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens;
    unsigned attempts;
    bool cached; /* out of the response cache */
    int64_t first_token_ms, total_ms;
    struct str problem, calls; /* calls: JSON list */
};

void ledger_begin(struct ledger *l, const struct ledger_begin *row);
void ledger_end(struct ledger *l, const struct ledger_end *row);
/* ERR_OVERLOAD: the journal is full. Whether the request exists is found out later, by the writer. */
NODISCARD enum status ledger_feedback(struct ledger *l, struct str id, double score,
                                      struct str comment, int64_t wall_ms);

struct ledger_state {
    bool storage_up;
    uint64_t written_rows, lost_rows;
    int64_t lost_nano_usd;
    uint64_t journal_used_bytes, journal_bytes;
};
void ledger_state(struct ledger *l, struct ledger_state *ret); /* any thread; cheap */
