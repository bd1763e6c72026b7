/* Places and the line. Everything about a gate happens under its lock; what came of it is logged, and callbacks are
 * made, once the lock is off. Any thread may enter and leave; a ticket belongs to the thread of its wake queue, and its
 * timer runs there. The time is an argument, or the scheduler's: nothing here reads a clock. Do not call into a gate
 * with another gate's lock held. */
#include "gate/gate_int.h"

#include "base/check.h"
#include "base/log.h"

/* Places. All of this with the gate's lock held. */

void gate_set_troubled(struct gate *g, uint64_t now_ms)
{
    bool troubled = g->health.state != HEALTH_CLOSED || now_ms < g->health.cooldown_ms;
    atomic_store_explicit(&g->troubled, troubled, memory_order_release);
}

/* 0: now; UINT64_MAX: when a place is free, whenever that is. */
static uint64_t wait_ms(struct gate *g, int64_t tokens, uint64_t now_ms)
{
    if (g->limits.concurrency > 0 && g->in_flight >= g->limits.concurrency)
        return UINT64_MAX;
    uint64_t requests = gate_bucket_wait_ms(&g->requests, 1, now_ms);
    uint64_t more = gate_bucket_wait_ms(&g->tokens, tokens, now_ms);
    return requests > more ? requests : more;
}

static void take_place(struct gate *g, int64_t tokens, uint64_t now_ms)
{
    g->in_flight++;
    gate_bucket_take(&g->requests, 1, now_ms);
    gate_bucket_take(&g->tokens, tokens, now_ms);
}

/* As if it had never been taken: no call was made. */
static void undo_place(struct gate *g, int64_t tokens, uint64_t now_ms)
{
    CHECK(g->in_flight > 0);
    g->in_flight--;
    gate_bucket_take(&g->requests, -1, now_ms);
    gate_bucket_take(&g->tokens, -tokens, now_ms);
}

static void line_append(struct gate *g, struct gate_ticket *t)
{
    t->place = GATE_IN_LINE;
    t->next = NULL;
    t->previous = g->last;
    *(g->last ? &g->last->next : &g->first) = t;
    g->last = t;
    g->waiting++;
}

static void line_remove(struct gate *g, struct gate_ticket *t)
{
    *(t->previous ? &t->previous->next : &g->first) = t->next;
    *(t->next ? &t->next->previous : &g->last) = t->previous;
    t->next = t->previous = NULL;
    g->waiting--;
}

static void turn_away(struct gate *g, struct gate_ticket *t, const char *why, uint64_t until_ms)
{
    line_remove(g, t);
    t->place = GATE_TURNED_AWAY;
    t->why = why;
    t->until_ms = until_ms;
    wake_queue_put(t);
}

/* Nobody waits for an expert that is not asked anyway. */
static void turn_all_away(struct gate *g, const char *why, uint64_t until_ms)
{
    while (g->first)
        turn_away(g, g->first, why, until_ms);
}

/* The first in line looks again then. */
static void look_again(struct gate_ticket *first, uint64_t at_ms)
{
    uint64_t before = first->poll_ms;
    first->poll_ms = at_ms;
    if (first->poll_ms < before) /* its timer is set for later */
        wake_queue_put(first);
}

/* During a cooldown those stay in line who want to wait for its end, and can. */
static void hold_line(struct gate *g)
{
    uint64_t until = g->health.cooldown_ms;
    struct gate_ticket *next;
    for (struct gate_ticket *t = g->sifted_ms != until ? g->first : NULL; t; t = next) {
        next = t->next;
        if (!t->may_cool || t->deadline_ms <= until)
            turn_away(g, t, health_cooling_down, until);
    }
    g->sifted_ms = until;
    if (g->first)
        look_again(g->first, until);
}

void gate_poll(struct gate *g, uint64_t now_ms)
{
    struct gate_ticket *t;
    uint64_t wait = 0, until = 0;
    if (!g->first)
        return;
    if (health_only_cools(&g->health, now_ms)) {
        hold_line(g);
        return;
    }
    const char *why = health_barred(&g->health, now_ms, &until);
    if (why)
        turn_all_away(g, why, until);
    while ((t = g->first) && (wait = wait_ms(g, t->tokens, now_ms)) == 0) {
        line_remove(g, t);
        take_place(g, t->tokens, now_ms);
        t->place = GATE_CALLED;
        wake_queue_put(t);
    }
    if (!t)
        return;
    look_again(t, wait == UINT64_MAX ? UINT64_MAX : now_ms + wait);
}

/* What changed, told once the lock is off */

struct change {
    bool state, cooldown, lifted;
    struct health health;
};

static struct change change_of(const struct gate *g, enum health_state before, uint64_t cooldown)
{
    uint64_t now = g->health.cooldown_ms;
    return (struct change){g->health.state != before, now > cooldown, now < cooldown, g->health};
}

static void log_change(const struct gate *g, const struct change *c, uint64_t now_ms)
{
    const struct health *h = &c->health;
    uint64_t wait = h->state == HEALTH_OPEN && h->until_ms > now_ms ? h->until_ms - now_ms : 0;
    if (c->state)
        log_event(h->state == HEALTH_OPEN ? LOG_WARN : LOG_INFO, "circuit",
                  "expert=%s state=%s failures=%u pause_ms=%llu", g->name,
                  health_state_name(h->state), h->failures, (unsigned long long)wait);
    if (c->cooldown)
        log_event(LOG_INFO, "cooldown", "expert=%s wait_ms=%llu status=%d", g->name,
                  (unsigned long long)(h->cooldown_ms - now_ms), h->cool_status);
    if (c->lifted)
        log_event(LOG_INFO, "cooldown lifted", "expert=%s by=probe", g->name);
}

/* Tickets */

static void on_timer(void *arg)
{
    struct gate_ticket *t = arg;
    gate_ticket_look(t, scheduler_now_ms(t->wakes->scheduler));
}

static void arm(struct gate_ticket *t, uint64_t now_ms)
{
    uint64_t at = t->poll_ms < t->deadline_ms ? t->poll_ms : t->deadline_ms;
    scheduler_timer_start(t->timer, at > now_ms ? at - now_ms : 0);
}

/* Off every list; with the gate's lock not held. */
static void forget(struct gate_ticket *t)
{
    if (t->wakes)
        wake_queue_remove(t);
    scheduler_timer_free(t->timer);
    t->timer = NULL;
    t->gate = NULL;
    t->place = GATE_NOWHERE;
}

static enum gate_verdict refuse(struct gate *g, struct gate_ticket *t, const char *why,
                                uint64_t until_ms)
{
    g->turned_away++;
    t->why = why;
    t->until_ms = until_ms;
    return GATE_FULL;
}

static uint64_t since_ms(const struct gate_ask *ask)
{
    return ask->since_ms ? ask->since_ms : ask->now_ms;
}

/* In line, with its timer; no timer, no waiting. */
static enum gate_verdict queue(struct gate *g, struct gate_ticket *t, const struct gate_ask *ask)
{
    t->timer = scheduler_timer_create(ask->wakes->scheduler, on_timer, t);
    if (!t->timer)
        return refuse(g, t, "out of memory", ask->now_ms + GATE_RETRY_MS);
    t->gate = g;
    t->wakes = ask->wakes;
    t->on_turn = ask->on_turn;
    t->arg = ask->arg;
    t->may_cool = ask->may_cool;
    t->deadline_ms = since_ms(ask) + g->limits.queue_timeout_ms;
    t->poll_ms = UINT64_MAX;
    line_append(g, t);
    gate_poll(g, ask->now_ms);
    arm(t, ask->now_ms);
    return GATE_WAIT;
}

static enum gate_verdict try_enter(struct gate *g, struct gate_ticket *t,
                                   const struct gate_ask *ask)
{
    uint64_t until = 0;
    const char *why = health_barred(&g->health, ask->now_ms, &until);
    bool cools = health_only_cools(&g->health, ask->now_ms);
    bool waits = cools && ask->may_wait && ask->may_cool &&
                 until < since_ms(ask) + g->limits.queue_timeout_ms;
    if (why && !waits) {
        t->why = why;
        t->until_ms = until;
        return GATE_BARRED;
    }
    uint64_t wait = wait_ms(g, ask->tokens, ask->now_ms);
    if (!why && wait == 0 && (cools || !g->first)) { /* a probe need not wait for those who do */
        take_place(g, ask->tokens, ask->now_ms);
        CHECK(!health_enter(&g->health, ask->now_ms, &t->pass, &until));
        t->gate = g;
        t->wakes = NULL;
        t->place = GATE_INSIDE;
        return GATE_GO;
    }
    if (ask->may_wait && g->waiting < g->limits.queue_length)
        return queue(g, t, ask);
    uint64_t hint = wait == 0 || wait == UINT64_MAX ? GATE_RETRY_MS : wait;
    return refuse(g, t, ask->may_wait ? "its queue is full" : "it is busy", ask->now_ms + hint);
}

enum gate_verdict gate_enter(struct gate *g, struct gate_ticket *t, const struct gate_ask *ask)
{
    CHECK(t->place == GATE_NOWHERE);
    t->tokens = ask->tokens;
    pthread_mutex_lock(&g->lock);
    enum health_state before = g->health.state;
    enum gate_verdict verdict = try_enter(g, t, ask);
    gate_set_troubled(g, ask->now_ms);
    struct change change = change_of(g, before, g->health.cooldown_ms);
    pthread_mutex_unlock(&g->lock);
    log_change(g, &change, ask->now_ms);
    return verdict;
}

/* Its turn has come; whether it may still go. */
static enum gate_verdict admit(struct gate *g, struct gate_ticket *t, uint64_t now_ms)
{
    t->why = health_enter(&g->health, now_ms, &t->pass, &t->until_ms);
    if (!t->why) {
        t->place = GATE_INSIDE;
        return GATE_GO;
    }
    undo_place(g, t->tokens, now_ms);
    t->place = GATE_TURNED_AWAY;
    gate_poll(g, now_ms);
    return GATE_BARRED;
}

static enum gate_verdict look(struct gate *g, struct gate_ticket *t, uint64_t now_ms)
{
    if (t->place == GATE_CALLED)
        return admit(g, t, now_ms);
    if (t->place == GATE_TURNED_AWAY)
        return GATE_BARRED;
    if (now_ms >= t->deadline_ms) {
        line_remove(g, t);
        t->place = GATE_TURNED_AWAY;
        gate_poll(g, now_ms);
        return refuse(g, t, "no place became free in time", now_ms + GATE_RETRY_MS);
    }
    gate_poll(g, now_ms);
    arm(t, now_ms);
    return GATE_WAIT;
}

void gate_ticket_look(struct gate_ticket *t, uint64_t now_ms)
{
    struct gate *g = t->gate;
    CHECK(g && t->place != GATE_INSIDE);
    pthread_mutex_lock(&g->lock);
    enum health_state before = g->health.state;
    enum gate_verdict verdict = look(g, t, now_ms);
    gate_set_troubled(g, now_ms);
    struct change change = change_of(g, before, g->health.cooldown_ms);
    pthread_mutex_unlock(&g->lock);
    log_change(g, &change, now_ms);
    if (verdict == GATE_WAIT)
        return;
    void (*on_turn)(void *, enum gate_verdict) = t->on_turn;
    if (verdict == GATE_GO) {
        wake_queue_remove(t);
        scheduler_timer_free(t->timer);
        t->timer = NULL;
    } else {
        forget(t);
    }
    on_turn(t->arg, verdict);
}

static void end_call(struct gate *g, const struct gate_ticket *t, uint64_t now_ms,
                     enum health_outcome outcome, struct health_hold hold, int64_t tokens)
{
    CHECK(g->in_flight > 0);
    g->in_flight--;
    if (tokens >= 0)
        gate_bucket_take(&g->tokens, tokens - t->tokens, now_ms);
    (void)health_leave(&g->health, t->pass, now_ms, outcome, hold);
}

void gate_leave(struct gate_ticket *t, uint64_t now_ms, enum health_outcome outcome,
                struct health_hold hold, int64_t tokens)
{
    struct gate *g = t->gate;
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    enum health_state before = g->health.state;
    uint64_t cooldown = g->health.cooldown_ms;
    if (t->place == GATE_INSIDE)
        end_call(g, t, now_ms, outcome, hold, tokens);
    else if (t->place == GATE_CALLED)
        undo_place(g, t->tokens, now_ms);
    else if (t->place == GATE_IN_LINE)
        line_remove(g, t);
    gate_poll(g, now_ms);
    gate_set_troubled(g, now_ms);
    struct change change = change_of(g, before, cooldown);
    pthread_mutex_unlock(&g->lock);
    forget(t);
    log_change(g, &change, now_ms);
}

void gate_prove(struct gate_ticket *t, uint64_t now_ms)
{
    struct gate *g = t->gate;
    if (!(t->pass.probe || t->pass.cool_probe) || t->place != GATE_INSIDE)
        return;
    pthread_mutex_lock(&g->lock);
    uint64_t cooldown = g->health.cooldown_ms;
    struct change change = {.state = health_prove(&g->health, &t->pass)};
    change.lifted = g->health.cooldown_ms < cooldown && now_ms < cooldown;
    change.health = g->health;
    atomic_store(&g->troubled, true); /* a cooldown may go on; the next to enter looks */
    gate_poll(g, now_ms);
    pthread_mutex_unlock(&g->lock);
    log_change(g, &change, now_ms);
}

const char *gate_barred(struct gate *g, uint64_t now_ms, uint64_t *ret_until_ms)
{
    if (!atomic_load_explicit(&g->troubled, memory_order_acquire))
        return NULL;
    pthread_mutex_lock(&g->lock);
    const char *why = health_barred(&g->health, now_ms, ret_until_ms);
    pthread_mutex_unlock(&g->lock);
    return why;
}

bool gate_cools(struct gate *g, uint64_t now_ms, uint64_t since_ms, uint64_t *ret_until_ms)
{
    if (!atomic_load_explicit(&g->troubled, memory_order_acquire))
        return false;
    pthread_mutex_lock(&g->lock);
    uint64_t until = g->health.cooldown_ms;
    bool cools = health_only_cools(&g->health, now_ms) && g->waiting < g->limits.queue_length &&
                 until < since_ms + g->limits.queue_timeout_ms;
    pthread_mutex_unlock(&g->lock);
    *ret_until_ms = until;
    return cools;
}

enum health_outcome gate_judge(enum status status, const struct expert_answer *answer,
                               struct health_hold *ret_hold)
{
    int http_status = answer->http_status;
    bool overloaded = http_status == 429 || http_status >= 500;
    bool holds = status != OK && overloaded;
    *ret_hold = (struct health_hold){holds ? answer->retry_after_ms : 0, http_status};
    if (status == OK)
        return HEALTH_GOOD;
    if (status == ERR_MEMORY)
        return HEALTH_NONE;
    if (answer->reason == RETRY_QUOTA)
        return HEALTH_QUOTA;
    if (answer->reason == RETRY_REFUSED)
        return HEALTH_REFUSED;
    if (http_status == 429 && ret_hold->ms > 0)
        return HEALTH_NONE; /* it has said itself when to come back */
    if (http_status == 409 || http_status == 425)
        return HEALTH_REFUSED;
    return answer->retry == EXPERT_RETRY_NEVER ? HEALTH_REFUSED : HEALTH_BAD;
}
