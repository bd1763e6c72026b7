/* Looking for requests in the ledger, the newest first, a page at a time, and figures of the latest ones. As in
 * reader.h: beside the process that writes it, never on an event loop's thread, one reader for one thread. */
#pragma once

#include "store/reader.h"

#define SEARCH_ROWS_MAX       200
#define SEARCH_TEXT_BYTES_MAX 256  /* of a text to look for */
#define SEARCH_MS             8000 /* how long the database may take */

struct search_place { /* of a request in that order: what follows it are requests before it */
    int64_t begin_ms;
    struct str id;
};

struct ledger_search { /* all zero but the limit: every request */
    /* Equal; ptr NULL: any. Of `key` and `policy` empty: without one. `expert`: whose answer stands. */
    struct str id, key, expert, policy, outcome;
    struct str words; /* somewhere in id, model, policy, expert, plan or problem, in any case */
    int64_t from_ms, to_ms; /* began at from_ms or later, and before to_ms; 0: no bound */
    int64_t min_nano_usd, max_nano_usd;
    bool has_max; /* max_nano_usd counts */
    bool has_before;
    struct search_place before;
    size_t limit; /* 1..SEARCH_ROWS_MAX */
};

struct search_page {
    struct ledger_found *rows; /* [count], in the arena; without decision and feedback */
    size_t count;
    bool more; /* behind the last one there are others */
};
/* ERR_INPUT: a text that no database would take, or too long; ERR_TIMEOUT: over SEARCH_MS, with the mend; else as
 * ledger_read_request. */
NODISCARD enum status ledger_search(struct ledger_reader *r, const struct ledger_search *s,
                                    struct arena *a, struct search_page *ret, struct error *err);

#define SEARCH_RECENT_MAX 4000 /* so many of the latest requests are looked through */

struct search_decision { /* texts are valid during the call */
    int64_t begin_ms;
    struct str policy, plan, expert, decision;
};
typedef void search_decision_fn(const struct search_decision *d, void *arg);
/* Decisions of the latest requests that were not answered out of the cache, the newest first, at most `limit`. */
NODISCARD enum status ledger_read_decisions(struct ledger_reader *r, size_t limit,
                                            search_decision_fn *fn, void *arg, struct error *err);

struct search_score {
    struct str plan, expert, decision;
    double quality, score; /* predicted by the decision; said afterwards, 0..1 */
};
typedef void search_score_fn(const struct search_score *s, void *arg);
/* The latest feedback on answered requests, at most SEARCH_RECENT_MAX. */
NODISCARD enum status ledger_read_scores(struct ledger_reader *r, search_score_fn *fn, void *arg,
                                         struct error *err);

struct search_policy { /* means over its requests among the latest 5 * SEARCH_RECENT_MAX */
    struct str policy;
    int64_t requests;
    double lambda, quality, cost_usd; /* of the decisions; what they really cost */
};
typedef void search_policy_fn(const struct search_policy *p, void *arg);
/* Of requests that began at `since_ms` or later and are over, by name. */
NODISCARD enum status ledger_read_policies(struct ledger_reader *r, int64_t since_ms,
                                           search_policy_fn *fn, void *arg, struct error *err);
