/* The state machine of a plan: see plan_run.h. */
#include "serve/plan_run.h"

#include "base/check.h"
#include "judge/answer_text.h"
#include "route/prompt_choices.h"
#include "serve/ask.h"

enum member_state {
    MEMBER_UNASKED,
    MEMBER_RUNNING,
    MEMBER_WAITING, /* for its turn, or for its next try */
    MEMBER_ANSWERED,
    MEMBER_FAILED,
    MEMBER_CANCELLED,
};

struct member {
    struct chat *chat;
    size_t index; /* in the plan, and in chat.choice.order */
    enum member_state state;
    struct expert_call *call;
    struct gate_ticket ticket;
    struct loop_timer *timer; /* backoff; made when needed */
    struct buf body;          /* as sent */
    struct plan_kept kept;
    struct str answer; /* what the judge reads in it; ptr NULL: cannot be told */
    struct cost cost;
    unsigned tries;
    uint64_t asked_ms;
};

struct plan_run {
    const struct plan *plan;
    struct query query;
    struct plan_state state;
    struct member members[PLAN_MEMBERS_MAX];
    struct error unasked; /* why a member could not even be asked */
    bool last_asked;
};

/* Why a member failed; valid during the callback that tells. */
struct failure {
    enum status status;
    const struct error *err;
    const struct expert_answer *answer;
};

static const struct expert *expert_of(const struct member *m)
{
    return &m->chat->snapshot->config->experts[m->chat->choice.order[m->index]];
}

static uint64_t now_ms(const struct member *m)
{
    return loop_now_ms(m->chat->worker->loop);
}

static bool is_open(const struct member *m)
{
    return m->state == MEMBER_RUNNING || m->state == MEMBER_WAITING;
}

static void settle(struct member *m, enum member_state state, enum call_outcome outcome)
{
    struct chat *c = m->chat;
    m->state = state;
    m->call = NULL;
    c->run->state.answers[m->index].asked = true;
    if (m->tries > 0)
        chat_note(c, c->choice.order[m->index], outcome, &m->cost, m->asked_ms);
}

static void pay(struct member *m, const struct expert_answer *answer)
{
    const struct cost cost = cost_of_answer(expert_of(m), answer, m->chat->choice.input_tokens);
    cost_add(&m->cost, &cost);
}

static void pay_failed(struct member *m, const struct expert_answer *answer, bool sent)
{
    const struct cost cost =
        cost_of_failure(expert_of(m), answer, m->chat->choice.input_tokens, sent);
    cost_add(&m->cost, &cost);
}

static void cancel(struct member *m)
{
    struct expert_call *call = m->call;
    if (!is_open(m))
        return;
    if (m->timer)
        loop_timer_stop(m->timer);
    bool sent = call && expert_call_sent(call);
    if (sent)
        pay(m, expert_call_answer(call));
    gate_leave(&m->ticket, now_ms(m), HEALTH_NONE, 0, sent ? -1 : 0);
    settle(m, MEMBER_CANCELLED, CALL_CANCELLED);
    if (call)
        expert_call_cancel(call);
}

/* Asking */

static void advance(struct chat *c, const struct failure *failure);

static void on_event(struct expert_call *call, const struct expert_event *event)
{
    struct member *m = expert_call_user(call);
    plan_kept_add_event(&m->kept, event->data);
}

/* The answer does not fit in what may be held back. */
static void fail_too_long(struct member *m)
{
    static const struct expert_answer nothing = {0};
    struct chat *c = m->chat;
    struct error err;
    error_set(&err, ERR_UPSTREAM, "expert %.*s sent an answer over limits.answer",
              STR_FMT(expert_of(m)->name));
    const struct failure failure = {err.status, &err, &nothing};
    settle(m, MEMBER_FAILED, CALL_FAILED);
    advance(c, &failure);
}

static void on_flush(struct expert_call *call)
{
    struct member *m = expert_call_user(call);
    if (m->kept.bytes.status == OK)
        return;
    pay(m, expert_call_answer(call));
    gate_leave(&m->ticket, now_ms(m), HEALTH_BAD, 0, -1);
    m->call = NULL;
    expert_call_cancel(call); /* goes once the parser has returned */
    fail_too_long(m);
}

/* What it answers, by the rule that scored the answers in training. */
static void read_answer(struct member *m)
{
    struct chat *c = m->chat;
    struct buf text;
    struct str answer;
    buf_init(&text, m->kept.bytes.len + 1);
    if (plan_kept_text(&m->kept, &text, NULL) == OK) {
        answer_stats(buf_str(&text), c->run->state.answers[m->index].stats);
        if (judge_answer_read(&c->run->query, JUDGE_AUTO, buf_str(&text), &answer))
            m->answer = arena_copy(c->x->arena, answer);
    }
    buf_done(&text);
}

static void on_answered(struct member *m, const struct expert_answer *answer)
{
    if (!answer->streamed)
        plan_kept_add_body(&m->kept, answer->body);
    pay(m, answer);
    if (m->kept.bytes.status != OK) {
        fail_too_long(m);
        return;
    }
    read_answer(m);
    settle(m, MEMBER_ANSWERED, CALL_ANSWERED);
    advance(m->chat, NULL);
}

static void enter(struct member *m);

static void on_timer(void *arg)
{
    struct member *m = arg;
    enter(m);
    if (!is_open(m))
        advance(m->chat, NULL);
}

static bool wait_for_retry(struct member *m, uint64_t wait_ms)
{
    if (!m->timer)
        m->timer = loop_timer_create(m->chat->worker->loop, on_timer, m);
    if (!m->timer)
        return false;
    m->state = MEMBER_WAITING;
    m->call = NULL;
    loop_timer_start(m->timer, wait_ms);
    return true;
}

static void on_done(struct expert_call *call, enum status status, const struct error *err)
{
    struct member *m = expert_call_user(call);
    const struct expert_answer *answer = expert_call_answer(call);
    const struct failure failure = {status, err, answer};
    uint64_t wait_ms = 0;
    bool sent = expert_call_sent(call);
    ask_leave(m->chat, &m->ticket, status, answer, sent);
    if (status == OK) {
        on_answered(m, answer);
        return;
    }
    pay_failed(m, answer, sent);
    const struct ask_try t = {m->index, m->tries, m->asked_ms, true};
    if (ask_again(m->chat, &t, answer, &wait_ms) && wait_for_retry(m, wait_ms)) {
        ask_log_retry(m->chat, expert_of(m), expert_of(m), err, wait_ms);
        return;
    }
    settle(m, MEMBER_FAILED, CALL_FAILED);
    advance(m->chat, &failure);
}

static enum status start_call(struct member *m, struct error *err)
{
    struct chat *c = m->chat;
    enum status status = chat_may_ask(c, expert_of(m), err);
    if (status != OK)
        return status;
    buf_clear(&m->body);
    plan_kept_clear(&m->kept);
    status = chat_write_body(c, expert_of(m), m->index, false, m->cost.nano_usd, &m->body, err);
    if (status != OK)
        return status;
    struct expert_call_options o = chat_call_options(c, expert_of(m), buf_str(&m->body), false);
    o.total_timeout_ms = ask_time_left_ms(c, expert_of(m), m->asked_ms);
    o.user = m;
    o.on_event = on_event;
    o.on_flush = on_flush;
    o.on_done = on_done;
    return expert_call_start(c->worker->client, &o, &m->call, err);
}

/* With a place at the expert's. The state is RUNNING afterwards, or FAILED for want of memory or money. */
static void start_try(struct member *m)
{
    struct error *unasked = &m->chat->run->unasked;
    bool in_time = ask_has_time(m->chat, expert_of(m), m->tries, m->asked_ms, unasked);
    if (m->tries == 0)
        m->asked_ms = now_ms(m);
    m->tries++;
    m->chat->attempts += in_time;
    m->state = MEMBER_RUNNING;
    if (in_time && start_call(m, unasked) == OK)
        return;
    gate_leave(&m->ticket, now_ms(m), HEALTH_NONE, 0, 0);
    settle(m, MEMBER_FAILED, CALL_FAILED);
}

/* One whose door is closed has failed, and no call was made. */
static void take_turn(struct member *m, enum gate_verdict verdict)
{
    if (verdict == GATE_GO) {
        start_try(m);
    } else if (verdict == GATE_WAIT) {
        m->state = MEMBER_WAITING;
    } else {
        m->chat->passed[m->index] = m->ticket.why;
        error_set(&m->chat->run->unasked, ERR_OVERLOAD, "expert %.*s is not asked now: %s",
                  STR_FMT(expert_of(m)->name), m->ticket.why);
        settle(m, MEMBER_FAILED, CALL_FAILED);
    }
}

static void on_turn(void *arg, enum gate_verdict verdict)
{
    struct member *m = arg;
    take_turn(m, verdict);
    if (!is_open(m))
        advance(m->chat, NULL);
}

static void enter(struct member *m)
{
    struct gate_ask ask = ask_terms(m->chat, m->index);
    ask.may_wait = true;
    ask.on_turn = on_turn;
    ask.arg = m;
    take_turn(m, gate_enter(ask_gate(m->chat, m->index), &m->ticket, &ask));
}

/* Deciding */

/* Of words: that of the first member who says the same, else a new one; as judge/rescore.c numbers them. */
static uint16_t words_class(const struct plan_run *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (r->members[k].answer.ptr &&
            judge_answers_agree(r->members[k].answer, r->members[i].answer))
            return r->state.answers[k].answer_class;
    return (uint16_t)(QUERY_CHOICES_MAX + 1 + i);
}

/* Equal answers get equal classes: letters their number, which checks learn from, too. What cannot be told gets 0. */
static void set_classes(struct plan_run *r)
{
    for (size_t i = 0; i < r->plan->member_count; i++) {
        struct str answer = r->members[i].answer;
        uint16_t class = 0;
        if (answer.ptr && r->query.choice_count > 0)
            class = (uint16_t)(answer.ptr[0] - 'A' + 1);
        else if (answer.ptr)
            class = words_class(r, i);
        r->state.answers[i].answer_class = class;
    }
}

static void check(const struct chat *c, struct plan_verdict *ret)
{
    set_classes(c->run);
    pool_plan_check(c->snapshot->pool, c->choice.decision.arm, &c->run->state, ret);
}

/* The answered member that is trusted most, the first among equals; SIZE_MAX: nobody answered. */
static size_t most_trusted(const struct plan_run *r, const struct plan_verdict *verdict)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < r->plan->member_count; i++) {
        if (r->members[i].state != MEMBER_ANSWERED)
            continue;
        bool told = r->state.answers[i].answer_class;
        bool best_told = best != SIZE_MAX && r->state.answers[best].answer_class;
        if (best == SIZE_MAX || (told && !best_told) ||
            (told == best_told && verdict->trust[i] > verdict->trust[best]))
            best = i;
    }
    return best;
}

static size_t winner_of(const struct plan_run *r, const struct plan_verdict *verdict)
{
    CHECK(verdict->winner < r->plan->member_count);
    if (r->members[verdict->winner].state == MEMBER_ANSWERED)
        return verdict->winner;
    return most_trusted(r, verdict);
}

static void reply(struct chat *c, size_t winner)
{
    CHECK(winner < c->run->plan->member_count);
    c->candidate = winner;
    relay_kept(c, &c->run->members[winner].kept);
}

bool plan_run_rescue(struct chat *c)
{
    struct plan_verdict verdict;
    check(c, &verdict);
    size_t winner = most_trusted(c->run, &verdict);
    if (winner == SIZE_MAX)
        return false;
    reply(c, winner);
    return true;
}

/* Whether the first members have said enough: all are done, or one alone makes the last one needed. */
static bool first_done(const struct plan_run *r)
{
    bool open = false, doubt = false;
    for (size_t i = 0; i < plan_first_count(r->plan); i++) {
        const struct member *m = &r->members[i];
        open |= is_open(m);
        doubt |= !is_open(m) && !m->answer.ptr;
    }
    return !open || (doubt && r->plan->rule == PLAN_AGREE);
}

/* Asks the last member. True: the chat has it from here on, or nothing is to be done before it answers. */
static bool ask_last(struct chat *c)
{
    struct plan_run *r = c->run;
    size_t last = r->plan->member_count - 1;
    for (size_t i = 0; i < last; i++)
        cancel(&r->members[i]);
    r->last_asked = true;
    if (r->plan->rule == PLAN_AGREE && c->request.stream) {
        ask_candidate(c, last); /* whatever it says stands, so it may be said at once */
        return true;
    }
    enter(&r->members[last]);
    return is_open(&r->members[last]);
}

static void fail_over(struct chat *c, const struct failure *failure)
{
    static const struct expert_answer nothing = {0};
    const struct error *unasked = &c->run->unasked;
    size_t next = ask_next(c);
    bool more = next != SIZE_MAX && c->attempts < CHAT_ATTEMPTS_MAX &&
                !(failure && failure->answer->retry == EXPERT_RETRY_NEVER);
    c->candidate = c->run->plan->member_count - 1;
    if (plan_run_rescue(c))
        return;
    if (more) {
        ask_candidate(c, next);
    } else if (failure) {
        relay_fail(c, failure->status, failure->err, failure->answer);
    } else if (unasked->status == ERR_OVERLOAD) {
        ask_refuse(c);
    } else {
        relay_fail(c, unasked->status, unasked, &nothing);
    }
}

/* After a member has come to its end. `failure` is the last one's, or of no interest. The exchange may be over when it
 * returns. */
static void advance(struct chat *c, const struct failure *failure)
{
    struct plan_run *r = c->run;
    struct plan_verdict verdict;
    const struct member *last = &r->members[r->plan->member_count - 1];
    if (!r->last_asked) {
        if (!first_done(r))
            return;
        check(c, &verdict);
        size_t winner = winner_of(r, &verdict);
        if (!verdict.escalate && winner != SIZE_MAX) {
            reply(c, winner);
            return;
        }
        if (ask_last(c))
            return;
        failure = NULL;
    }
    if (last->state == MEMBER_ANSWERED) {
        check(c, &verdict);
        reply(c, winner_of(r, &verdict));
    } else if (last->state == MEMBER_FAILED) {
        fail_over(c, failure);
    }
}

/* Life */

enum status plan_run_start(struct chat *c, struct error *err)
{
    const struct plan *plan = pool_arm_at(c->snapshot->pool, c->choice.decision.arm);
    struct plan_run *r = ARENA_NEW(c->x->arena, struct plan_run);
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory for a plan");
    enum status status = plan_query_read(c->request.query, c->x->arena, &r->query, err);
    if (status != OK)
        return status;
    r->plan = plan;
    r->state.characters = c->choice.characters;
    r->state.choice_count = r->query.choice_count;
    c->run = r;
    c->phase = CHAT_MEMBERS;
    for (size_t i = 0; i < plan->member_count; i++) {
        struct member *m = &r->members[i];
        m->chat = c;
        m->index = i;
        r->state.members[i] = &c->choice.estimates[c->choice.order[i]];
        buf_init(&m->body, chat_body_bytes_max(c));
        plan_kept_init(&m->kept, c->snapshot->config->limits.answer_bytes);
    }
    for (size_t i = 0; i < plan_first_count(plan); i++)
        enter(&r->members[i]);
    advance(c, NULL);
    return OK;
}

void plan_run_cancel(struct plan_run *r)
{
    for (size_t i = 0; i < r->plan->member_count; i++)
        cancel(&r->members[i]);
}

void plan_run_release(struct plan_run *r)
{
    for (size_t i = 0; i < r->plan->member_count; i++) {
        struct member *m = &r->members[i];
        gate_leave(&m->ticket, now_ms(m), HEALTH_NONE, 0, -1);
        if (m->call)
            expert_call_cancel(m->call);
        m->call = NULL;
        loop_timer_free(m->timer);
        m->timer = NULL;
        buf_done(&m->body);
        plan_kept_done(&m->kept);
    }
}
