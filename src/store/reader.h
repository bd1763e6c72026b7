/* Reading a ledger, beside the process that writes it: never changes anything. A reader belongs to one thread; it
 * connects when it is first asked, and again after a failure. Rows that were just appended to a ledger of this process
 * are found after ledger_flush. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct ledger_reader;

/* `store` as in struct ledger_options. */
NODISCARD enum status ledger_reader_create(const char *store, struct ledger_reader **ret,
                                           struct error *err);
void ledger_reader_free(struct ledger_reader *r); /* NULL is fine */
/* No question takes longer, sums neither: ERR_TIMEOUT then. Before the first one. */
void ledger_reader_hurry(struct ledger_reader *r, uint64_t answer_ms);

struct ledger_found { /* a request with its feedback; texts are in the arena */
    struct str id, instance, front, key, policy, model, plan, expert, decision;
    struct str outcome, basis, problem, calls; /* "open" while it runs; "interrupted" */
    int64_t begin_ms, http_status;
    bool stream, cached, has_feedback;
    double quality, lambda;
    int64_t predicted_nano_usd, reference_nano_usd, cost_nano_usd;
    int64_t input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens;
    int64_t attempts, first_token_ms, total_ms; /* the last two -1: none, or not yet */
    int64_t feedback_ms;
    double score;
    struct str comment;
};
/* ERR_NOT_FOUND; ERR_IO, ERR_TIMEOUT and ERR_CORRUPT: storage cannot be read. */
NODISCARD enum status ledger_read_request(struct ledger_reader *r, struct str id, struct arena *a,
                                          struct ledger_found *ret, struct error *err);

/* A request that was answered and of which somebody said something. */
struct ledger_opinion {
    struct str id, expert; /* whose answer stood; valid during the call */
    double score;          /* 0..1, the last one given */
    bool is_single;        /* one call, whose cost and tokens are the request's and were reported */
    int64_t cost_nano_usd, input_tokens, output_tokens;
    int64_t begin_ms;
    struct str decision; /* as in the ledger: JSON with what was estimated; may be empty */
};
typedef enum status opinion_fn(const struct ledger_opinion *o, void *arg, struct error *err);
/* Of requests that began at `since_ms` or later, in the order of their begin. */
NODISCARD enum status ledger_read_opinions(struct ledger_reader *r, int64_t since_ms,
                                           opinion_fn *on_opinion, void *arg, struct error *err);

enum spend_by { SPEND_KEY, SPEND_EXPERT, SPEND_DAY, SPEND_POLICY, SPEND_FRONT, SPEND_TOTAL };

/* Sums over the requests of a group. By expert, each call of a plan counts for the expert that was asked, and the
 * request for the one that answered; the other groups have the same totals. Requests that were not answered, and those
 * whose reference is unknown, count as if the reference had cost the same. */
struct spend {
    struct str group; /* name; of a day "2026-11-22" (UTC); valid during the call */
    int64_t requests, open, failed;
    int64_t input_tokens, cached_tokens, output_tokens;
    int64_t cost_nano_usd, reference_nano_usd;
    int64_t estimated_nano_usd; /* of the cost: what no upstream reported */
};
typedef enum status spend_fn(const struct spend *s, void *arg, struct error *err);
/* Requests that began in [since_ms, until_ms), the most expensive group first, days in order. */
NODISCARD enum status ledger_read_spend(struct ledger_reader *r, enum spend_by by, int64_t since_ms,
                                        int64_t until_ms, spend_fn *on_group, void *arg,
                                        struct error *err);

struct spend_loss { /* what never came into the ledger */
    int64_t rows, nano_usd;
};
NODISCARD enum status ledger_read_losses(struct ledger_reader *r, int64_t since_ms,
                                         int64_t until_ms, struct spend_loss *ret,
                                         struct error *err);
