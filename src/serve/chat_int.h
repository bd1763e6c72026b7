/* Private to chat.c, ask.c, relay.c, account.c, plan_run.c and hedge.c: one chat exchange from request to last byte.
 *
 *     parse, choose ─▶ QUEUED ─▶ CALLING ─▶ RELAYING ─▶ done   before the first byte to the client a failure
 *           │           ▲    │     ▲  └─▶ WAITING (backoff) ─┘    leads to another try or another expert; after
 *           │           │    └─────┘          │                   it to an error event
 *           │           └─────────────────────┘
 *           └▶ MEMBERS ─┴─▶ done                           a plan asks its members: serve/plan_run.h
 *
 * A chat lives in its exchange's arena; what is not in there (call, timer, buffers) goes in chat_release. */
#pragma once

#include "base/digest.h"
#include "dialect/openai.h"
#include "expert/call.h"
#include "gate/gate.h"
#include "serve/gateway_int.h"
#include "serve/plan_kept.h"
#include "serve/record.h"
#include "watch/trace.h"

#define CHAT_ATTEMPTS_MAX 16 /* calls made for one request, whoever is asked */
#define CHAT_WAIT_MAX_MS                                                                           \
    5000 /* a longer Retry-After sends us to the next expert, if there is one */
#define CHAT_WAIT_LAST_MS     20000 /* ... and if there is none, we give up rather than wait longer */
#define CHAT_HELD_BYTES_MAX   65536 /* of a stream before its first content */
#define CHAT_DONE_LINGER_MS   1000  /* for the end of an upstream's connection after [DONE] */
#define CHAT_HEADERS_MAX      28
#define CHAT_BODY_BYTES_SPARE 16384
#define CHAT_PAID_MAX         (CHAT_ATTEMPTS_MAX + PLAN_MEMBERS_MAX)

enum chat_phase { CHAT_MEMBERS, CHAT_QUEUED, CHAT_CALLING, CHAT_WAITING, CHAT_RELAYING, CHAT_OVER };

struct chat_paid { /* what came of asking one expert, all tries together */
    size_t expert;
    enum call_outcome outcome;
    struct cost cost;
    uint64_t begin_ms;   /* its first try, since the request's begin */
    uint64_t latency_ms; /* from there to the end of the last */
    bool hedge;
};

struct plan_run;
struct hedge;
struct cache_entry;
struct cache_face;

enum chat_cache_use { CHAT_CACHE_OFF, CHAT_CACHE_BYPASS, CHAT_CACHE_MISS, CHAT_CACHE_HIT };

struct chat_cache { /* of chat_cache.c */
    enum chat_cache_use use;
    bool writes; /* what comes may be stored under key */
    struct digest key;
    struct cache_entry *hit;      /* held by chat_cache_answer; NULL: none */
    uint64_t age_s;               /* of the hit */
    bool keeping;                 /* kept is there */
    struct plan_kept kept;        /* the events of the present try */
    bool ended_well, ended_badly; /* some choice did */
};

struct chat {
    struct worker *worker;
    struct snapshot *snapshot; /* held until chat_release */
    struct caller *caller;
    struct http_exchange *x;
    struct trace trace;
    char id[REQUEST_ID_BYTES];
    enum chat_phase phase;
    struct front_context front;  /* how the client speaks */
    struct front_chat asked;     /* what it asks, as a chat completion */
    struct front_stream *events; /* of the present try; NULL while there are none to translate */
    bool native; /* the present expert speaks the client's own dialect: bytes pass untranslated */
    struct openai_request request;
    struct pool_choice choice;
    bool chosen;          /* choice is there */
    struct plan_run *run; /* NULL: the chosen arm is a single expert */
    size_t candidate; /* index into choice.order: whom we ask now, at the end whose answer stands */
    const char *
        *passed;    /* [order_count] why it is not asked any more, a static text; NULL: it may be */
    unsigned tries; /* of the candidate, until it is noted */
    unsigned attempts; /* of all */
    struct http_header forwarded[8];
    size_t forwarded_count, forwarded_native_count; /* the latter go to native experts alone */
    struct buf body;                                /* as sent to the present expert */
    struct expert_call *call;
    struct gate_ticket ticket; /* of the call, or in line for one */
    bool in_hurry; /* an expert had no place: from here on nobody is waited for in line */
    uint64_t
        soonest_ms; /* when an expert that had no place is worth another try; 0: none had none */
    struct hedge *hedge;       /* armed or running; NULL: neither */
    bool is_hedge;             /* the candidate was asked beside another */
    int64_t reserved_nano_usd; /* of max_cost, for the input of a hedge, or of whom it is beside */
    struct loop_timer *timer;  /* backoff, later the linger after [DONE] */
    struct buf out;            /* events of one read, or those held back until there is content */
    bool has_content;
    bool started;   /* bytes went to the client: no other expert from here on */
    bool full;      /* the client reads too slowly; the upstream call is paused */
    bool done_mark; /* [DONE] was relayed */
    bool lingering; /* the timer of CHAT_DONE_LINGER_MS runs: once, whatever else comes */
    int64_t begin_wall_ms;
    uint64_t begin_ms, first_token_ms; /* first_token_ms 0: none yet */
    uint64_t asked_ms;                 /* the candidate's first try */
    struct chat_cache cache;
    struct cost failed; /* what the candidate's failed tries have cost */
    struct chat_paid paid[CHAT_PAID_MAX];
    size_t paid_count;
};

const struct expert *chat_expert(const struct chat *c); /* the candidate */
/* What a body may grow to on its way up: another dialect has other names. */
size_t chat_body_bytes_max(const struct chat *c);
/* Whether the client's bytes may go to this expert as they are, and its answer back. Never for members of a plan, whose
 * answers are read. */
bool chat_is_native(const struct chat *c, const struct expert *expert);
struct expert_call_options chat_call_options(const struct chat *c, const struct expert *expert,
                                             struct str body, bool native);
void chat_release(struct chat *c); /* cancels and frees; x is not touched */

/* account.c: what it cost, the headers that say so, and the access log line. */
/* An expert is done with; call once for each that was asked. */
void chat_note(struct chat *c, size_t expert, enum call_outcome outcome, const struct cost *cost,
               uint64_t asked_ms);
/* The candidate is done with. `answer` NULL: nothing came that would cost. */
void chat_note_candidate(struct chat *c, enum call_outcome outcome,
                         const struct expert_answer *answer);
/* Writes the body for an expert, choice.order[candidate], so that its answer keeps the request within max_cost, its own
 * failed tries counted. ERR_BUDGET: what was spent leaves nothing for one. */
NODISCARD enum status chat_write_body(const struct chat *c, const struct expert *expert,
                                      size_t candidate, bool native, int64_t failed_nano_usd,
                                      struct buf *out, struct error *err);
struct cost chat_cost_total(const struct chat *c);     /* of what was noted */
struct cost chat_cost_predicted(const struct chat *c); /* that, and the candidate's estimate */
/* `,"leeroo":{...}`, to stand behind another member. `running`: the candidate's call until now; NULL: noted. */
void chat_write_member(const struct chat *c, const struct expert_answer *running, struct buf *out);
/* The x-leeroo headers into headers[CHAT_HEADERS_MAX]; their text is in the exchange's arena. */
size_t chat_headers(const struct chat *c, const struct cost *cost, struct http_header *headers);
/* The decision is made: record_begin. Call once, before an expert is asked. */
void chat_open(struct chat *c);
/* Whether this expert may be asked on behalf of the caller now; asked on every hop. ERR_BUDGET, ERR_OVERLOAD. */
NODISCARD enum status chat_may_ask(const struct chat *c, const struct expert *expert,
                                   struct error *err);
/* Tells the budget and record_end; call once, before the exchange is answered to its end. */
void chat_account(struct chat *c, enum request_outcome outcome, int http_status,
                  const char *problem);

void chat_face(const struct chat *c, struct cache_face *ret); /* of the answer that stands */

/* chat_cache.c */
/* Once the target is read: fills c->cache; with c->cache.hit nobody needs to be asked. ERR_TIMEOUT: there is none and
 * the client wants no other. */
NODISCARD enum status chat_cache_look(struct chat *c, const char **code, struct error *err);
void chat_cache_answer(struct chat *c); /* ends the exchange with the hit */
void chat_cache_begin(struct chat *c);  /* a try's stream begins: what was kept of another goes */
void chat_cache_event(struct chat *c, struct str data, const struct openai_reply *reply);
void chat_cache_put_stream(struct chat *c); /* it has ended well */
void chat_cache_put_body(struct chat *c, struct str body);
void chat_cache_release(struct chat *c);
size_t chat_cache_headers(const struct chat *c, struct http_header *headers); /* two at most */

/* relay.c: the callbacks of a running call, and the end of the exchange. */
void relay_event(struct expert_call *call, const struct expert_event *event);
void relay_flush(struct expert_call *call);
void relay_drained(struct http_exchange *x);
void relay_linger_over(struct chat *c);
/* Before each try: the translation of its events begins anew. ERR_MEMORY. */
NODISCARD enum status relay_prepare(struct chat *c, struct error *err);
/* The call ended well. */
void relay_finish(struct chat *c, const struct expert_answer *answer);
/* The candidate's answer was held back and stands. */
void relay_kept(struct chat *c, const struct plan_kept *kept);
/* The call failed and nothing more is tried. */
void relay_fail(struct chat *c, enum status status, const struct error *err,
                const struct expert_answer *answer);
