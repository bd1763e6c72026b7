/* Calls that other machines make: what is put out, and what comes back. See calls.h and share/share.h.
 *
 * A job that is reserved for and whose intent is written is put out, and its slot waits: until somebody's result comes,
 * or until this machine has claimed it and asks itself. Everything runs on the thread of calls_run, where events come.
 * In this order a result is taken: journal, purse, then it is acknowledged; so what a kill leaves in Redis comes again,
 * and is known by the id of its payment. */
#include "base/check.h"
#include "calls/calls_int.h"

#define TRIES_MAX 5 /* of a call whose machines die, or whose tries cost too much */

static void fail(struct calls *c, const struct error *err)
{
    if (c->failure->status == OK)
        *c->failure = *err;
    calls_pump_soon(c);
}

void calls_share_settle(struct calls *c, struct str key, struct str id)
{
    struct error err;
    if (share_settle(c->share, key, id.ptr ? id : STR(""), &err) != OK)
        fail(c, &err);
}

void calls_share_put(struct calls *c, struct call_slot *s)
{
    struct error err;
    bool capped = c->purse.cap_nano_usd != PURSE_NO_CAP;
    const struct share_call call = {.key = s->job.key,
                                    .expert = c->experts[s->job.expert].name,
                                    .asked = calls_asked(&s->job),
                                    .system = s->job.system,
                                    .user = s->job.user,
                                    .output_tokens = s->output_tokens,
                                    .most_nano_usd =
                                        capped ? s->reserved_nano_usd : SHARE_NO_LIMIT};
    s->out = true;
    if (share_add(c->share, &call, &err) != OK)
        fail(c, &err);
}

/* Its reservation is spent or lost: once more, as far as there is money. */
static void put_again(struct calls *c, struct call_slot *s)
{
    bool capped = c->purse.cap_nano_usd != PURSE_NO_CAP;
    s->reserved_nano_usd = 0;
    s->tries++;
    s->bound_nano_usd = calls_bound_nano_usd(c, &s->job);
    int64_t reserved = s->bound_nano_usd == INT64_MAX && !capped ? 0 : s->bound_nano_usd;
    if (s->tries >= TRIES_MAX) {
        calls_give_up(c, s, CALL_BROKEN, "the machines that had it have died, one after the other");
        return;
    }
    if (!purse_reserve(&c->purse, reserved)) {
        calls_give_up(c, s, CALL_UNPAID, "the cap is reached");
        return;
    }
    if (calls_intend(c, s, reserved))
        calls_share_put(c, s);
}

static struct call_slot *slot_of(struct calls *c, struct str key)
{
    for (size_t i = 0; i < CALLS_CONCURRENCY_MAX; i++)
        if (c->slots[i].busy && str_equal(c->slots[i].job.key, key))
            return &c->slots[i];
    return NULL;
}

static struct call_known *open_call(const struct calls *c, struct str key)
{
    struct call_known *known = calls_known(c, key);
    return known && known->open_asked && known->open_nano_usd >= 0 ? known : NULL;
}

/* Nothing more comes of what an earlier process has put out. */
static void lose_open(struct calls *c, struct call_known *known)
{
    c->lost_nano_usd = add_saturated(c->lost_nano_usd, known->open_nano_usd);
    purse_settle(&c->purse, known->open_nano_usd, known->open_nano_usd);
    known->open_nano_usd = -1;
    known->open_asked = 0;
}

bool calls_share_resume(struct calls *c, struct call_slot *s, const struct call_job *job)
{
    struct call_known *known = open_call(c, job->key);
    if (!known)
        return false;
    if (known->open_asked != calls_asked(job)) {
        lose_open(c, known);
        calls_share_settle(c, job->key, STR(""));
        return false;
    }
    calls_fill(c, s, job);
    s->out = true;
    s->reserved_nano_usd = known->open_nano_usd;
    known->open_nano_usd = -1;
    known->open_asked = 0;
    return true;
}

/* Results */

static struct call_entry entry_of(const struct share_result *r, enum call_entry_kind kind)
{
    return (struct call_entry){.kind = kind,
                               .key = r->key,
                               .expert = r->expert,
                               .text = r->text,
                               .paid = r->paid,
                               .asked = r->asked,
                               .nano_usd = r->cost_nano_usd,
                               .basis = r->basis,
                               .input_tokens = r->input_tokens,
                               .output_tokens = r->output_tokens,
                               .latency_ms = r->latency_ms,
                               .certainty = r->certainty};
}

/* Its machine may not go on with it, and another may: too dear for what was reserved, or refused for its own key. */
static bool is_for_others(const struct call_slot *s, const struct share_result *r)
{
    bool refused = r->end == SHARE_BROKEN && (r->http_status == 401 || r->http_status == 403);
    return (refused || r->end == SHARE_TOO_DEAR) && s->tries + 1 < TRIES_MAX;
}

static void end_slot(struct calls *c, struct call_slot *s, const struct share_result *r,
                     struct str id)
{
    struct error failure = {0};
    const struct cost cost = {.basis = r->basis,
                              .nano_usd = r->cost_nano_usd,
                              .tokens = {.input = r->input_tokens, .output = r->output_tokens}};
    struct call_ending ending = {.cost = &cost,
                                 .latency_ms = r->latency_ms,
                                 .certainty = r->certainty,
                                 .http_status = r->http_status,
                                 .paid = r->paid,
                                 .id = id};
    if (r->end == SHARE_ANSWERED)
        ending.text = r->text;
    else
        error_set(&failure, r->end == SHARE_TOO_DEAR ? ERR_BUDGET : ERR_UPSTREAM, "%.*s",
                  (int)(r->text.len < 300 ? r->text.len : 300), r->text.ptr);
    ending.failure = &failure;
    calls_end(c, s, &ending);
}

static void try_elsewhere(struct calls *c, struct call_slot *s, const struct share_result *r,
                          struct str id)
{
    const struct call_entry e = entry_of(r, ENTRY_FAILURE);
    purse_settle(&c->purse, s->reserved_nano_usd, 0); /* the entry books what it has cost */
    if (!calls_take_entry(c, &e))
        return;
    calls_share_settle(c, r->key, id);
    put_again(c, s);
}

/* No slot waits for it: its job has not come by yet in this process, and it may be needed; or it is the second. */
static void keep_result(struct calls *c, const struct share_result *r, struct str id,
                        bool is_asked_here)
{
    struct call_known *known = calls_known(c, r->key), *open = open_call(c, r->key);
    bool waited = open && open->open_asked == r->asked && !is_asked_here;
    bool is_second = is_asked_here || !known || (known->text.ptr && !waited);
    enum call_entry_kind kind = is_second                  ? ENTRY_AGAIN
                                : r->end == SHARE_ANSWERED ? ENTRY_ANSWER
                                                           : ENTRY_FAILURE;
    const struct call_entry e = entry_of(r, kind);
    if (waited) {
        purse_settle(&c->purse, open->open_nano_usd, 0);
        open->open_asked = 0;
    }
    if (calls_take_entry(c, &e))
        calls_share_settle(c, is_asked_here ? STR("") : r->key, id);
}

static void on_result(struct calls *c, const struct share_result *r, struct str id)
{
    uint32_t seen;
    struct call_slot *s = slot_of(c, r->key);
    if (map_get(c->paid, r->paid, &seen)) { /* its end came before it was acknowledged */
        calls_share_settle(c, STR(""), id);
        return;
    }
    bool fits = s && s->out && calls_asked(&s->job) == r->asked &&
                str_equal(c->experts[s->job.expert].name, r->expert);
    if (!fits)
        keep_result(c, r, id, s);
    else if (is_for_others(s, r))
        try_elsewhere(c, s, r, id);
    else
        end_slot(c, s, r, id);
}

/* Claims */

/* Nobody has had it before: what is reserved for it is free again. */
static void withdraw(struct calls *c, const struct share_call *call, int64_t reserved_nano_usd)
{
    const struct call_entry e = {.kind = ENTRY_FAILURE,
                                 .key = call->key,
                                 .expert = call->expert,
                                 .text = STR("withdrawn before anybody was asked")};
    purse_settle(&c->purse, reserved_nano_usd, 0);
    if (calls_take_entry(c, &e))
        calls_share_settle(c, call->key, STR(""));
}

static void claimed_early(struct calls *c, const struct share_call *call)
{
    struct call_known *known = open_call(c, call->key);
    if (!known) {
        calls_share_settle(c, call->key, STR(""));
        return;
    }
    known->open_asked = 0;
    withdraw(c, call, known->open_nano_usd);
}

static void on_call(struct calls *c, const struct share_call *call)
{
    static const struct cost nothing = {.basis = COST_USAGE};
    struct call_slot *s = slot_of(c, call->key);
    struct error err;
    if (!s)
        claimed_early(c, call);
    if (!s || !s->out)
        return;
    if (c->o.stop && *c->o.stop) {
        withdraw(c, call, s->reserved_nano_usd);
        calls_leave(c, s);
        return;
    }
    s->out = false;
    if (call_slot_begin(s, &err) == OK)
        return;
    const struct call_ending ending = {.cost = &nothing, .failure = &err};
    calls_end(c, s, &ending);
}

static void on_lost(struct calls *c, struct str key)
{
    struct call_slot *s = slot_of(c, key);
    struct call_known *known = open_call(c, key);
    if (s && s->out) {
        c->lost_nano_usd = add_saturated(c->lost_nano_usd, s->reserved_nano_usd);
        purse_settle(&c->purse, s->reserved_nano_usd, s->reserved_nano_usd);
        put_again(c, s);
    } else if (!s && known) {
        lose_open(c, known);
    }
}

void calls_share_said(const struct calls *c, const struct share_event *e)
{
    if (c->o.share->on_said)
        c->o.share->on_said(c->o.share->arg, e->text);
}

static void on_event(void *arg, const struct share_event *e)
{
    struct calls *c = arg;
    if (!c->source)
        return; /* the loop ends; what is in Redis comes again */
    switch (e->kind) {
    case SHARE_CALL:
        on_call(c, &e->call);
        break;
    case SHARE_RESULT:
        on_result(c, &e->result, e->id);
        break;
    case SHARE_LOST:
        on_lost(c, e->key);
        break;
    case SHARE_SAID:
        calls_share_said(c, e);
        break;
    case SHARE_OVER:
    case SHARE_FAILED:
        break;
    }
}

/* So that a stop is seen while nothing comes. */
static void on_tick(void *arg)
{
    struct calls *c = arg;
    struct error err;
    if (c->o.stop && *c->o.stop && c->source) {
        if (!c->rests && share_stop(c->share, &err) != OK)
            fail(c, &err);
        c->rests = true;
        calls_pump_soon(c);
    }
    loop_timer_start(c->tick, CALLS_TICK_MS);
}

/* What is out yet stays reserved for; what is out and answered is acknowledged. */
static void take_found(struct calls *c)
{
    for (size_t i = 0; i < share_found_count(c->share); i++) {
        const struct share_call *call = share_found(c->share, i);
        struct call_known *known = calls_known(c, call->key);
        if (known && known->open_nano_usd >= 0) {
            known->open_asked = call->asked;
            purse_hold(&c->purse, known->open_nano_usd);
        } else {
            (void)!share_settle(c->share, call->key, STR(""), NULL);
        }
    }
}

enum status calls_share_connect(struct calls *c, bool leads, calls_share_fn *hear,
                                void (*tick)(void *), struct error *err)
{
    const struct share_options o = {.url = c->o.share->url,
                                    .password = c->o.share->password,
                                    .run = c->o.share->run,
                                    .leads = leads,
                                    .takes = c->o.concurrency,
                                    .experts = c->experts,
                                    .expert_count = c->o.expert_count,
                                    .loop = c->loop,
                                    .on_event = hear,
                                    .arg = c};
    enum status status = share_open(&o, &c->share, err);
    if (status != OK)
        return status;
    c->tick = loop_timer_create(c->loop, tick, c);
    if (!c->tick)
        return error_set(err, ERR_MEMORY, "out of memory");
    loop_timer_start(c->tick, CALLS_TICK_MS);
    return OK;
}

enum status calls_share_open(struct calls *c, struct error *err)
{
    _Static_assert(SHARE_CALLS_MAX == CALLS_CONCURRENCY_MAX, "every slot may be out");
    enum status status = calls_share_connect(c, true, on_event, on_tick, err);
    if (status != OK)
        return status;
    take_found(c);
    return share_start(c->share, err);
}
