/* Whether an expert is worth asking now: a circuit breaker, and how long the expert itself asked to be left alone. A
 * plain value; the time is passed in (monotonic, any origin). Threads that share one need a lock of their own.
 *
 *     CLOSED ── failures in a row, or too large a share of a window ──▶ OPEN ── its pause is over ──▶ HALF_OPEN
 *       ▲                                                               ▲                                │
 *       └────────────── the one probe answered ──────────────┐          └─ it failed: twice the pause ───┤
 *                                                            └───────────────────────────────────────────┘
 *
 * Each call to the expert is entered before it is made, and left exactly once with its outcome. A call that was entered
 * before the circuit last changed says nothing about the present state, and changes nothing. The cooldown is a deadline
 * of its own: of several, the latest counts, and none is shortened by a later one. While it lasts one call at a time is
 * let through after ever longer pauses: if the expert has recovered earlier than it said, the cooldown is lifted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_SLICES        6    /* of a window */
#define HEALTH_PROBE_WAIT_MS 1000 /* when to come back, as told while the probe is out */
#define HEALTH_COOL_PROBE_MS                                                                       \
    10000u /* into a cooldown, the first probe; then twice as long, and so on */
#define HEALTH_QUOTA_PAUSE_MS 600000u /* an empty account is seldom filled sooner */

struct health_options {
    uint32_t failures;  /* in a row; 0: there is no breaker */
    double share;       /* of the window's calls that failed, ... */
    uint32_t minimum;   /* ... once there are so many; 0: the share does not matter */
    uint32_t window_ms; /* at least HEALTH_SLICES */
    uint32_t pause_ms, pause_max_ms;
};

#define HEALTH_OPTIONS_DEFAULT                                                                     \
    ((struct health_options){.failures = 5,                                                        \
                             .share = 0.5,                                                         \
                             .minimum = 20,                                                        \
                             .window_ms = 60000,                                                   \
                             .pause_ms = 10000,                                                    \
                             .pause_max_ms = 300000})

enum health_state { HEALTH_CLOSED, HEALTH_OPEN, HEALTH_HALF_OPEN };

enum health_outcome {
    HEALTH_NONE, /* says nothing: cancelled by us, or never sent */
    HEALTH_GOOD, /* answered */
    HEALTH_REFUSED, /* the request was at fault: the expert is there, but may still be unable to answer */
    HEALTH_BAD,
    HEALTH_QUOTA, /* the account has nothing left */
};

struct health_slice {
    uint64_t number; /* time / length of a slice; stale unless it is one of the window's */
    uint32_t calls, failures;
};

struct health {
    struct health_options options;
    enum health_state state;
    bool probing;         /* HALF_OPEN: the probe is out */
    uint32_t era;         /* counts changes of state */
    uint32_t failures;    /* in a row */
    uint64_t opened;      /* how often the circuit opened, ever */
    uint64_t pause_ms;    /* of the present or next opening */
    uint64_t until_ms;    /* OPEN: when a probe may go */
    uint64_t cooldown_ms; /* no call before this, but probes; 0: none */
    int cool_status;      /* of the answer that asked for it */
    bool cool_probing;    /* a probe is out */
    uint32_t cool_era;    /* counts cooldowns, and their liftings */
    uint64_t cool_probe_ms,
        cool_pause_ms; /* when the next may go; how long after it the one behind it */
    struct health_slice slices[HEALTH_SLICES];
};

struct health_pass { /* of one call */
    uint32_t era, cool_era;
    bool probe, cool_probe;
};

struct health_hold { /* how long the expert asked to be left alone, and with which status */
    uint64_t ms;     /* 0: it did not ask */
    int http_status;
};
#define HEALTH_NO_HOLD ((struct health_hold){0, 0})

void health_init(struct health *h, const struct health_options *options);
/* New options, keeping state and counts. An open breaker that is switched off closes. */
void health_configure(struct health *h, const struct health_options *options);
/* NULL: it may be asked. Else why not (a static text), and from when on it is worth another try. Changes nothing. */
const char *health_barred(const struct health *h, uint64_t now_ms, uint64_t *ret_until_ms);
extern const char health_cooling_down[]; /* as health_barred says it */
/* As health_barred; where that is NULL the call is entered, as the probe where one is due. */
const char *health_enter(struct health *h, uint64_t now_ms, struct health_pass *ret_pass,
                         uint64_t *ret_until_ms);
/* Ends what health_enter began, once. True: the state has changed. */
bool health_leave(struct health *h, struct health_pass pass, uint64_t now_ms,
                  enum health_outcome outcome, struct health_hold hold);
/* The probe has begun to answer, which is proof enough to close the circuit, or to lift the cooldown; health_leave must
 * still follow. True: the circuit closed. For calls that are not the probe nothing happens. */
bool health_prove(struct health *h, struct health_pass *pass);
/* Whether nothing but a cooldown is in the way, be it that a probe may go. */
bool health_only_cools(const struct health *h, uint64_t now_ms);
/* Ends the cooldown, if there is one: true. The circuit stays as it is. */
bool health_lift(struct health *h, uint64_t now_ms);
/* The state to show to people: an open circuit whose pause is over counts as half open. */
enum health_state health_state_at(const struct health *h, uint64_t now_ms);
const char *health_state_name(enum health_state state); /* "closed", "open", "half-open" */
