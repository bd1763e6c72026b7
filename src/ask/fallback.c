/* The candidates one after the other: which is asked, how long it is worth waiting for, and when to stop. One that
 * failed is asked again, or the next best is; while none has begun to answer, a second may be asked beside it
 * (ask/hedge.c). Runs on the thread of the asking's scheduler. The main attempt is only touched here, in hedge.c where
 * a hedge takes its place, and by a plan that falls back on it. */
#include "ask/asking_int.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"

#define WHY_BYTES_MAX 240

static const char failed[] = "failed";

static void choose(struct asking *a, size_t candidate)
{
    attempt_reset(a->main, candidate);
    a->standing = candidate;
}

/* None is left that could be asked now */

/* Why one of them is not asked, with what led there. */
static void write_why(const struct asking *a, size_t i, const char *says,
                      const struct gate_reading *r, struct buf *why)
{
    buf_addf(why, "%s%.*s: %s", why->len ? "; " : "", STR_FMT(asking_expert(a, i)->name), says);
    if (r->cool_status > 0 && says != failed)
        buf_addf(why, " since it answered %d, for %llu ms more", r->cool_status,
                 (unsigned long long)r->wait_ms);
}

/* `cheap: circuit open; mid: its queue is full`; the soonest time at which one of them is worth another try, and
 * whether one of them is well and merely has too much to do, by our limits or its own (429). */
static void list_closed_gates(const struct asking *a, struct buf *why, uint64_t *ret_soonest,
                              bool *ret_busy)
{
    uint64_t soonest = a->soonest_ms ? a->soonest_ms : UINT64_MAX, now = asking_now_ms(a);
    bool busy = false;
    for (size_t i = 0; i < a->o.count; i++) {
        uint64_t until = UINT64_MAX;
        struct gate *gate = asking_candidate_of(a, i)->gate;
        const char *barred = gate_barred(gate, now, &until);
        const char *says = barred ? barred : a->passed[i];
        if (!says || says == plan_run_member)
            continue;
        struct gate_reading r;
        gate_read(gate, now, &r);
        busy |= r.state == HEALTH_CLOSED && says != failed && r.cool_status < 500;
        soonest = until < soonest ? until : soonest;
        write_why(a, i, says, &r, why);
    }
    *ret_soonest = soonest;
    *ret_busy = busy;
}

void fallback_refuse(struct asking *a)
{
    struct buf why;
    struct error err;
    uint64_t soonest = 0, now = asking_now_ms(a);
    bool busy = false;
    buf_init(&why, WHY_BYTES_MAX);
    list_closed_gates(a, &why, &soonest, &busy);
    error_set(&err, ERR_OVERLOAD, "no expert can be asked now (%s%s)", why.ptr ? why.ptr : "",
              why.status == OK ? "" : "; ...");
    buf_done(&why);
    const struct expert_answer answer = {
        .http_status = busy ? 429 : 0, /* 0: the status's own, 503 */
        .retry_after_ms = soonest > now && soonest != UINT64_MAX ? soonest - now : GATE_RETRY_MS};
    asking_finish(a, ERR_OVERLOAD, &err, &answer);
}

/* The way on */

size_t fallback_next(struct asking *a, size_t from)
{
    size_t next = asking_next(a, from);
    a->may_cool = next == SIZE_MAX;
    return a->may_cool ? asking_next_cooling(a) : next;
}

/* The candidate's gate is closed. True: there is a candidate, which may be the same if only waiting for it is left;
 * false: somebody answers, or nobody will. In one piece, because the order of the ways on is what matters. */
static bool move_on(struct asking *a, enum gate_verdict verdict)
{
    struct attempt *t = a->main;
    size_t from = t->candidate;
    bool is_done_with =
        verdict != GATE_BARRED || a->may_cool || t->ticket.why != health_cooling_down;
    if (is_done_with)
        a->passed[from] = t->ticket.why;
    a->in_hurry |= verdict == GATE_FULL;
    if (is_done_with && (a->soonest_ms == 0 || t->ticket.until_ms < a->soonest_ms))
        a->soonest_ms = t->ticket.until_ms;
    if (a->run || a->hedge)
        attempt_note(t, CALL_FAILED, NULL);
    if (a->run && plan_run_rescue(a))
        return false;
    log_event(LOG_INFO, "skipped", "req=%s expert=%.*s why=\"%s\"", a->o.id,
              STR_FMT(asking_expert(a, from)->name), t->ticket.why);
    if (hedge_take_over(a))
        return false;
    size_t next = fallback_next(a, from);
    if (next == from) {
        attempt_again(t);
        return true;
    }
    attempt_note(t, CALL_FAILED, NULL);
    if (next == SIZE_MAX) {
        fallback_refuse(a);
        return false;
    }
    choose(a, next);
    return true;
}

/* The first one in turn that has a place, or a place in line. The asking may be over afterwards. */
static void seek(struct asking *a)
{
    enum gate_verdict verdict;
    do {
        verdict = attempt_enter(a->main, !a->in_hurry, a->may_cool);
    } while (verdict != GATE_GO && verdict != GATE_WAIT && move_on(a, verdict));
}

void fallback_ask(struct asking *a, size_t candidate)
{
    choose(a, candidate);
    seek(a);
}

/* Callbacks of the main attempt */

static void on_closed(struct attempt *t, enum gate_verdict verdict)
{
    struct asking *a = t->asking;
    if (move_on(a, verdict))
        seek(a);
}

static void on_pause_over(struct attempt *t)
{
    seek(t->asking);
}

static void on_content(struct attempt *t)
{
    attempt_go_live(t);
    hedge_stop(t->asking);
}

/* Too much of it before its first content is as good as content. */
static void on_held(struct attempt *t)
{
    if (t->held.bytes.len > ASKING_HELD_BYTES_MAX)
        on_content(t);
}

static bool may_try_again(const struct attempt *t, bool *ret_backed_up)
{
    *ret_backed_up = false;
    return !t->asking->hedge;
}

/* The candidate will not be asked again. Many lines, because each may be the one that goes on: the answers of a plan's
 * members, the hedge, the next candidate, the end. */
static void on_failed(struct attempt *t, const struct attempt_failure *f)
{
    struct asking *a = t->asking;
    size_t from = t->candidate;
    bool may_go_on = !t->live && f->answer->retry != EXPERT_RETRY_NEVER;
    bool was_asked = !f->unasked || may_go_on;
    a->passed[from] = failed;
    attempt_note(t, CALL_FAILED, t->live ? f->answer : NULL);
    if (!t->live && was_asked && a->run && plan_run_rescue(a))
        return;
    if (may_go_on && hedge_take_over(a)) {
        asking_log_retry(a, from, a->standing, f->err, 0);
        return;
    }
    size_t next = may_go_on && a->calls < ASKING_CALLS_MAX ? fallback_next(a, from) : SIZE_MAX;
    hedge_stop(a);
    if (next == SIZE_MAX) {
        asking_finish(a, f->status, f->err, f->answer);
        return;
    }
    choose(a, next);
    asking_log_retry(a, from, next, f->err, 0);
    attempt_pause(t, 0);
}

static void on_answered(struct attempt *t, const struct expert_answer *answer)
{
    struct asking *a = t->asking;
    hedge_stop(a);
    if (!t->live && answer->streamed)
        attempt_go_live(t);
    a->told = t;
    attempt_note(t, CALL_ANSWERED, answer);
    asking_finish(a, OK, NULL, answer);
}

static const struct attempt_owner fallback_owner = {
    .on_closed = on_closed,
    .on_pause_over = on_pause_over,
    .on_content = on_content,
    .on_held = on_held,
    .may_try_again = may_try_again,
    .on_failed = on_failed,
    .on_answered = on_answered,
};

void fallback_init(struct asking *a)
{
    a->main = &a->attempts[0];
    /* What is held of one read is bounded by the parser and the connection's buffer; see on_held for the rest. */
    attempt_init(a->main, a, &fallback_owner, SIZE_MAX / 2);
}

void fallback_adopt(struct asking *a, struct attempt *hedge)
{
    CHECK(!attempt_is_open(a->main) && hedge != a->main && hedge->tries > 0);
    hedge->owner = &fallback_owner;
    hedge->is_hedge = true;
    a->main = hedge;
    a->standing = hedge->candidate;
}
