/* The second call and its way to become the first: see asking_int.h. Whatever goes wrong with it is no failure of the
 * request: it is an extra, and is dropped. Runs on the thread of the asking's scheduler. Once it is the main attempt,
 * nothing here knows it any more; until then no other file may touch it, and it is asked about by hedge_stop and
 * hedge_take_over alone. */
#include "ask/asking_int.h"

#include "base/check.h"
#include "base/log.h"

static void disarm(struct asking *a)
{
    scheduler_timer_free(a->hedge_timer);
    a->hedge_timer = NULL;
}

void hedge_stop(struct asking *a)
{
    struct attempt *h = a->hedge;
    disarm(a);
    a->hedge = NULL;
    if (!h)
        return;
    h->is_hedge = true;
    attempt_stop(h, CALL_CANCELLED);
}

int64_t hedge_reserved(const struct asking *a, const struct attempt *t)
{
    bool is_hedge = t != a->main && !a->run;
    if (a->reserved_nano_usd > 0 && is_hedge) /* what the other has cost when this one wins */
        return asking_input_cost(a, a->main->candidate);
    return a->reserved_nano_usd;
}

/* Taking over */

bool hedge_take_over(struct asking *a)
{
    struct attempt *h = a->hedge;
    if (!h)
        return false;
    disarm(a);
    a->hedge = NULL;
    fallback_adopt(a, h);
    return true;
}

/* The hedge has content, and the main call has none: that one is cancelled, be it running, in line or pausing. */
static void win(struct attempt *h)
{
    struct asking *a = h->asking;
    struct attempt *slower = a->main;
    a->passed[slower->candidate] = "slower than another";
    attempt_stop(slower, slower->call ? CALL_CANCELLED : CALL_FAILED);
    log_event(LOG_INFO, "hedge won", "req=%s expert=%.*s instead_of=%.*s", a->o.id,
              STR_FMT(asking_expert(a, h->candidate)->name),
              STR_FMT(asking_expert(a, slower->candidate)->name));
    CHECK(hedge_take_over(a));
}

/* Callbacks, until it is the main attempt */

static void on_closed(struct attempt *h, enum gate_verdict verdict)
{
    (void)h, (void)verdict;
    CHECK(false); /* it never waits in line */
}

static void on_pause_over(struct attempt *h)
{
    (void)h;
    CHECK(false); /* it is not tried again */
}

static void on_content(struct attempt *h)
{
    win(h);
    attempt_go_live(h);
}

/* Too much before its first content: what was not held cannot be told any more. */
static void on_held(struct attempt *h)
{
    if (h->held.bytes.status != OK)
        hedge_stop(h->asking);
}

static bool may_try_again(const struct attempt *h, bool *ret_backed_up)
{
    (void)h, (void)ret_backed_up;
    return false;
}

static void on_failed(struct attempt *h, const struct attempt_failure *f)
{
    struct asking *a = h->asking;
    if (f->unasked) {
        h->tries = 0;
        a->calls--;
        return;
    }
    a->passed[h->candidate] = "failed";
    h->is_hedge = true;
    attempt_note(h, CALL_FAILED, NULL);
    disarm(a);
    a->hedge = NULL;
}

/* In one piece, or a stream without content. */
static void on_answered(struct attempt *h, const struct expert_answer *answer)
{
    win(h);
    h->owner->on_answered(h, answer);
}

static const struct attempt_owner hedge_owner = {
    .on_closed = on_closed,
    .on_pause_over = on_pause_over,
    .on_content = on_content,
    .on_held = on_held,
    .may_try_again = may_try_again,
    .on_failed = on_failed,
    .on_answered = on_answered,
};

/* Beginning */

/* The next best of those which have a place at once, and whose input costs no more than was kept back for it. True: its
 * call runs. */
static bool begin_one(struct asking *a, struct attempt *h)
{
    uint64_t until = 0;
    for (size_t i = 0; i < a->o.count; i++) {
        struct gate *gate = asking_candidate_of(a, i)->gate;
        if (a->passed[i] || i == a->main->candidate || gate_barred(gate, asking_now_ms(a), &until))
            continue;
        if (a->reserved_nano_usd > 0 && asking_input_cost(a, i) > a->reserved_nano_usd)
            continue;
        attempt_reset(h, i);
        if (attempt_enter(h, false, false) == GATE_GO)
            return attempt_is_open(h);
    }
    return false;
}

static void on_timer(void *arg)
{
    struct asking *a = arg;
    struct attempt *h = &a->attempts[1];
    CHECK(!a->hedge && a->main != h);
    if (a->main->live || a->calls >= ASKING_CALLS_MAX || !begin_one(a, h))
        return;
    a->hedge = h;
    log_event(LOG_INFO, "hedge", "req=%s waiting_for=%.*s asked=%.*s", a->o.id,
              STR_FMT(asking_expert(a, a->main->candidate)->name),
              STR_FMT(asking_expert(a, h->candidate)->name));
}

static int64_t limit_of_first(const struct asking *a, int64_t others_nano_usd)
{
    return a->o.ops->output_limit ? a->o.ops->output_limit(a->o.user, 0, others_nano_usd, 0)
                                  : INT64_MAX;
}

/* With a cost limit: kept back for the input of the second, as long as the first can still say what it is expected to.
 * */
static bool keep_back(struct asking *a)
{
    if (limit_of_first(a, 0) == INT64_MAX)
        return true;
    int64_t reserve = asking_input_cost(a, 1);
    if (limit_of_first(a, reserve) < asking_candidate_of(a, 0)->output_tokens + 1)
        return false;
    a->reserved_nano_usd = reserve > 0 ? reserve : 1;
    return true;
}

void hedge_arm(struct asking *a)
{
    if (a->o.hedge_after_ms == 0 || a->o.count < 2 || !keep_back(a))
        return;
    attempt_init(&a->attempts[1], a, &hedge_owner, ASKING_HELD_BYTES_MAX);
    if (!attempt_needs_timer(&a->attempts[1])) /* as the main attempt it may have to pause */
        return;                                /* the request itself goes on */
    a->hedge_timer = scheduler_timer_create(a->o.context->scheduler, on_timer, a);
    if (a->hedge_timer)
        scheduler_timer_start(a->hedge_timer, a->o.hedge_after_ms);
}
