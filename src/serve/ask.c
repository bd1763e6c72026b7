/* Whom to ask, how often, and when to stop: from the decision to the first byte. A candidate is asked once its gate
 * lets us in; one that failed is asked again, or the next best is, and while nobody has begun to answer a second one
 * may be asked beside it (serve/hedge.h). */
#include "serve/ask.h"

#include <string.h>

#include "base/log.h"
#include "serve/hedge.h"
#include "serve/metrics.h"
#include "serve/plan_run.h"

#define WHY_BYTES_MAX 240

static const char failed[] = "failed", member[] = "a member of the plan";
static const struct expert_answer nothing = {0};

static uint64_t now_ms(const struct chat *c)
{
    return loop_now_ms(c->worker->loop);
}

/* Candidates */

enum status ask_prepare(struct chat *c, struct error *err)
{
    size_t count = c->choice.order_count;
    c->passed = ARENA_ARRAY(c->x->arena, count, const char *);
    if (!c->passed)
        return error_set(err, ERR_MEMORY, "out of memory for a request");
    size_t members = pool_arm_at(c->snapshot->pool, c->choice.decision.arm)->member_count;
    for (size_t i = 0; members > 1 && i < members; i++)
        c->passed[i] = member;
    return OK;
}

struct gate *ask_gate(const struct chat *c, size_t candidate)
{
    return c->snapshot->gates[c->choice.order[candidate]];
}

size_t ask_next(const struct chat *c)
{
    uint64_t until;
    for (size_t i = 0; i < c->choice.order_count; i++)
        if (!c->passed[i] && i != c->candidate && !gate_barred(ask_gate(c, i), now_ms(c), &until))
            return i;
    return SIZE_MAX;
}

struct gate_ask ask_terms(const struct chat *c, size_t candidate)
{
    const struct estimate *e = &c->choice.estimates[c->choice.order[candidate]];
    return (struct gate_ask){.wakes = &c->worker->wakes,
                             .now_ms = now_ms(c),
                             .tokens = (int64_t)e->input_tokens + (int64_t)e->output_tokens};
}

void ask_leave(const struct chat *c, struct gate_ticket *t, enum status status,
               const struct expert_answer *answer, bool sent)
{
    uint64_t hold_ms = 0;
    enum health_outcome outcome = gate_judge(status, answer, &hold_ms);
    int64_t tokens = -1;
    if (answer->usage.known)
        tokens = answer->usage.input_tokens + answer->usage.output_tokens;
    else if (status != OK && (!sent || answer->http_status >= 400))
        tokens = 0;
    if (answer->reason == RETRY_NO_MODEL)
        log_event(LOG_WARN, "the expert does not have its upstream_model", "req=%s expert=%s",
                  c->id, gate_name(t->gate));
    gate_leave(t, now_ms(c), outcome, hold_ms, tokens);
}

bool ask_has_time(const struct chat *c, const struct expert *expert, unsigned tries,
                  uint64_t asked_ms, struct error *err)
{
    if (tries == 0 || expert->total_timeout_ms == 0 ||
        now_ms(c) - asked_ms < expert->total_timeout_ms)
        return true;
    error_set(err, ERR_TIMEOUT, "expert %.*s: its time was over before its next try",
              STR_FMT(expert->name));
    return false;
}

uint32_t ask_time_left_ms(const struct chat *c, const struct expert *expert, uint64_t asked_ms)
{
    uint64_t spent = now_ms(c) - asked_ms;
    if (expert->total_timeout_ms == 0 || spent == 0)
        return 0;
    return spent < expert->total_timeout_ms ? expert->total_timeout_ms - (uint32_t)spent : 1;
}

bool ask_again(struct chat *c, const struct ask_try *t, const struct expert_answer *answer,
               uint64_t *ret_wait_ms)
{
    size_t index = c->choice.order[t->candidate];
    const struct expert *expert = &c->snapshot->config->experts[index];
    uint64_t now = now_ms(c), until = 0, wait = retry_backoff_ms(t->tries - 1, &c->worker->rng);
    bool another = t->rescued || ask_next(c) != SIZE_MAX;
    if (answer->retry_after_ms > wait)
        wait = answer->retry_after_ms;
    *ret_wait_ms = wait;
    if (c->attempts >= CHAT_ATTEMPTS_MAX || answer->retry != EXPERT_RETRY_SAME ||
        t->tries > expert->retries || wait > (another ? CHAT_WAIT_MAX_MS : CHAT_WAIT_LAST_MS))
        return false;
    if (expert->total_timeout_ms && now + wait - t->asked_ms >= expert->total_timeout_ms)
        return false;
    return !gate_barred(ask_gate(c, t->candidate), now, &until) || until <= now + wait;
}

void ask_log_retry(const struct chat *c, const struct expert *from, const struct expert *next,
                   const struct error *err, uint64_t wait_ms)
{
    char quoted[320];
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_WARN, "retry", "req=%s failed=%.*s next=%.*s attempts=%u wait_ms=%llu error=%s",
              c->id, STR_FMT(from->name), STR_FMT(next->name), c->attempts,
              (unsigned long long)wait_ms, quoted);
    metrics_retried(c->worker->metrics, from->name, from == next);
}

/* Nobody is left who could be asked now */

/* `cheap: circuit open; mid: its queue is full`; the soonest time at which one of them is worth another try, and
 * whether one of them is well and merely has too much to do. */
static void list_closed_doors(const struct chat *c, struct buf *why, uint64_t *ret_soonest,
                              bool *ret_busy)
{
    uint64_t soonest = c->soonest_ms ? c->soonest_ms : UINT64_MAX;
    bool busy = false;
    for (size_t i = 0; i < c->choice.order_count; i++) {
        uint64_t until = UINT64_MAX;
        const char *barred = gate_barred(ask_gate(c, i), now_ms(c), &until);
        const char *says = barred ? barred : c->passed[i];
        if (!says || says == member)
            continue;
        struct gate_reading r;
        gate_read(ask_gate(c, i), now_ms(c), &r);
        busy |= r.state == HEALTH_CLOSED && says != failed;
        soonest = until < soonest ? until : soonest;
        buf_addf(why, "%s%.*s: %s", why->len ? "; " : "",
                 STR_FMT(c->snapshot->config->experts[c->choice.order[i]].name), says);
    }
    *ret_soonest = soonest;
    *ret_busy = busy;
}

void ask_refuse(struct chat *c)
{
    struct buf why;
    struct error err;
    uint64_t soonest = 0, now = now_ms(c);
    bool busy = false;
    buf_init(&why, WHY_BYTES_MAX);
    list_closed_doors(c, &why, &soonest, &busy);
    error_set(&err, ERR_OVERLOAD, "no expert can be asked now (%s%s)", why.ptr ? why.ptr : "",
              why.status == OK ? "" : "; ...");
    buf_done(&why);
    const struct expert_answer answer = {
        .http_status = busy ? 429 : 0, /* 0: the status's own, 503 */
        .retry_after_ms = soonest > now && soonest != UINT64_MAX ? soonest - now : GATE_RETRY_MS};
    relay_fail(c, ERR_OVERLOAD, &err, &answer);
}

/* Calls */

static void seek(struct chat *c);

static void wait_for(struct chat *c, uint64_t wait_ms)
{
    c->phase = CHAT_WAITING;
    loop_timer_start(c->timer, wait_ms);
}

static void choose(struct chat *c, size_t candidate)
{
    c->candidate = candidate;
    c->tries = 0;
    c->is_hedge = false;
}

/* The candidate will not be asked again. */
static void give_up(struct chat *c, enum status status, const struct error *err,
                    const struct expert_answer *answer)
{
    const struct expert *from = chat_expert(c);
    bool may_go_on = !c->started && answer->retry != EXPERT_RETRY_NEVER;
    c->passed[c->candidate] = failed;
    chat_note_candidate(c, CALL_FAILED, c->started ? answer : NULL);
    c->tries = 0;
    if (!c->started && c->run && plan_run_rescue(c))
        return;
    if (may_go_on && hedge_take_over(c)) {
        ask_log_retry(c, from, chat_expert(c), err, 0);
        return;
    }
    size_t next = may_go_on && c->attempts < CHAT_ATTEMPTS_MAX ? ask_next(c) : SIZE_MAX;
    hedge_stop(c);
    if (next == SIZE_MAX) {
        relay_fail(c, status, err, answer);
        return;
    }
    choose(c, next);
    ask_log_retry(c, from, chat_expert(c), err, 0);
    wait_for(c, 0);
}

void ask_done(struct expert_call *call, enum status status, const struct error *err)
{
    struct chat *c = expert_call_user(call);
    const struct expert_answer *answer = expert_call_answer(call);
    const struct ask_try t = {c->candidate, c->tries, c->asked_ms, hedge_runs(c)};
    uint64_t wait_ms = 0;
    bool sent = expert_call_sent(call);
    c->call = NULL; /* it goes by itself when this returns */
    ask_leave(c, &c->ticket, status, answer, sent);
    if (status == OK) {
        hedge_stop(c);
        chat_note_candidate(c, CALL_ANSWERED, answer);
        relay_finish(c, answer);
        return;
    }
    if (!c->started) {
        struct cost cost = cost_of_failure(chat_expert(c), answer, c->choice.input_tokens, sent);
        cost_add(&c->failed, &cost);
    }
    if (!c->started && !t.rescued && ask_again(c, &t, answer, &wait_ms)) {
        ask_log_retry(c, chat_expert(c), chat_expert(c), err, wait_ms);
        wait_for(c, wait_ms);
    } else {
        give_up(c, status, err, answer);
    }
}

void ask_event(struct expert_call *call, const struct expert_event *event)
{
    struct chat *c = expert_call_user(call);
    relay_event(call, event);
    if (!c->has_content)
        return;
    gate_prove(&c->ticket);
    hedge_stop(c);
}

void ask_callbacks(struct chat *c, struct expert_call_options *o)
{
    o->user = c;
    o->on_event = ask_event;
    o->on_flush = relay_flush;
    o->on_done = ask_done;
}

static enum status start_call(struct chat *c, struct error *err)
{
    const struct expert *expert = chat_expert(c);
    enum status status = chat_may_ask(c, expert, err);
    if (status != OK)
        return status;
    buf_clear(&c->body);
    buf_clear(&c->out);
    c->has_content = false;
    c->native = chat_is_native(c, expert);
    status = relay_prepare(c, err);
    if (status == OK)
        status =
            chat_write_body(c, expert, c->candidate, c->native, c->failed.nano_usd, &c->body, err);
    if (status != OK)
        return status;
    struct expert_call_options o = chat_call_options(c, expert, buf_str(&c->body), c->native);
    o.total_timeout_ms = ask_time_left_ms(c, expert, c->asked_ms);
    ask_callbacks(c, &o);
    return expert_call_start(c->worker->client, &o, &c->call, err);
}

/* With a place at the candidate's. */
static void call(struct chat *c)
{
    static const struct expert_answer late = {.retry = EXPERT_RETRY_NEXT};
    struct error err = {0};
    c->phase = CHAT_CALLING;
    if (!ask_has_time(c, chat_expert(c), c->tries, c->asked_ms, &err)) {
        gate_leave(&c->ticket, now_ms(c), HEALTH_NONE, 0, 0);
        give_up(c, ERR_TIMEOUT, &err, &late);
        return;
    }
    if (c->tries == 0)
        c->asked_ms = now_ms(c);
    c->tries++;
    c->attempts++;
    enum status status = start_call(c, &err);
    if (status == OK)
        return;
    gate_leave(&c->ticket, now_ms(c), HEALTH_NONE, 0, 0);
    hedge_stop(c);
    chat_note_candidate(c, CALL_FAILED, NULL);
    relay_fail(c, status, &err, &nothing);
}

/* The candidate's door is closed. True: another is the candidate now; false: somebody answers, or nobody will. */
static bool move_on(struct chat *c, enum gate_verdict verdict)
{
    const struct expert *from = chat_expert(c);
    c->passed[c->candidate] = c->ticket.why;
    c->in_hurry |= verdict == GATE_FULL;
    if (c->soonest_ms == 0 || c->ticket.until_ms < c->soonest_ms)
        c->soonest_ms = c->ticket.until_ms;
    if (c->tries > 0)
        chat_note_candidate(c, CALL_FAILED, NULL);
    c->tries = 0;
    if (c->run && plan_run_rescue(c))
        return false;
    size_t next = ask_next(c);
    log_event(LOG_INFO, "skipped", "req=%s expert=%.*s why=\"%s\"", c->id, STR_FMT(from->name),
              c->ticket.why);
    if (hedge_take_over(c))
        return false;
    if (next == SIZE_MAX) {
        ask_refuse(c);
        return false;
    }
    choose(c, next);
    return true;
}

static void on_turn(void *arg, enum gate_verdict verdict)
{
    struct chat *c = arg;
    if (verdict == GATE_GO)
        call(c);
    else if (move_on(c, verdict))
        seek(c);
}

/* The first one in turn who has a place, or a place in line. */
static void seek(struct chat *c)
{
    enum gate_verdict verdict;
    do {
        struct gate_ask ask = ask_terms(c, c->candidate);
        ask.may_wait = !c->in_hurry;
        ask.on_turn = on_turn;
        ask.arg = c;
        verdict = gate_enter(ask_gate(c, c->candidate), &c->ticket, &ask);
        if (verdict == GATE_GO)
            call(c);
        else if (verdict == GATE_WAIT)
            c->phase = CHAT_QUEUED;
    } while (verdict != GATE_GO && verdict != GATE_WAIT && move_on(c, verdict));
}

void ask_on_timer(struct chat *c)
{
    seek(c);
}

void ask_candidate(struct chat *c, size_t candidate)
{
    choose(c, candidate);
    seek(c);
}

void ask_single(struct chat *c)
{
    hedge_arm(c);
    ask_candidate(c, 0);
}

void ask_cancel(struct chat *c)
{
    hedge_stop(c);
    if (c->tries > 0)
        chat_note_candidate(c, CALL_CANCELLED,
                            c->call && expert_call_sent(c->call) ? expert_call_answer(c->call)
                                                                 : NULL);
}
