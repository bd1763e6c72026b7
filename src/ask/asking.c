/* What an asking is made of, what it has paid, and how it ends. Everything runs on the thread of its scheduler; its
 * memory is the caller's arena. asking_finish is the last thing that may be done with an asking: the user's on_done may
 * release it. Whom to ask next is not decided here, but in fallback.c, hedge.c and plan_run.c; those call into here,
 * never the other way round, but for starting and ending them. */
#include "ask/asking_int.h"

#include "base/check.h"
#include "base/count_if.h"
#include "base/log.h"

const struct expert_answer asking_no_answer = {.retry = EXPERT_RETRY_NEVER};

uint64_t asking_now_ms(const struct asking *a)
{
    return scheduler_now_ms(a->o.context->scheduler);
}

const struct asking_candidate *asking_candidate_of(const struct asking *a, size_t candidate)
{
    CHECK(candidate < a->o.count);
    return &a->o.candidates[candidate];
}

const struct expert *asking_expert(const struct asking *a, size_t candidate)
{
    return asking_candidate_of(a, candidate)->expert;
}

size_t asking_next(const struct asking *a, size_t but)
{
    uint64_t until = 0, now = asking_now_ms(a);
    for (size_t i = 0; i < a->o.count; i++)
        if (!a->passed[i] && i != but && !gate_barred(a->o.candidates[i].gate, now, &until))
            return i;
    return SIZE_MAX;
}

size_t asking_next_cooling(const struct asking *a)
{
    uint64_t until = 0, soonest = UINT64_MAX, now = asking_now_ms(a);
    uint64_t since = a->main->waiting_since_ms ? a->main->waiting_since_ms : now;
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < a->o.count && !a->in_hurry; i++) {
        if (a->passed[i] || !gate_cools(a->o.candidates[i].gate, now, since, &until) ||
            until >= soonest)
            continue;
        soonest = until;
        next = i;
    }
    return next;
}

bool asking_is_closed(const struct asking *a)
{
    uint64_t until = 0, now = asking_now_ms(a);
    for (size_t i = 0; i < a->o.count; i++)
        if (!gate_barred(a->o.candidates[i].gate, now, &until))
            return false;
    return true;
}

int64_t asking_input_cost(const struct asking *a, size_t candidate)
{
    const struct asking_candidate *c = asking_candidate_of(a, candidate);
    return price_cost_nano_usd(&c->expert->price, c->input_tokens, 0);
}

/* Making and ending */

enum status asking_create(const struct asking_options *o, struct asking **ret, struct error *err)
{
    CHECK(o->count > 0 && o->ops->fill && o->ops->on_done);
    CHECK(!o->stream || (o->ops->on_event && o->ops->on_flush));
    struct asking *a = ARENA_NEW(o->arena, struct asking);
    const char **passed = ARENA_ARRAY(o->arena, o->count, const char *);
    if (!a || !passed)
        return error_set(err, ERR_MEMORY, "out of memory for a request");
    a->o = *o;
    a->passed = passed;
    fallback_init(a);
    enum status status = OK;
    if (!attempt_needs_timer(a->main))
        status = error_set(err, ERR_MEMORY, "out of memory for a timer");
    if (status == OK && o->plan)
        status = plan_run_create(a, err);
    if (status != OK) {
        asking_release(a);
        return status;
    }
    *ret = a;
    return OK;
}

static bool waits_for_first(const struct asking *a)
{
    uint64_t until = 0, now = asking_now_ms(a);
    return a->o.waits_for_first && gate_cools(a->o.candidates[0].gate, now, now, &until) &&
           until - now <= ASKING_WAIT_MAX_MS;
}

void asking_start(struct asking *a)
{
    CHECK(a->calls == 0 && !a->over);
    if (a->run) {
        plan_run_start(a);
    } else {
        hedge_arm(a);
        a->may_cool = waits_for_first(a);
        fallback_ask(a, 0);
    }
}

void asking_cancel(struct asking *a)
{
    CHECK(!a->over);
    if (a->run)
        plan_run_cancel(a);
    hedge_stop(a);
    /* Who has told all has answered, though the end of its transfer is not there yet. */
    attempt_stop(a->main, a->main->done_mark ? CALL_ANSWERED : CALL_CANCELLED);
    a->over = true;
}

void asking_release(struct asking *a)
{
    if (!a)
        return;
    hedge_stop(a);
    attempt_done(&a->attempts[0]);
    attempt_done(&a->attempts[1]);
    plan_run_done(a);
    a->over = true;
}

void asking_finish(struct asking *a, enum status status, const struct error *err,
                   const struct expert_answer *answer)
{
    const struct asking_end end = {status, err, answer};
    CHECK(!a->over && answer && (status == OK || err));
    a->over = true;
    a->o.ops->on_done(a->o.user, &end);
}

void asking_pause(struct asking *a)
{
    if (a->main->call)
        expert_call_pause(a->main->call);
}

void asking_resume(struct asking *a)
{
    if (a->main->call)
        expert_call_resume(a->main->call);
}

/* What is told of it */

void asking_log_retry(struct asking *a, size_t from, size_t next, const struct error *err,
                      uint64_t wait_ms)
{
    char quoted[320];
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_WARN, "retry", "req=%s failed=%.*s next=%.*s attempts=%u wait_ms=%llu error=%s",
              a->o.id, STR_FMT(asking_expert(a, from)->name), STR_FMT(asking_expert(a, next)->name),
              a->calls, (unsigned long long)wait_ms, quoted);
    if (a->o.ops->on_retry)
        a->o.ops->on_retry(a->o.user, from, next);
}

void asking_pay(struct asking *a, const struct asking_paid *paid)
{
    if (COUNT_IF(a->paid_count == ASKING_PAID_MAX))
        return;
    a->paid[a->paid_count++] = *paid;
    if (a->o.ops->on_paid)
        a->o.ops->on_paid(a->o.user, paid);
}

size_t asking_candidate_at(const struct asking *a)
{
    return a->standing;
}

bool asking_is_native(const struct asking *a)
{
    return a->told && a->told->native;
}

const struct dropped *asking_lost(const struct asking *a)
{
    static const struct dropped nothing;
    return a->told ? &a->told->lost : &nothing;
}

unsigned asking_calls(const struct asking *a)
{
    return a->calls;
}

const struct asking_paid *asking_paid(const struct asking *a, size_t *ret_count)
{
    *ret_count = a->paid_count;
    return a->paid;
}

size_t asking_paid_until_now(const struct asking *a, struct asking_paid *into)
{
    const struct attempt *t = a->main;
    size_t count = a->paid_count;
    for (size_t i = 0; i < count; i++)
        into[i] = a->paid[i];
    if (!t->call || t->tries == 0)
        return count;
    struct cost cost = t->cost;
    const struct cost running = cost_of_answer(asking_expert(a, t->candidate),
                                               expert_call_answer(t->call), a->o.input_tokens);
    cost_add(&cost, &running);
    into[count++] = (struct asking_paid){.candidate = t->candidate,
                                         .outcome = CALL_ANSWERED,
                                         .cost = cost,
                                         .asked_ms = t->asked_ms,
                                         .ended_ms = asking_now_ms(a),
                                         .hedge = t->is_hedge};
    return count;
}

struct cost asking_cost_failed(const struct asking *a)
{
    return a->main->cost;
}

struct cost asking_cost_of(const struct asking_paid *paid, size_t count)
{
    struct cost sum = {.basis = COST_USAGE};
    bool counted = false;
    for (size_t i = 0; i < count; i++) {
        if (paid[i].outcome != CALL_ANSWERED && paid[i].cost.nano_usd == 0)
            continue;
        cost_add(&sum, &paid[i].cost);
        counted = true;
    }
    if (!counted)
        sum.basis = COST_ESTIMATED;
    return sum;
}
