/* The second call and its way to become the first. */
#include "serve/hedge.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "serve/ask.h"

struct hedge {
    struct chat *chat;
    struct loop_timer *timer;
    size_t candidate;
    struct expert_call *call; /* NULL: not running yet, or not any more */
    struct gate_ticket ticket;
    struct buf body, held; /* held: the events before its first content */
    bool native;
    uint64_t asked_ms;
};

struct held_event { /* followed by name and data */
    size_t name_len, data_len;
    bool has_reply, done;
    struct openai_reply reply; /* but for what points into the text */
};

static uint64_t now_ms(const struct chat *c)
{
    return loop_now_ms(c->worker->loop);
}

static const struct expert *expert_of(const struct hedge *h)
{
    return &h->chat->snapshot->config->experts[h->chat->choice.order[h->candidate]];
}

bool hedge_runs(const struct chat *c)
{
    return c->hedge && c->hedge->call;
}

/* What remains of a hedge is in the arena. */
static void put_away(struct hedge *h)
{
    loop_timer_free(h->timer);
    h->timer = NULL;
    buf_done(&h->body);
    buf_done(&h->held);
    h->chat->hedge = NULL;
}

static void note(struct hedge *h, enum call_outcome outcome, const struct cost *cost)
{
    struct chat *c = h->chat;
    chat_note(c, c->choice.order[h->candidate], outcome, cost, h->asked_ms);
    c->paid[c->paid_count - 1].hedge = true;
}

void hedge_stop(struct chat *c)
{
    struct hedge *h = c->hedge;
    if (!h)
        return;
    if (h->call) {
        struct cost cost = {.basis = COST_ESTIMATED};
        bool sent = expert_call_sent(h->call);
        if (sent)
            cost =
                cost_of_answer(expert_of(h), expert_call_answer(h->call), c->choice.input_tokens);
        note(h, CALL_CANCELLED, &cost);
        gate_leave(&h->ticket, now_ms(c), HEALTH_NONE, 0, sent ? -1 : 0);
        expert_call_cancel(h->call);
        h->call = NULL;
    }
    put_away(h);
}

/* Taking over */

static void replay(struct hedge *h, const struct buf *held)
{
    struct chat *c = h->chat;
    for (size_t at = 0; at < held->len;) {
        struct held_event kept;
        memcpy(&kept, held->ptr + at, sizeof(kept));
        at += sizeof(kept);
        struct str name = {held->ptr + at, kept.name_len};
        struct str data = {held->ptr + at + kept.name_len, kept.data_len};
        at += kept.name_len + kept.data_len;
        bool read = kept.has_reply && json_parse(data, "event", 1, &kept.reply.root, NULL) == OK;
        kept.reply.usage_value = json_get(kept.reply.root, "usage");
        const struct expert_event event = {name, data, read ? &kept.reply : NULL, kept.done};
        relay_event(c->call, &event);
    }
}

/* The chat's own call has ended already, or never was: the hedge's takes its place. */
static void adopt(struct hedge *h)
{
    struct chat *c = h->chat;
    struct expert_call_options o = {0};
    struct buf held = h->held;
    CHECK(!c->call && c->ticket.place == GATE_NOWHERE && h->ticket.place == GATE_INSIDE);
    loop_timer_stop(c->timer);
    buf_done(&c->body);
    buf_clear(&c->out);
    c->body = h->body;
    h->body = h->held = (struct buf){0};
    c->ticket = h->ticket;
    h->ticket = (struct gate_ticket){0};
    c->candidate = h->candidate;
    c->tries = 1;
    c->asked_ms = h->asked_ms;
    c->native = h->native;
    c->is_hedge = true;
    c->has_content = false;
    c->phase = CHAT_CALLING;
    c->call = h->call;
    h->call = NULL;
    ask_callbacks(c, &o);
    expert_call_hand_over(c->call, &o);
    replay(h, &held);
    buf_done(&held);
    put_away(h);
}

/* The translation of events begins anew; without memory for it the hedge is given up, not the chat. */
static bool prepare(struct chat *c)
{
    struct front_stream *before = c->events;
    if (relay_prepare(c, NULL) == OK)
        return true;
    c->events = before;
    hedge_stop(c);
    return false;
}

bool hedge_take_over(struct chat *c)
{
    if (!hedge_runs(c) || !prepare(c))
        return false;
    adopt(c->hedge);
    return true;
}

/* The hedge has content, and the chat's own call has none: that one is cancelled, be it running, waiting for its turn
 * or for its next try. */
static bool win(struct hedge *h)
{
    struct chat *c = h->chat;
    if (!prepare(c))
        return false;
    bool sent = c->call && expert_call_sent(c->call);
    c->passed[c->candidate] = "slower than another";
    if (c->tries > 0)
        chat_note_candidate(c, c->call ? CALL_CANCELLED : CALL_FAILED,
                            sent ? expert_call_answer(c->call) : NULL);
    gate_leave(&c->ticket, now_ms(c), HEALTH_NONE, 0, sent ? -1 : 0);
    if (c->call)
        expert_call_cancel(c->call);
    c->call = NULL;
    log_event(LOG_INFO, "hedge won", "req=%s expert=%.*s instead_of=%.*s", c->id,
              STR_FMT(expert_of(h)->name), STR_FMT(chat_expert(c)->name));
    adopt(h);
    return true;
}

/* Callbacks of its call, until it is the chat's */

static void hold(struct hedge *h, const struct expert_event *e)
{
    struct held_event kept;
    memset(&kept, 0, sizeof(kept));
    kept.name_len = e->name.len;
    kept.data_len = e->data.len;
    kept.has_reply = e->reply;
    kept.done = e->done;
    if (e->reply)
        kept.reply = *e->reply;
    buf_add(&h->held, (struct str){(const char *)&kept, sizeof(kept)});
    buf_add(&h->held, e->name);
    buf_add(&h->held, e->data);
}

static void on_event(struct expert_call *call, const struct expert_event *event)
{
    struct hedge *h = expert_call_user(call);
    bool content = event->done || (event->reply && event->reply->has_content);
    if (!content) {
        hold(h, event);
    } else if (win(h)) {
        ask_event(call, event);
    }
}

/* Too much before its first content is as good as content; what was held does not fit and cannot be told any more. */
static void on_flush(struct expert_call *call)
{
    struct hedge *h = expert_call_user(call);
    if (h->held.status != OK)
        hedge_stop(h->chat);
}

static void on_done(struct expert_call *call, enum status status, const struct error *err)
{
    struct hedge *h = expert_call_user(call);
    struct chat *c = h->chat;
    const struct expert_answer *answer = expert_call_answer(call);
    bool sent = expert_call_sent(call);
    if (status == OK && h->held.status == OK) {
        if (win(h))
            ask_done(call, status, err);
        return;
    }
    struct cost cost = cost_of_failure(expert_of(h), answer, c->choice.input_tokens, sent);
    ask_leave(c, &h->ticket, status, answer, sent);
    note(h, CALL_FAILED, &cost);
    h->call = NULL; /* it goes by itself when this returns */
    c->passed[h->candidate] = "failed";
    put_away(h);
}

/* Beginning */

static int64_t input_cost(const struct chat *c, size_t candidate)
{
    size_t index = c->choice.order[candidate];
    int64_t predicted = (int64_t)ceilf(c->choice.estimates[index].input_tokens);
    int64_t tokens = predicted > c->choice.input_tokens ? predicted : c->choice.input_tokens;
    return price_cost_nano_usd(&c->snapshot->config->experts[index].price, tokens, 0);
}

/* The next best of those who have a place at once, and whose input costs no more than was kept back for it. */
static size_t enter_one(struct hedge *h)
{
    struct chat *c = h->chat;
    uint64_t until;
    for (size_t i = 0; i < c->choice.order_count; i++) {
        struct gate *g = ask_gate(c, i);
        if (c->passed[i] || i == c->candidate || gate_barred(g, now_ms(c), &until))
            continue;
        if (c->reserved_nano_usd > 0 && input_cost(c, i) > c->reserved_nano_usd)
            continue;
        struct gate_ask ask = ask_terms(c, i);
        if (gate_enter(g, &h->ticket, &ask) == GATE_GO)
            return i;
    }
    return SIZE_MAX;
}

static enum status write_body(struct hedge *h, struct error *err)
{
    struct chat *c = h->chat;
    int64_t kept_back = c->reserved_nano_usd;
    if (kept_back > 0) /* what the other has cost when this one wins */
        c->reserved_nano_usd = input_cost(c, c->candidate);
    enum status status = chat_write_body(c, expert_of(h), h->candidate, h->native,
                                         c->failed.nano_usd, &h->body, err);
    c->reserved_nano_usd = kept_back;
    return status;
}

static enum status start(struct hedge *h, struct error *err)
{
    struct chat *c = h->chat;
    enum status status = chat_may_ask(c, expert_of(h), err);
    h->native = chat_is_native(c, expert_of(h));
    if (status == OK)
        status = write_body(h, err);
    if (status != OK)
        return status;
    struct expert_call_options o = chat_call_options(c, expert_of(h), buf_str(&h->body), h->native);
    o.user = h;
    o.on_event = on_event;
    o.on_flush = on_flush;
    o.on_done = on_done;
    return expert_call_start(c->worker->client, &o, &h->call, err);
}

static void on_timer(void *arg)
{
    struct hedge *h = arg;
    struct chat *c = h->chat;
    struct error err;
    if (c->started || c->has_content || c->attempts >= CHAT_ATTEMPTS_MAX)
        return;
    h->candidate = enter_one(h);
    if (h->candidate == SIZE_MAX)
        return;
    h->asked_ms = now_ms(c);
    if (start(h, &err) != OK) {
        gate_leave(&h->ticket, now_ms(c), HEALTH_NONE, 0, 0);
        return;
    }
    c->attempts++;
    log_event(LOG_INFO, "hedge", "req=%s waiting_for=%.*s asked=%.*s", c->id,
              STR_FMT(chat_expert(c)->name), STR_FMT(expert_of(h)->name));
}

/* With a max_cost: kept back for the input of the second, as long as the first can still say what it is expected to. */
static bool keep_back(struct chat *c)
{
    const struct estimate *e = &c->choice.estimates[c->choice.order[0]];
    const struct pool *p = c->snapshot->pool;
    if (pool_output_limit(p, &c->request, &c->choice, 0, 0, 0) == INT64_MAX)
        return true;
    int64_t reserve = input_cost(c, 1);
    if (pool_output_limit(p, &c->request, &c->choice, 0, reserve, 0) <
        (int64_t)e->output_tokens + 1)
        return false;
    c->reserved_nano_usd = reserve > 0 ? reserve : 1;
    return true;
}

void hedge_arm(struct chat *c)
{
    size_t policy = c->choice.target.policy;
    if (policy == SIZE_MAX || c->run || c->choice.order_count < 2)
        return;
    uint32_t after_ms = c->snapshot->config->policies[policy].hedge_after_ms;
    if (after_ms == 0 || !keep_back(c))
        return;
    struct hedge *h = ARENA_NEW(c->x->arena, struct hedge);
    if (!h)
        return; /* it is an extra; the request itself goes on */
    h->chat = c;
    h->timer = loop_timer_create(c->worker->loop, on_timer, h);
    if (!h->timer)
        return;
    buf_init(&h->body, chat_body_bytes_max(c));
    buf_init(&h->held, CHAT_HELD_BYTES_MAX);
    loop_timer_start(h->timer, after_ms);
    c->hedge = h;
}
