/* The arithmetic of a key's limits: exact integers, without a clock, lock or file of its own (client_keys.h has those).
 *
 * A rate of N a minute is a bucket that holds N and fills evenly: N at once, then one every 60/N seconds. A request
 * takes one; its tokens are taken as predicted and set right when they are known, so that the bucket may owe. One
 * with more tokens than the bucket holds may go when the bucket is full. */
#pragma once

#include "keys/key_spend.h"

struct key_meter {
    uint64_t at_ms; /* of the next line; monotonic */
    int64_t requests_taken,
        tokens_taken; /* not yet filled again, in 1/60,000: one a minute fills one a ms */
    struct key_spent spent;
    int64_t held_nano_usd; /* what requests in flight may cost at most; in memory only */
};

struct key_reserved {         /* by one request until it is settled */
    int64_t nano_usd, tokens; /* as predicted */
    int64_t worst_nano_usd;   /* at most; below nano_usd it counts as that */
};

struct key_clock {
    uint64_t now_ms; /* monotonic */
    int64_t wall_ms;
};

struct key_refusal {
    bool budget;             /* else a rate */
    bool lost;               /* of the budget: what was spent is not known */
    bool held;               /* of the budget: there would be room, were others not in flight */
    int64_t left, others;    /* of the budget: not spent; what others in flight may cost */
    int64_t worst;           /* of the budget: what this one may cost */
    enum key_period period;  /* of the budget */
    const char *unit;        /* of the rate: "requests", "tokens" */
    int64_t limit;           /* of the rate, a minute; of the budget, nano-USD */
    uint64_t retry_after_ms; /* 0: never */
};

/* A request arrives, and nothing is known of it yet. True: it may go on, and is counted. False: *ret says why not. */
bool key_meter_admit(struct key_meter *m, const struct key_limits *l, struct key_clock clock,
                     struct key_refusal *ret);
/* The request is predicted to cost `want` in all, including what it has cost so far. True: that much is reserved
 * instead of what was reserved before (never less than before). False: nothing has changed.
 *
 * It may go when what was spent, what others in flight may cost at most and what it may cost at most stay within each
 * budget; and also when no other is in flight and its prediction stays within. So all requests of a key together spend
 * at most its budget and the worst case of one. */
bool key_meter_reserve(struct key_meter *m, const struct key_limits *l, struct key_clock clock,
                       struct key_reserved *reserved, struct key_reserved want,
                       struct key_refusal *ret);
/* The request has cost `cost`; nothing remains reserved for it. */
void key_meter_settle(struct key_meter *m, const struct key_limits *l, struct key_clock clock,
                      struct key_reserved *reserved, struct key_reserved cost);

struct key_rate {             /* for headers */
    int64_t limit, remaining; /* limit KEY_UNLIMITED: none */
    uint64_t reset_ms;        /* until the bucket is full */
};
void key_meter_rates(struct key_meter *m, const struct key_limits *l, uint64_t now_ms,
                     struct key_rate *requests, struct key_rate *tokens);
