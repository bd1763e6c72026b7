/* Private to chat*.c, relay.c and account.c: one chat exchange from request to last byte. Whom to ask, how often, and
 * in what order is the asking's business (ask/asking.h); here is what is the client's.
 *
 *     parse ─▶ ESTIMATING ─▶ choose ─▶ ASKING ─ first content ─▶ RELAYING ─▶ OVER
 *       │          │            │         └─ answered whole, or failed ────────▶ │
 *       └──────────┴────────────┴─ refused, failed, or out of the cache ───────▶ │
 *
 * Before the first byte to the client another expert may step in; after it a failure is an error event.
 *
 * A chat lives in its exchange's arena; what is not in there (asking, buffers) goes in chat_release. */
#pragma once

#include "ask/asking.h"
#include "ask/held_events.h"
#include "base/digest.h"
#include "dialect/openai.h"
#include "route/estimator.h"
#include "serve/gateway_int.h"
#include "watch/record.h"
#include "watch/trace_context.h"

#define CHAT_HEADERS_MAX 31

enum chat_phase { CHAT_ESTIMATING, CHAT_ASKING, CHAT_RELAYING, CHAT_OVER };

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
    struct held_events kept;      /* the events that were relayed */
    bool ended_well, ended_badly; /* some choice did */
};

struct verify_task;

struct chat_check { /* of chat_check.c: what is under way; one of the first two, or neither */
    struct verify_task *task;
    struct asking *judge; /* an expert that judges */
    struct openai_request asked;
    struct asking_candidate candidate;
    bool beginning;
    char why[256];
};

struct chat {
    struct worker *worker;
    struct snapshot *snapshot; /* held until chat_release */
    struct caller *caller;
    struct http_exchange *x;
    struct trace trace;
    char id[RECORD_ID_BYTES];
    enum chat_phase phase;
    struct front_context front;  /* how the client speaks */
    struct front_chat asked;     /* what it asks, as a chat completion */
    struct front_stream *events; /* translates what is relayed; NULL: nothing is yet */
    bool native; /* the expert speaks the client's own dialect: bytes pass untranslated */
    struct openai_request request;
    struct session session;
    struct estimating *estimating; /* NULL: the estimates are there, or were never begun */
    struct request_estimates estimates;
    struct pool_choice choice;
    bool chosen;           /* choice is there */
    bool has_plan;         /* the chosen arm is one */
    struct asking *asking; /* NULL before and after */
    struct http_header forwarded[8];
    size_t forwarded_count, forwarded_native_count; /* the latter go to native experts alone */
    struct buf out;                                 /* events of one read */
    bool has_content;
    bool full;      /* the client reads too slowly; the upstream call is paused */
    bool done_mark; /* [DONE] was relayed */
    int64_t begin_wall_ms;
    uint64_t begin_ms, first_token_ms; /* first_token_ms 0: none yet */
    struct chat_cache cache;
    struct chat_check check;
};

/* The one that is asked, at the end the one whose answer stands. */
const struct expert *chat_expert(const struct chat *c);
size_t chat_candidate(const struct chat *c); /* its index in choice.order */
void chat_release(struct chat *c);           /* cancels and frees; x is not touched */

/* chat_asking.c: asks nobody yet. ERR_MEMORY. */
NODISCARD enum status chat_asking_create(struct chat *c, struct error *err);

/* chat_check.c */
/* Says in the target why answers to this request cannot be checked, where its policy verifies. */
void chat_check_target(const struct chat *c, struct pool_target *target);
enum status chat_check(void *user, size_t candidate, struct str completion, struct error *err);
struct cost chat_check_cancel(void *user);
/* Of the answer that stands: "passed", "rejected", "down", "unchecked"; NULL: its policy does not verify. */
const char *chat_verified(const struct chat *c);
struct str chat_verifier(const struct chat *c); /* its name; empty likewise */
void chat_check_costs(const struct chat *c, struct cost *sum);
size_t chat_check_calls(const struct chat *c, struct record_call *calls); /* PLAN_MEMBERS_MAX */
void chat_check_learn(const struct chat *c);                  /* tells the pool what was said */
void chat_check_write(const struct chat *c, struct buf *out); /* `,{...}` of each */

/* account.c: what it cost, the headers that say so, and the access log line. */
size_t chat_paid_count(const struct chat *c);      /* experts that were asked and are done with */
struct cost chat_cost_total(const struct chat *c); /* of what was noted */
struct cost chat_cost_predicted(const struct chat *c); /* that, and the candidate's estimate */
/* `,"leeroo":{...}`, to stand behind another member, with the running call as if it had just ended. */
void chat_write_member(const struct chat *c, struct buf *out);
/* The x-leeroo headers into headers[CHAT_HEADERS_MAX]; their text is in the exchange's arena. */
size_t chat_headers(const struct chat *c, const struct cost *cost, struct http_header *headers);
/* The decision is made: watch_begin. Call once, before an expert is asked. */
void chat_open(struct chat *c);
/* "stayed" or "moved", of a request amid a turn; NULL: it is amid none that is known. */
const char *chat_session(const struct chat *c);
/* Whether this expert may be asked on behalf of the caller now; asked on every hop. ERR_BUDGET, ERR_OVERLOAD. */
NODISCARD enum status chat_may_ask(const struct chat *c, const struct expert *expert,
                                   struct error *err);
/* Tells the budget and watch_end; call once, before the exchange is answered to its end. */
void chat_account(struct chat *c, enum request_outcome outcome, int http_status,
                  const char *problem);

void chat_face(const struct chat *c, struct cache_face *ret); /* of the answer that stands */

/* chat_cache.c */
/* Once the target is read: fills c->cache; with c->cache.hit nobody needs to be asked. ERR_TIMEOUT: there is none and
 * the client wants no other. */
NODISCARD enum status chat_cache_look(struct chat *c, const char **code, struct error *err);
void chat_cache_answer(struct chat *c); /* ends the exchange with the hit */
void chat_cache_begin(struct chat *c);  /* an answer begins to be relayed */
void chat_cache_event(struct chat *c, const struct expert_event *event);
void chat_cache_put_stream(struct chat *c); /* it has ended well */
void chat_cache_put_body(struct chat *c, struct str body);
void chat_cache_release(struct chat *c);
size_t chat_cache_headers(const struct chat *c, struct http_header *headers); /* two at most */

/* relay.c: what comes of the asking, and the end of the exchange. */
void relay_event(struct chat *c, const struct expert_event *event);
void relay_flush(struct chat *c);
/* Before the first event. ERR_MEMORY. */
NODISCARD enum status relay_prepare(struct chat *c, struct error *err);
void relay_drained(struct http_exchange *x);
void relay_done(struct chat *c, const struct asking_end *end);
/* An answer out of the cache. */
void relay_kept(struct chat *c, const struct held_events *kept);
/* Nobody could be asked. */
void relay_fail(struct chat *c, enum status status, const struct error *err,
                const struct expert_answer *answer);
