/* The circuit breaker as a pure state machine: health.h has the picture. Time comes in as an argument and never goes
 * back; the struct is a plain value without a lock, which is its owner's to bring (gate/gate.c holds one while it
 * calls). Each change of state begins a new era, and the outcome of a call from an earlier era is ignored. Nothing here
 * waits, allocates or fails. */
#include "expert/health.h"

#include <string.h>

#include "base/check.h"

const char health_cooling_down[] = "cooling down";
static const char circuit_open[] = "circuit open";

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool is_off(const struct health *h)
{
    return h->options.failures == 0;
}

void health_init(struct health *h, const struct health_options *options)
{
    *h = (struct health){.options = *options, .pause_ms = options->pause_ms};
}

static void close_circuit(struct health *h)
{
    h->state = HEALTH_CLOSED;
    h->era++;
    h->probing = false;
    h->failures = 0;
    h->pause_ms = h->options.pause_ms;
    memset(h->slices, 0, sizeof(h->slices));
}

void health_configure(struct health *h, const struct health_options *options)
{
    bool paused_as_before = h->options.pause_ms == options->pause_ms;
    h->options = *options;
    if (is_off(h) && h->state != HEALTH_CLOSED)
        close_circuit(h);
    if (!paused_as_before || h->pause_ms > options->pause_max_ms)
        h->pause_ms = options->pause_ms;
}

static void open_circuit(struct health *h, uint64_t now_ms, uint64_t pause_ms)
{
    if (h->state != HEALTH_OPEN)
        h->opened++;
    h->state = HEALTH_OPEN;
    h->era++;
    h->probing = false;
    h->until_ms = now_ms + pause_ms;
    h->pause_ms =
        h->pause_ms * 2 < h->options.pause_max_ms ? h->pause_ms * 2 : h->options.pause_max_ms;
}

enum health_state health_state_at(const struct health *h, uint64_t now_ms)
{
    return h->state == HEALTH_OPEN && now_ms >= h->until_ms ? HEALTH_HALF_OPEN : h->state;
}

/* Cooldowns */

static bool is_cooling(const struct health *h, uint64_t now_ms)
{
    return now_ms < h->cooldown_ms;
}

bool health_only_cools(const struct health *h, uint64_t now_ms)
{
    return h->state == HEALTH_CLOSED && is_cooling(h, now_ms);
}

static bool cool_probe_is_due(const struct health *h, uint64_t now_ms)
{
    return !h->cool_probing && now_ms >= h->cool_probe_ms;
}

static void cool_down(struct health *h, uint64_t now_ms, struct health_hold hold)
{
    if (!is_cooling(h, now_ms)) {
        h->cool_era++;
        h->cool_probing = false;
        h->cool_pause_ms = HEALTH_COOL_PROBE_MS;
        h->cool_probe_ms = now_ms + HEALTH_COOL_PROBE_MS;
    }
    if (now_ms + hold.ms > h->cooldown_ms) {
        h->cooldown_ms = now_ms + hold.ms;
        h->cool_status = hold.http_status;
    }
}

bool health_lift(struct health *h, uint64_t now_ms)
{
    if (!is_cooling(h, now_ms))
        return false;
    h->cool_era++;
    h->cool_probing = false;
    h->cooldown_ms = 0;
    return true;
}

/* A probe amid a cooldown has come back. One that says nothing leaves its turn to the next. */
static void note_cool_probe(struct health *h, uint64_t now_ms, enum health_outcome outcome,
                            bool held)
{
    h->cool_probing = false;
    if (outcome == HEALTH_GOOD || outcome == HEALTH_REFUSED) {
        (void)health_lift(h, now_ms);
    } else if (held || outcome != HEALTH_NONE) {
        h->cool_pause_ms *= 2;
        h->cool_probe_ms = now_ms + h->cool_pause_ms;
    }
}

/* Entering and leaving */

const char *health_barred(const struct health *h, uint64_t now_ms, uint64_t *ret_until_ms)
{
    const char *why = NULL;
    uint64_t until = 0;
    if (h->state == HEALTH_OPEN && now_ms < h->until_ms) {
        why = circuit_open;
        until = h->until_ms;
    } else if (h->state == HEALTH_HALF_OPEN && h->probing) {
        why = circuit_open;
        until = now_ms + HEALTH_PROBE_WAIT_MS;
    }
    if (is_cooling(h, now_ms) && !cool_probe_is_due(h, now_ms)) {
        why = why ? why : health_cooling_down;
        until = later(until, h->cooldown_ms);
    }
    if (why)
        *ret_until_ms = until;
    return why;
}

const char *health_enter(struct health *h, uint64_t now_ms, struct health_pass *ret_pass,
                         uint64_t *ret_until_ms)
{
    const char *why = health_barred(h, now_ms, ret_until_ms);
    if (why)
        return why;
    if (h->state == HEALTH_OPEN) {
        h->state = HEALTH_HALF_OPEN;
        h->era++;
    }
    bool probe = h->state == HEALTH_HALF_OPEN;
    bool cool_probe = is_cooling(h, now_ms);
    h->probing |= probe;
    h->cool_probing |= cool_probe;
    *ret_pass = (struct health_pass){h->era, h->cool_era, probe, cool_probe};
    return NULL;
}

/* Counts a call into the window; true: too large a share of it failed. */
static bool count(struct health *h, uint64_t now_ms, bool failed)
{
    CHECK(h->options.window_ms >= HEALTH_SLICES);
    uint64_t number = now_ms / (h->options.window_ms / HEALTH_SLICES);
    struct health_slice *s = &h->slices[number % HEALTH_SLICES];
    uint64_t calls = 0, failures = 0;
    if (s->number != number)
        *s = (struct health_slice){.number = number};
    s->calls++;
    s->failures += failed;
    for (size_t i = 0; i < HEALTH_SLICES; i++) {
        if (h->slices[i].number + HEALTH_SLICES <= number || h->slices[i].number > number)
            continue;
        calls += h->slices[i].calls;
        failures += h->slices[i].failures;
    }
    return h->options.minimum > 0 && calls >= h->options.minimum &&
           (double)failures >= h->options.share * (double)calls;
}

static void note_closed(struct health *h, uint64_t now_ms, enum health_outcome outcome)
{
    if (outcome == HEALTH_GOOD) {
        h->failures = 0;
        (void)count(h, now_ms, false);
    } else if (outcome == HEALTH_BAD) {
        h->failures += h->failures < UINT32_MAX;
        bool share = count(h, now_ms, true);
        if (share || h->failures >= h->options.failures)
            open_circuit(h, now_ms, h->pause_ms);
    }
}

static void note_probe(struct health *h, uint64_t now_ms, enum health_outcome outcome)
{
    CHECK(h->state == HEALTH_HALF_OPEN && h->probing);
    h->probing = false;
    if (outcome == HEALTH_GOOD || outcome == HEALTH_REFUSED)
        close_circuit(h);
    else if (outcome == HEALTH_BAD)
        open_circuit(h, now_ms, h->pause_ms);
}

static void note_quota(struct health *h, uint64_t now_ms)
{
    uint64_t pause = later(HEALTH_QUOTA_PAUSE_MS, h->options.pause_max_ms);
    if (h->state == HEALTH_OPEN)
        h->until_ms = later(h->until_ms, now_ms + pause);
    else
        open_circuit(h, now_ms, pause);
}

bool health_leave(struct health *h, struct health_pass pass, uint64_t now_ms,
                  enum health_outcome outcome, struct health_hold hold)
{
    enum health_state before = h->state;
    if (pass.cool_probe && pass.cool_era == h->cool_era)
        note_cool_probe(h, now_ms, outcome, hold.ms > 0);
    if (hold.ms > 0)
        cool_down(h, now_ms, hold);
    bool present = pass.era == h->era;
    if (is_off(h))
        return false;
    if (outcome == HEALTH_QUOTA)
        note_quota(h, now_ms);
    else if (present && pass.probe)
        note_probe(h, now_ms, outcome);
    else if (present && h->state == HEALTH_CLOSED)
        note_closed(h, now_ms, outcome);
    return h->state != before;
}

bool health_prove(struct health *h, struct health_pass *pass)
{
    if (pass->cool_probe && pass->cool_era == h->cool_era)
        (void)health_lift(h, 0);
    pass->cool_probe = false;
    if (!pass->probe || pass->era != h->era)
        return false;
    close_circuit(h);
    *pass = (struct health_pass){.era = h->era, .cool_era = h->cool_era};
    return true;
}

const char *health_state_name(enum health_state state)
{
    static const char *const names[] = {"closed", "open", "half-open"};
    CHECK(state >= 0 && state <= HEALTH_HALF_OPEN);
    return names[state];
}
