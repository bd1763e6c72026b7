/* The scene, and experts in place of expert/call.c: its functions are defined here, and write what is asked of them
 * into the diary. */
#include "ask_scene.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

struct expert_call {
    struct expert_call_options options;
    struct expert_answer answer;
    char text[4096];
    bool runs;
};

static struct scene scene;
static struct expert_call calls[SCENE_CALLS_MAX];
static size_t call_count;
static unsigned starts_to_refuse;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t len = strlen(scene.diary);
    va_list args;
    va_start(args, format);
    vsnprintf(scene.diary + len, sizeof(scene.diary) - len, format, args);
    va_end(args);
}

/* In place of expert/call.c */

enum status expert_call_start(struct transport *transport, const struct expert_call_options *o,
                              struct expert_call **ret, struct error *err)
{
    (void)transport;
    if (starts_to_refuse > 0) {
        starts_to_refuse--;
        return error_set(err, ERR_MEMORY, "out of memory for a call");
    }
    cr_assert_lt(call_count, SCENE_CALLS_MAX);
    struct expert_call *c = &calls[call_count++];
    *c = (struct expert_call){.options = *o, .runs = true};
    note("ask(%.*s) ", STR_FMT(o->expert->name));
    *ret = c;
    return OK;
}

void expert_call_cancel(struct expert_call *c)
{
    cr_assert(c->runs, "a call that is over was cancelled");
    c->runs = false;
    note("cancel(%.*s) ", STR_FMT(c->options.expert->name));
}

void expert_call_pause(struct expert_call *c)
{
    note("pause(%.*s) ", STR_FMT(c->options.expert->name));
}

void expert_call_resume(struct expert_call *c)
{
    note("resume(%.*s) ", STR_FMT(c->options.expert->name));
}

void *expert_call_user(const struct expert_call *c)
{
    return c->options.user;
}

const struct expert_answer *expert_call_answer(const struct expert_call *c)
{
    return &c->answer;
}

bool expert_call_sent(const struct expert_call *c)
{
    (void)c;
    return true;
}

size_t scene_call_count(void)
{
    return call_count;
}

bool scene_call_runs(size_t call)
{
    return call < call_count && calls[call].runs;
}

const struct expert_call_options *scene_call(size_t call)
{
    cr_assert_lt(call, call_count);
    return &calls[call].options;
}

static struct expert_call *running(size_t call)
{
    cr_assert(scene_call_runs(call), "call %zu does not run", call);
    return &calls[call];
}

static void end_call(struct expert_call *c, enum status status)
{
    struct error err = {0};
    if (status != OK)
        error_set(&err, status, "expert %.*s failed", STR_FMT(c->options.expert->name));
    c->options.on_done(c, status, &err);
    c->runs = false;
}

void scene_answer(size_t call, const char *text, int64_t input_tokens, int64_t output_tokens)
{
    struct expert_call *c = running(call);
    snprintf(c->text, sizeof(c->text), WHOLE("%s"), text);
    c->answer.http_status = 200;
    c->answer.body = str_from(c->text);
    c->answer.usage = (struct openai_usage){
        .known = true, .input_tokens = input_tokens, .output_tokens = output_tokens};
    end_call(c, OK);
}

void scene_chunk(size_t call, const char *data)
{
    struct expert_call *c = running(call);
    struct openai_reply reply;
    struct expert_event event = {.data = str_from(data)};
    c->answer.http_status = 200;
    c->answer.streamed = true;
    event.done = strcmp(data, "[DONE]") == 0;
    if (openai_reply_read(event.data, &reply, NULL) == OK) {
        event.reply = &reply;
        c->answer.output_characters += reply.characters;
    }
    c->options.on_event(c, &event);
    if (c->runs)
        c->options.on_flush(c);
}

void scene_finish(size_t call)
{
    struct expert_call *c = running(call);
    c->answer.streamed = c->answer.finished = true;
    end_call(c, OK);
}

void scene_fail(size_t call, enum expert_retry retry, int http_status, uint64_t retry_after_ms)
{
    struct expert_call *c = running(call);
    c->answer.http_status = http_status;
    c->answer.retry = retry;
    c->answer.retry_after_ms = retry_after_ms;
    end_call(c, ERR_UPSTREAM);
}

void scene_refuse_starts(unsigned count)
{
    starts_to_refuse = count;
}

/* The user of the asking */

static const char *name_at(size_t candidate)
{
    return scene.experts[candidate].name.ptr;
}

static enum status may_ask(void *user, size_t candidate, struct error *err)
{
    const struct scene *s = user;
    return s->refuse_expert[candidate] ? error_set(err, ERR_BUDGET, "the key has no money left")
                                       : OK;
}

static int64_t output_limit(void *user, size_t candidate, int64_t others_nano_usd,
                            int64_t failed_nano_usd)
{
    const struct scene *s = user;
    (void)candidate;
    if (s->limit_cost_nano_usd == 0)
        return s->limit;
    int64_t left = s->limit_cost_nano_usd - others_nano_usd - failed_nano_usd;
    return left > 0 ? left : 0;
}

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    (void)user, (void)candidate, (void)is_read, (void)o, (void)err;
    return OK;
}

static enum status accept(void *user, struct expert_answer *answer, struct error *err)
{
    const struct scene *s = user;
    (void)answer;
    return s->accept_nothing ? error_set(err, ERR_UPSTREAM, "that is no answer") : OK;
}

static void on_event(void *user, const struct expert_event *event)
{
    (void)user;
    if (event->done)
        note("event(done) ");
    else
        note("event(%.*s) ", STR_FMT(event->data));
}

static void on_flush(void *user)
{
    (void)user;
    note("flush ");
}

static void on_retry(void *user, size_t failed, size_t next)
{
    (void)user;
    note("retry(%s,%s) ", name_at(failed), name_at(next));
}

static void on_paid(void *user, const struct asking_paid *paid)
{
    (void)user;
    note("paid(%s,%s,%lld%s) ", name_at(paid->candidate), call_outcome_name(paid->outcome),
         (long long)paid->cost.nano_usd, paid->hedge ? ",hedge" : "");
}

/* Trusts the members in their order, the first most. */
static void escalation(void *user, const struct plan_state *state, struct plan_verdict *ret)
{
    struct scene *s = user;
    const struct plan_answer *a = state->answers;
    bool agree = a[0].answer_class && a[0].answer_class == a[1].answer_class;
    *ret = s->verdict;
    ret->escalate = s->shape.rule == PLAN_AGREE ? !agree : s->escalate;
    for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
        ret->trust[i] = 0.9f - 0.1f * (float)i;
    if (s->shape.rule == PLAN_AGREE && a[s->shape.member_count - 1].asked)
        ret->winner = s->shape.member_count - 1;
}

static void on_done(void *user, const struct asking_end *end)
{
    struct scene *s = user;
    s->done++;
    s->end_answer = *end->answer;
    if (end->err)
        s->end_error = *end->err;
    s->end = (struct asking_end){end->status, &s->end_error, &s->end_answer};
    snprintf(s->body, sizeof(s->body), "%.*s", STR_FMT(end->answer->body));
    note("done(%s,%s) ", end->status == OK ? "OK" : "failed",
         name_at(asking_candidate_at(s->asking)));
    asking_release(s->asking);
}

static const struct asking_ops ops = {
    .may_ask = may_ask,
    .output_limit = output_limit,
    .fill = fill,
    .accept = accept,
    .on_event = on_event,
    .on_flush = on_flush,
    .on_retry = on_retry,
    .on_paid = on_paid,
    .escalation = escalation,
    .on_done = on_done,
};

/* Life */

struct scene *scene_begin(void)
{
    static const char *const names[SCENE_EXPERTS] = {"cheap", "mid", "dear", "spare"};
    struct scene *s = &scene;
    *s = (struct scene){.limit = INT64_MAX};
    call_count = 0;
    starts_to_refuse = 0;
    virtual_clock_init(&s->clock, 1000);
    cr_assert_eq(wake_queue_init(&s->wakes, &s->clock.scheduler, NULL), OK);
    cr_assert_eq(gates_create(&s->table, NULL), OK);
    rng_seed(&s->rng, 7);
    cr_assert(s->arena = arena_create(1 << 20));
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        s->experts[i] = (struct expert){
            .name = str_from(names[i]),
            .price = {.input_nano_usd_per_m = 1000000, .output_nano_usd_per_m = 2000000},
            .limits = {.concurrency = 1, .queue_timeout_ms = 30000}};
    s->context = (struct asking_context){
        .scheduler = &s->clock.scheduler, .wakes = &s->wakes, .rng = &s->rng};
    s->options = (struct asking_options){.context = &s->context,
                                         .ops = &ops,
                                         .user = s,
                                         .id = "req_1",
                                         .arena = s->arena,
                                         .candidates = s->candidates,
                                         .count = SCENE_EXPERTS,
                                         .input_tokens = 10};
    log_set_level(LOG_OFF);
    return s;
}

void scene_plan(struct scene *s, enum plan_kind kind, enum plan_rule rule, size_t members)
{
    static const struct estimate none;
    s->shape = (struct plan){.kind = kind, .rule = rule, .member_count = members};
    s->plan = (struct asking_plan){.plan = &s->shape, .kept_bytes_max = 4096};
    for (size_t i = 0; i < members; i++)
        s->plan.members[i] = &none;
    s->options.plan = &s->plan;
}

void scene_bind(struct scene *s)
{
    if (!s->bound)
        cr_assert_eq(gates_bind(s->table, GATE_CHAT, s->experts, SCENE_EXPERTS, s->clock.now_ms,
                                s->gates, NULL),
                     OK);
    s->bound = true;
}

void scene_start(struct scene *s)
{
    struct error err = {0};
    scene_bind(s);
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        s->candidates[i] = (struct asking_candidate){.expert = &s->experts[i],
                                                     .gate = s->gates[i],
                                                     .input_tokens = 10,
                                                     .output_tokens = 20,
                                                     .rate_tokens = 30};
    cr_assert_eq(asking_create(&s->options, &s->asking, &err), OK, "%s", err.text);
    asking_start(s->asking);
}

void scene_end(struct scene *s)
{
    if (s->done == 0)
        asking_release(s->asking);
    cr_expect_leq(s->done, 1, "it ended %u times", s->done);
    for (size_t i = 0; i < call_count; i++)
        cr_expect_not(calls[i].runs, "call %zu still runs", i);
    for (size_t i = 0; i < SCENE_EXPERTS; i++) {
        struct gate_reading r;
        gate_read(s->gates[i], s->clock.now_ms, &r);
        cr_expect(r.in_flight == 0 && r.waiting == 0, "%s: %u in flight, %u waiting", name_at(i),
                  r.in_flight, r.waiting);
    }
    virtual_clock_done(&s->clock);
    wake_queue_done(&s->wakes);
    gates_release(s->table, s->gates, SCENE_EXPERTS);
    gates_free(s->table);
    arena_free(s->arena);
}
