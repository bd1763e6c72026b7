/* The state machine of a plan: see asking_int.h. Its members are attempts whose answers are read here; the verdict on
 * them is the model's, by the user's function, so that offline and online decide alike. Runs on the thread of the
 * asking's scheduler. After advance(), and after a rescue that went well, the asking may be over: nothing may touch it
 * then. Members are asked by enter() alone, which keeps a failure at once from being looked at too early. */
#include "ask/asking_int.h"

#include "base/check.h"
#include "judge/answer_text.h"

const char plan_run_member[] = "a member of the plan";

struct member {
    struct attempt attempt;
    bool answered;     /* its answer is held */
    struct str answer; /* what the judge reads in it; ptr NULL: unknown */
};

struct plan_run {
    const struct plan *plan;
    const struct query *question;
    struct plan_state state;
    struct member members[PLAN_MEMBERS_MAX];
    struct error unasked;          /* why a member could not even be asked */
    size_t latest;                 /* member that was asked last */
    struct scheduler_timer *timer; /* of the deadline; NULL: there is none */
    bool entering; /* members are being asked: whoever fails at once is looked at afterwards */
};

/* What a member's failure says to the client, where it is the last word. */
struct last_word {
    enum status status;
    const struct error *err;
    const struct expert_answer *answer;
};

static void advance(struct asking *a, const struct last_word *last_word);
static void ask_verdict(struct asking *a, struct plan_verdict *ret);

static struct plan_run *run_of(const struct attempt *t)
{
    return t->asking->run;
}

static struct member *member_of(struct attempt *t)
{
    CHECK(t->candidate < run_of(t)->plan->member_count);
    return &run_of(t)->members[t->candidate];
}

static void settle(struct attempt *t)
{
    struct plan_answer *answer = &run_of(t)->state.answers[t->candidate];
    answer->pending = false;
    answer->asked = true;
    answer->failed = !member_of(t)->answered;
}

/* Callbacks of a member */

static void on_failed(struct attempt *t, const struct attempt_failure *f)
{
    struct plan_run *r = run_of(t);
    const struct last_word last_word = {f->status, f->err, f->answer};
    if (f->unasked)
        r->unasked = *f->err;
    attempt_note(t, CALL_FAILED, NULL);
    settle(t);
    if (!r->entering)
        advance(t->asking, f->unasked ? NULL : &last_word);
}

/* One whose gate is closed has failed, and no call was made. */
static void close_member(struct attempt *t)
{
    struct asking *a = t->asking;
    a->passed[t->candidate] = t->ticket.why;
    error_set(&a->run->unasked, ERR_OVERLOAD, "expert %.*s is not asked now: %s",
              STR_FMT(asking_expert(a, t->candidate)->name), t->ticket.why);
    attempt_note(t, CALL_FAILED, NULL);
    settle(t);
}

static void on_closed(struct attempt *t, enum gate_verdict verdict)
{
    (void)verdict;
    close_member(t);
    advance(t->asking, NULL);
}

/* A failure at once is seen by looking at it afterwards, as are those of several that are asked together. */
static void enter(struct attempt *t)
{
    struct plan_run *r = run_of(t);
    r->entering = true;
    enum gate_verdict verdict = attempt_enter(t, true, asking_is_closed(t->asking));
    r->entering = false;
    if (verdict != GATE_GO && verdict != GATE_WAIT)
        close_member(t);
}

static void on_pause_over(struct attempt *t)
{
    enter(t);
    if (!attempt_is_open(t))
        advance(t->asking, NULL);
}

/* Its answer does not fit in what may be held back. */
static void fail_too_long(struct attempt *t)
{
    struct error err;
    error_set(&err, ERR_UPSTREAM, "expert %.*s sent an answer over limits.answer",
              STR_FMT(asking_expert(t->asking, t->candidate)->name));
    const struct last_word last_word = {err.status, &err, &asking_no_answer};
    settle(t);
    advance(t->asking, &last_word);
}

static void on_content(struct attempt *t)
{
    (void)t; /* all of it is held */
}

static void on_held(struct attempt *t)
{
    if (t->held.bytes.status == OK)
        return;
    attempt_stop(t, CALL_FAILED);
    fail_too_long(t);
}

static bool may_try_again(const struct attempt *t, bool *ret_backed_up)
{
    (void)t;
    *ret_backed_up = true;
    return true;
}

/* What it answers, by the rule that scored the answers in training. */
static void read_answer(struct attempt *t)
{
    struct plan_run *r = run_of(t);
    struct buf text;
    struct str answer;
    buf_init(&text, t->held.bytes.len + 1);
    if (held_events_text(&t->held, &text, NULL) == OK) {
        answer_stats(buf_str(&text), r->state.answers[t->candidate].stats);
        if (judge_answer_read(r->question, JUDGE_AUTO, buf_str(&text), &answer))
            member_of(t)->answer = arena_copy(t->asking->o.arena, answer);
    }
    buf_done(&text);
}

static void begin_check(struct attempt *t)
{
    struct plan_verdict before;
    ask_verdict(t->asking, &before);
    bool runs =
        plan_checks_begin(t->asking, t->candidate, &t->held, (double)before.trust[t->candidate]);
    run_of(t)->state.answers[t->candidate].check = runs ? PLAN_CHECKING : PLAN_CHECK_DOWN;
}

void plan_run_checked(struct asking *a, size_t candidate, enum plan_check verdict)
{
    a->run->state.answers[candidate].check = verdict;
    advance(a, NULL);
}

static void on_answered(struct attempt *t, const struct expert_answer *answer)
{
    if (!answer->streamed)
        held_events_add_body(&t->held, answer->body);
    bool fits = t->held.bytes.status == OK;
    attempt_note(t, fits ? CALL_ANSWERED : CALL_FAILED, answer);
    if (!fits) {
        fail_too_long(t);
        return;
    }
    member_of(t)->answered = true;
    run_of(t)->state.answers[t->candidate].certainty = answer->certainty;
    read_answer(t);
    settle(t);
    if (run_of(t)->plan->kind == PLAN_VERIFIED)
        begin_check(t);
    advance(t->asking, NULL);
}

static const struct attempt_owner member_owner = {
    .on_closed = on_closed,
    .on_pause_over = on_pause_over,
    .on_content = on_content,
    .on_held = on_held,
    .may_try_again = may_try_again,
    .on_failed = on_failed,
    .on_answered = on_answered,
};

/* Deciding */

/* Of words: that of the first member that says the same, else a new one; as judge/rescore.c numbers them. */
static uint16_t words_class(const struct plan_run *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (r->members[k].answer.ptr &&
            judge_answers_agree(r->members[k].answer, r->members[i].answer))
            return r->state.answers[k].answer_class;
    return (uint16_t)(QUERY_CHOICES_MAX + 1 + i);
}

/* Equal answers get equal classes: letters their number, which verdicts learn from, too. An unknown one gets 0. */
static void set_classes(struct plan_run *r)
{
    for (size_t i = 0; i < r->plan->member_count; i++) {
        struct str answer = r->members[i].answer;
        uint16_t class = 0;
        if (answer.ptr && r->question->choice_count > 0)
            class = (uint16_t)(answer.ptr[0] - 'A' + 1);
        else if (answer.ptr)
            class = words_class(r, i);
        r->state.answers[i].answer_class = class;
    }
}

static void ask_verdict(struct asking *a, struct plan_verdict *ret)
{
    uint64_t now = asking_now_ms(a), deadline = a->o.plan->deadline_ms;
    uint64_t left = deadline > now ? deadline - now : 0;
    a->run->state.left_ms = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
    set_classes(a->run);
    a->o.ops->verdict(a->o.user, &a->run->state, ret);
}

/* Whether it is known what it says; a verified plan compares no answers. */
static bool is_known(const struct plan_run *r, size_t i)
{
    return r->plan->kind == PLAN_VERIFIED || r->state.answers[i].answer_class;
}

/* The answered member that is trusted most, the first among equals; SIZE_MAX: none has answered. */
static size_t most_trusted(const struct plan_run *r, const struct plan_verdict *verdict)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < r->plan->member_count; i++) {
        if (!r->members[i].answered)
            continue;
        bool known = is_known(r, i), best_known = best != SIZE_MAX && is_known(r, best);
        if (best == SIZE_MAX || (known && !best_known) ||
            (known == best_known && verdict->trust[i] > verdict->trust[best]))
            best = i;
    }
    return best;
}

static size_t winner_of(const struct plan_run *r, const struct plan_verdict *verdict)
{
    CHECK(verdict->winner < r->plan->member_count);
    return r->members[verdict->winner].answered ? verdict->winner : most_trusted(r, verdict);
}

/* Tells what was held of the winner's answer, as if it came now. */
static void reply(struct asking *a, size_t winner)
{
    struct attempt *t = &a->run->members[winner].attempt;
    const struct held_events *held = &t->held;
    const struct expert_answer answer = {.streamed = held->streamed, .body = buf_str(&held->bytes)};
    a->standing = winner;
    if (held->streamed)
        attempt_go_live(t);
    asking_finish(a, OK, NULL, &answer);
}

bool plan_run_rescue(struct asking *a)
{
    struct plan_verdict verdict;
    ask_verdict(a, &verdict);
    size_t winner = most_trusted(a->run, &verdict);
    if (winner == SIZE_MAX)
        return false;
    reply(a, winner);
    return true;
}

static bool is_unasked(const struct plan_run *r, size_t i)
{
    return !r->state.answers[i].asked && !r->state.answers[i].pending;
}

static bool is_any_open(const struct asking *a)
{
    const struct plan_run *r = a->run;
    if (a->checks.running)
        return true;
    for (size_t i = 0; i < r->plan->member_count; i++)
        if (attempt_is_open(&r->members[i].attempt))
            return true;
    return false;
}

static void cancel_member(struct attempt *t)
{
    if (!attempt_is_open(t))
        return;
    attempt_stop(t, CALL_CANCELLED);
    settle(t);
}

/* Asks these members. True: the main call is the last one's, whose answer is told as it comes. */
static bool ask_members(struct asking *a, const struct plan_verdict *verdict)
{
    struct plan_run *r = a->run;
    for (size_t i = 0; i < r->plan->member_count; i++)
        if (!(verdict->ask >> i & 1))
            cancel_member(&r->members[i].attempt);
    for (size_t i = 0; i < r->plan->member_count; i++) {
        if (!(verdict->ask >> i & 1) || !is_unasked(r, i))
            continue;
        r->latest = i;
        r->state.answers[i].pending = true;
        if (verdict->final && a->o.stream) {
            fallback_ask(a, i);
            return true;
        }
        enter(&r->members[i].attempt);
    }
    return false;
}

static void fail_over(struct asking *a, const struct last_word *last_word)
{
    struct plan_run *r = a->run;
    size_t next = fallback_next(a, r->latest);
    bool more = next != SIZE_MAX && a->calls < ASKING_CALLS_MAX &&
                !(last_word && last_word->answer->retry == EXPERT_RETRY_NEVER);
    a->standing = r->latest;
    if (more)
        fallback_ask(a, next);
    else if (last_word)
        asking_finish(a, last_word->status, last_word->err, last_word->answer);
    else if (r->unasked.status == ERR_OVERLOAD)
        fallback_refuse(a);
    else
        asking_finish(a, r->unasked.status, &r->unasked, &asking_no_answer);
}

static bool has_passed(const struct plan_run *r, size_t winner)
{
    return winner != SIZE_MAX && r->state.answers[winner].check == PLAN_PASSED;
}

/* A strict plan without an answer that has passed. Others than its members are not asked: nobody would check them. */
static void refuse(struct asking *a, const struct last_word *last_word)
{
    struct error err;
    a->standing = a->run->latest;
    if (a->checks.count > 0) {
        plan_checks_refusal(a, &err);
        asking_finish(a, err.status, &err, &asking_no_answer);
    } else if (last_word) {
        asking_finish(a, last_word->status, last_word->err, last_word->answer);
    } else if (a->run->unasked.status == ERR_OVERLOAD) {
        fallback_refuse(a);
    } else {
        asking_finish(a, a->run->unasked.status, &a->run->unasked, &asking_no_answer);
    }
}

/* Members that may still be asked, of the verdict's; where it names none and nobody has answered, the first left. */
static uint8_t next_members(const struct plan_run *r, const struct plan_verdict *verdict,
                            size_t winner)
{
    uint8_t unasked = 0;
    for (size_t i = 0; i < r->plan->member_count; i++)
        if (is_unasked(r, i))
            unasked |= (uint8_t)(1u << i);
    if (verdict->ask & unasked)
        return verdict->ask;
    return !verdict->wait && winner == SIZE_MAX ? unasked & (uint8_t)-unasked : 0;
}

/* At the beginning, and after a member has come to its end; `last_word` is its failure's, or NULL. Whoever fails at
 * once is seen when the verdict is asked for again; each turn asks at least one that nobody was asked of before. */
static void advance(struct asking *a, const struct last_word *last_word)
{
    struct plan_run *r = a->run;
    for (;;) {
        struct plan_verdict verdict;
        ask_verdict(a, &verdict);
        size_t winner = winner_of(r, &verdict);
        bool waits = is_any_open(a) && (verdict.wait || winner == SIZE_MAX);
        verdict.wait = waits;
        verdict.ask = next_members(r, &verdict, winner);
        if (!verdict.ask) {
            if (waits)
                return;
            plan_run_cancel(a);
            if (a->o.plan->strict && !has_passed(r, winner))
                refuse(a, last_word);
            else if (winner != SIZE_MAX)
                reply(a, winner);
            else
                fail_over(a, last_word);
            return;
        }
        if (ask_members(a, &verdict))
            return;
        last_word = NULL;
    }
}

/* A call whose events are told already goes on; one that is to be told, and is not yet, gives way to what is there. */
static void on_time_over(void *arg)
{
    struct asking *a = arg;
    struct plan_run *r = a->run;
    bool any = false;
    if (a->over)
        return;
    if (!attempt_is_open(a->main)) {
        advance(a, NULL);
        return;
    }
    for (size_t i = 0; i < r->plan->member_count; i++)
        any |= r->members[i].answered;
    if (!any || a->main->live)
        return;
    attempt_stop(a->main, CALL_CANCELLED);
    plan_run_cancel(a);
    CHECK(plan_run_rescue(a));
}

/* Life */

static enum status make_timer(struct asking *a, struct error *err)
{
    struct plan_run *r = a->run;
    if (r->state.is_timed)
        r->timer = scheduler_timer_create(a->o.context->scheduler, on_time_over, a);
    return r->timer || !r->state.is_timed ? OK
                                          : error_set(err, ERR_MEMORY, "out of memory for a timer");
}

enum status plan_run_create(struct asking *a, struct error *err)
{
    const struct asking_plan *from = a->o.plan;
    struct plan_run *r = ARENA_NEW(a->o.arena, struct plan_run);
    CHECK(from->plan->kind != PLAN_SINGLE && from->plan->member_count <= a->o.count);
    CHECK(a->o.ops->verdict);
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory for a plan");
    r->plan = from->plan;
    r->question = &from->question;
    r->state.characters = from->characters;
    r->state.choice_count = from->question.choice_count;
    r->state.calls_max = from->max_calls;
    r->state.is_timed = from->deadline_ms > 0 && !from->strict;
    a->run = r;
    for (size_t i = 0; i < r->plan->member_count; i++) {
        struct attempt *t = &r->members[i].attempt;
        attempt_init(t, a, &member_owner, from->kept_bytes_max);
        attempt_reset(t, i);
        t->is_read = true;
        r->state.members[i] = from->members[i];
        r->state.latency_ms[i] = from->latency_ms[i];
        a->passed[i] = plan_run_member;
    }
    return make_timer(a, err);
}

void plan_run_start(struct asking *a)
{
    uint64_t now = asking_now_ms(a), deadline = a->o.plan->deadline_ms;
    if (a->run->timer)
        scheduler_timer_start(a->run->timer, deadline > now ? deadline - now : 0);
    advance(a, NULL);
}

void plan_run_cancel(struct asking *a)
{
    plan_checks_cancel(a);
    for (size_t i = 0; i < a->run->plan->member_count; i++)
        cancel_member(&a->run->members[i].attempt);
}

void plan_run_done(struct asking *a)
{
    plan_checks_done(a);
    if (a->run)
        scheduler_timer_free(a->run->timer);
    for (size_t i = 0; a->run && i < a->run->plan->member_count; i++)
        attempt_done(&a->run->members[i].attempt);
}
