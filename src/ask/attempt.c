/* The life of an attempt: through the gate, into a call, out again, and once more where that is worth it. Everything
 * runs on the thread of the asking's scheduler. State changes are listed in attempt.h and checked here; what an end
 * means is the owner's business, so nothing here looks at other attempts. An owner's callback may end the asking, and
 * with it the attempt: it is the last thing that is done with it. */
#include "ask/asking_int.h"

#include "base/check.h"
#include "base/count_if.h"
#include "base/log.h"

/* Which states may follow which: a bit a state. */
#define TO(state) (1u << ATTEMPT_##state)
static const unsigned follows[] = {
    [ATTEMPT_IDLE] = TO(PAUSED) | TO(QUEUED) | TO(CALLING) | TO(ENDED),
    [ATTEMPT_QUEUED] = TO(CALLING) | TO(ENDED),
    [ATTEMPT_CALLING] = TO(PAUSED) | TO(LINGERING) | TO(ENDED),
    [ATTEMPT_PAUSED] = TO(QUEUED) | TO(CALLING) | TO(ENDED),
    [ATTEMPT_LINGERING] = TO(ENDED),
    [ATTEMPT_ENDED] = TO(IDLE),
};

static void move(struct attempt *t, enum attempt_state to)
{
    CHECK(follows[t->state] & 1u << to);
    t->state = to;
}

static const struct expert *expert_of(const struct attempt *t)
{
    return asking_expert(t->asking, t->candidate);
}

static uint64_t now_ms(const struct attempt *t)
{
    return asking_now_ms(t->asking);
}

void attempt_init(struct attempt *t, struct asking *a, const struct attempt_owner *owner,
                  size_t held_bytes_max)
{
    *t = (struct attempt){.asking = a, .owner = owner};
    held_events_init(&t->held, held_bytes_max);
}

void attempt_done(struct attempt *t)
{
    if (!t->asking)
        return;
    gate_leave(&t->ticket, now_ms(t), t->done_mark ? HEALTH_GOOD : HEALTH_NONE, HEALTH_NO_HOLD, -1);
    if (t->call)
        expert_call_cancel(t->call);
    t->call = NULL;
    scheduler_timer_free(t->timer);
    t->timer = NULL;
    held_events_done(&t->held);
}

bool attempt_is_open(const struct attempt *t)
{
    return t->state != ATTEMPT_IDLE && t->state != ATTEMPT_ENDED;
}

void attempt_reset(struct attempt *t, size_t candidate)
{
    CHECK(!t->call && t->ticket.place == GATE_NOWHERE && !attempt_is_open(t));
    if (t->state == ATTEMPT_ENDED)
        move(t, ATTEMPT_IDLE);
    t->candidate = candidate;
    t->tries = 0;
    t->is_hedge = t->live = t->done_mark = false;
    t->cost = (struct cost){.basis = COST_USAGE};
    held_events_clear(&t->held);
}

void attempt_again(struct attempt *t)
{
    CHECK(!t->call && t->ticket.place == GATE_NOWHERE && t->state == ATTEMPT_ENDED);
    move(t, ATTEMPT_IDLE);
}

/* Money */

void attempt_note(struct attempt *t, enum call_outcome outcome, const struct expert_answer *answer)
{
    struct cost cost = t->cost;
    if (t->tries == 0)
        return;
    if (answer) {
        const struct cost last = cost_of_answer(expert_of(t), answer, t->asking->o.input_tokens);
        cost_add(&cost, &last);
    }
    const struct asking_paid paid = {.candidate = t->candidate,
                                     .outcome = outcome,
                                     .cost = cost,
                                     .asked_ms = t->asked_ms,
                                     .ended_ms = now_ms(t),
                                     .hedge = t->is_hedge};
    if (outcome != CALL_FAILED)
        gate_took(asking_candidate_of(t->asking, t->candidate)->gate, paid.ended_ms,
                  paid.ended_ms - paid.asked_ms, outcome == CALL_CANCELLED);
    t->tries = 0;
    t->cost = (struct cost){.basis = COST_USAGE};
    asking_pay(t->asking, &paid);
}

/* Leaving the gate */

/* What the call really took of the expert's token rate; -1: as predicted. */
static int64_t rate_tokens(const struct attempt *t, enum status status,
                           const struct expert_answer *answer, bool sent)
{
    if (answer->usage.known) {
        const struct cost cost = cost_of_answer(expert_of(t), answer, t->asking->o.input_tokens);
        return cost.tokens.input + cost.tokens.output;
    }
    return status != OK && (!sent || answer->http_status >= 400) ? 0 : -1;
}

/* A call has ended: its place is free, its expert's health told. */
static void leave(struct attempt *t, enum status status, const struct expert_answer *answer,
                  bool sent)
{
    struct health_hold hold;
    enum health_outcome outcome = gate_judge(status, answer, &hold);
    if (answer->reason == RETRY_NO_MODEL)
        log_event(LOG_WARN, "the expert does not have its upstream_model", "req=%s expert=%s",
                  t->asking->o.id, gate_name(t->ticket.gate));
    gate_leave(&t->ticket, now_ms(t), outcome, hold, rate_tokens(t, status, answer, sent));
}

void attempt_stop(struct attempt *t, enum call_outcome outcome)
{
    struct expert_call *call = t->call;
    if (!attempt_is_open(t))
        return;
    if (t->timer)
        scheduler_timer_stop(t->timer);
    bool sent = call && expert_call_sent(call);
    attempt_note(t, outcome, sent ? expert_call_answer(call) : NULL);
    gate_leave(&t->ticket, now_ms(t), t->done_mark ? HEALTH_GOOD : HEALTH_NONE, HEALTH_NO_HOLD,
               sent ? -1 : 0);
    t->call = NULL;
    move(t, ATTEMPT_ENDED);
    if (call)
        expert_call_cancel(call);
}

/* Events */

static void tell(struct attempt *t, const struct expert_event *event)
{
    t->asking->o.ops->on_event(t->asking->o.user, event);
}

void attempt_go_live(struct attempt *t)
{
    struct expert_event event;
    struct openai_reply reply;
    CHECK(!t->live && (t->call || t->state == ATTEMPT_ENDED));
    t->live = true;
    t->asking->told = t;
    for (size_t at = 0; held_events_next(&t->held, &at, &event, &reply);)
        tell(t, &event);
    held_events_clear(&t->held);
    gate_prove(&t->ticket, now_ms(t));
}

/* Every stream has an event or two before its first content: reading them twice would cost a percent of a request.
 * Those with content are held only where an answer is compared with others, and may be many. */
static bool keeps_reply(const struct attempt *t, const struct expert_event *event)
{
    return t->native || (event->reply && !event->reply->has_content);
}

static void on_event(struct expert_call *call, const struct expert_event *event)
{
    struct attempt *t = expert_call_user(call);
    if (t->done_mark)
        return;
    t->done_mark = event->done;
    if (!t->live && (event->done || (event->reply && event->reply->has_content)))
        t->owner->on_content(t);
    if (t->live)
        tell(t, event);
    else if (t->call == call)
        held_events_add(&t->held, event, keeps_reply(t, event));
}

static void on_linger_over(struct attempt *t)
{
    const struct expert_answer *answer = expert_call_answer(t->call);
    leave(t, OK, answer, true);
    t->owner->on_answered(t, answer);
}

static void on_timer(void *arg)
{
    struct attempt *t = arg;
    if (t->state == ATTEMPT_LINGERING)
        on_linger_over(t);
    else if (!COUNT_IF(t->state != ATTEMPT_PAUSED))
        t->owner->on_pause_over(t);
}

bool attempt_needs_timer(struct attempt *t)
{
    if (!t->timer)
        t->timer = scheduler_timer_create(t->asking->o.context->scheduler, on_timer, t);
    return t->timer;
}

static void on_flush(struct expert_call *call)
{
    struct attempt *t = expert_call_user(call);
    if (COUNT_IF(t->call != call))
        return;
    if (!t->live)
        t->owner->on_held(t); /* which may end it */
    if (!t->live || t->call != call)
        return;
    t->asking->o.ops->on_flush(t->asking->o.user);
    if (t->done_mark && t->state == ATTEMPT_CALLING && attempt_needs_timer(t)) {
        move(t, ATTEMPT_LINGERING);
        scheduler_timer_start(t->timer, ASKING_LINGER_MS);
    }
}

/* Tries */

/* What is left of the expert's total time for another try; 0: all of it, or there is no limit. */
static uint32_t time_left_ms(const struct attempt *t)
{
    uint32_t total = expert_of(t)->total_timeout_ms;
    uint64_t spent = now_ms(t) - t->asked_ms;
    if (total == 0 || spent == 0)
        return 0;
    return spent < total ? total - (uint32_t)spent : 1;
}

/* Earlier tries and the line may have used it up. */
static bool has_time(const struct attempt *t)
{
    uint32_t total = expert_of(t)->total_timeout_ms;
    return t->tries == 0 || total == 0 || now_ms(t) - t->asked_ms < total;
}

/* Whether and when to ask the same expert again after a failed try. */
static bool is_worth_another(const struct attempt *t, const struct expert_answer *answer,
                             uint64_t *ret_wait_ms)
{
    const struct asking *a = t->asking;
    const struct expert *expert = expert_of(t);
    bool backed_up = false;
    if (t->live || !t->owner->may_try_again(t, &backed_up))
        return false;
    uint64_t now = now_ms(t), until = 0, wait = retry_backoff_ms(t->tries - 1, a->o.context->rng);
    backed_up = backed_up || asking_next(a, t->candidate) != SIZE_MAX;
    if (answer->retry_after_ms > wait)
        wait = answer->retry_after_ms;
    *ret_wait_ms = wait;
    if (a->calls >= ASKING_CALLS_MAX || answer->retry != EXPERT_RETRY_SAME ||
        t->tries > expert->retries || wait > (backed_up ? ASKING_WAIT_MAX_MS : ASKING_WAIT_LAST_MS))
        return false;
    if (expert->total_timeout_ms && now + wait - t->asked_ms >= expert->total_timeout_ms)
        return false;
    struct gate *gate = asking_candidate_of(a, t->candidate)->gate;
    return !gate_barred(gate, now, &until) || until <= now + wait ||
           (!backed_up && gate_cools(gate, now, now, &until)); /* in line, then */
}

void attempt_pause(struct attempt *t, uint64_t wait_ms)
{
    CHECK(t->timer);
    move(t, ATTEMPT_PAUSED);
    scheduler_timer_start(t->timer, wait_ms);
}

static void fail(struct attempt *t, const struct attempt_failure *failure)
{
    move(t, ATTEMPT_ENDED);
    failures_note(t->asking, t, failure);
    t->owner->on_failed(t, failure);
}

/* What came, in one piece, may be no answer to what was asked. */
static enum status judge(struct attempt *t, struct expert_answer *answer, struct error *err)
{
    const struct asking_options *o = &t->asking->o;
    enum status status = o->ops->accept ? o->ops->accept(o->user, answer, err) : OK;
    if (status != OK)
        answer->retry = EXPERT_RETRY_NEXT;
    return status;
}

/* The call goes by itself when this returns. */
static void on_done(struct expert_call *call, enum status status, const struct error *err)
{
    struct attempt *t = expert_call_user(call);
    struct expert_answer answer = *expert_call_answer(call);
    struct error odd = {0};
    uint64_t wait_ms = 0;
    bool sent = expert_call_sent(call);
    if (status == OK && (status = judge(t, &answer, &odd)) != OK)
        err = &odd;
    t->call = NULL;
    leave(t, status, &answer, sent);
    if (t->state == ATTEMPT_LINGERING)
        scheduler_timer_stop(t->timer);
    if (status == OK) {
        move(t, ATTEMPT_ENDED);
        t->owner->on_answered(t, &answer);
        return;
    }
    if (!t->live) {
        const struct cost cost =
            cost_of_failure(expert_of(t), &answer, t->asking->o.input_tokens, sent);
        cost_add(&t->cost, &cost);
    }
    if (is_worth_another(t, &answer, &wait_ms) && attempt_needs_timer(t)) {
        attempt_pause(t, wait_ms);
        asking_log_retry(t->asking, t->candidate, t->candidate, err, wait_ms);
        return;
    }
    const struct attempt_failure failure = {status, err, &answer, false};
    fail(t, &failure);
}

/* Calls */

/* The longest answer that the request may pay for; 0: no limit of ours. */
static enum status find_output_limit(const struct attempt *t, int64_t *ret, struct error *err)
{
    const struct asking *a = t->asking;
    int64_t limit = INT64_MAX;
    if (a->o.ops->output_limit) {
        int64_t others = asking_cost_of(a->paid, a->paid_count).nano_usd + hedge_reserved(a, t);
        limit = a->o.ops->output_limit(a->o.user, t->candidate, others, t->cost.nano_usd);
    }
    if (limit == 0)
        return error_set(err, ERR_BUDGET,
                         "what failed tries have cost leaves no answer within max_cost");
    *ret = limit == INT64_MAX ? 0 : limit;
    return OK;
}

static struct transport *transport_of(const struct asking_context *c, const struct expert *e)
{
    return e->dialect->in_process ? c->in_process : c->transport;
}

/* One piece: in this order each step may refuse, and the call's options are what the steps before it have found. */
static enum status start_call(struct attempt *t, struct error *err)
{
    const struct asking_options *o = &t->asking->o;
    int64_t limit = 0;
    enum status status = o->ops->may_ask ? o->ops->may_ask(o->user, t->candidate, err) : OK;
    if (status == OK)
        status = find_output_limit(t, &limit, err);
    if (status != OK)
        return status;
    held_events_clear(&t->held);
    t->done_mark = false;
    struct expert_call_options call = {
        .expert = expert_of(t),
        .output_limit = limit,
        .stream = o->stream,
        .total_timeout_ms = time_left_ms(t),
        .wall_ms = o->context->wall_ms,
        .user = t,
        .on_event = on_event,
        .on_flush = on_flush,
        .on_done = on_done,
    };
    status = o->ops->fill(o->user, t->candidate, t->is_read, &call, err);
    if (status != OK)
        return status;
    t->native = call.native;
    struct transport *by = transport_of(o->context, call.expert);
    if (!by)
        return error_set(err, ERR_UPSTREAM, "expert %.*s: no model runs in this process",
                         STR_FMT(call.expert->name));
    status = expert_call_start(by, &call, &t->call, err);
    if (status == OK)
        t->lost = expert_call_answer(t->call)->lost;
    return status;
}

/* With a place at the candidate's. One piece, because a try that is late, one that cannot be paid and one that cannot
 * be started all give the place back and end alike. */
static void begin_try(struct attempt *t)
{
    static const struct expert_answer late = {.retry = EXPERT_RETRY_NEXT};
    struct attempt_failure failure = {.answer = &asking_no_answer, .unasked = true};
    struct error err = {0};
    bool in_time = has_time(t);
    move(t, ATTEMPT_CALLING);
    if (!in_time) {
        failure.answer = &late;
        failure.status =
            error_set(&err, ERR_TIMEOUT, "expert %.*s: its time was over before its next try",
                      STR_FMT(expert_of(t)->name));
    } else {
        if (t->tries == 0)
            t->asked_ms = now_ms(t);
        t->tries++;
        t->waiting_since_ms = 0;
        t->asking->calls++;
        failure.status = start_call(t, &err);
    }
    if (failure.status == OK)
        return;
    failure.err = &err;
    gate_leave(&t->ticket, now_ms(t), HEALTH_NONE, HEALTH_NO_HOLD, 0);
    fail(t, &failure);
}

static void on_turn(void *arg, enum gate_verdict verdict)
{
    struct attempt *t = arg;
    CHECK(t->state == ATTEMPT_QUEUED && verdict != GATE_WAIT);
    if (verdict == GATE_GO) {
        begin_try(t);
        return;
    }
    move(t, ATTEMPT_ENDED);
    t->owner->on_closed(t, verdict);
}

enum gate_verdict attempt_enter(struct attempt *t, bool may_wait, bool may_cool)
{
    if (t->waiting_since_ms == 0)
        t->waiting_since_ms = now_ms(t);
    const struct asking_candidate *c = asking_candidate_of(t->asking, t->candidate);
    const struct gate_ask ask = {.wakes = t->asking->o.context->wakes,
                                 .now_ms = now_ms(t),
                                 .tokens = c->rate_tokens,
                                 .may_wait = may_wait,
                                 .may_cool = may_cool,
                                 .since_ms = t->waiting_since_ms,
                                 .on_turn = on_turn,
                                 .arg = t};
    enum gate_verdict verdict = gate_enter(c->gate, &t->ticket, &ask);
    if (verdict == GATE_GO)
        begin_try(t);
    else
        move(t, verdict == GATE_WAIT ? ATTEMPT_QUEUED : ATTEMPT_ENDED);
    return verdict;
}
