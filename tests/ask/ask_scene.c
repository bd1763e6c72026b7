/* The scene: the user of an asking, and a script in place of what carries its calls. */
#include "ask_scene.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "predict/escalation.h"
#include "predict/timed.h"
#include "predict/verified.h"

#define ASKED "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\",\"content\":\"2+5\"}]"

static struct scene scene;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t len = strlen(scene.diary);
    va_list args;
    va_start(args, format);
    vsnprintf(scene.diary + len, sizeof(scene.diary) - len, format, args);
    va_end(args);
}

/* The experts */

/* Each is known by its URL, "http://cheap/chat/completions". */
static void on_act(void *user, const struct scripted_call *c, const char *act)
{
    struct str url = str_from(c->request->url);
    size_t from = strlen("http://");
    struct str name = str_slice(url, from, str_find(url, STR("/"), from));
    (void)user;
    note("%s(%.*s) ", act, STR_FMT(name));
}

static struct scripted_call *call_at(size_t call)
{
    return scripted_at(&scene.script, call);
}

const struct transport_request *scene_asked(size_t call)
{
    cr_assert(call_at(call)->runs, "call %zu does not run", call);
    return call_at(call)->request;
}

int64_t scene_output_limit(size_t call)
{
    struct json_value root = {0};
    int64_t limit = 0;
    cr_assert_eq(json_parse(scene_asked(call)->body, "asked", 1, &root, NULL), OK);
    cr_assert_eq(json_to_int64(json_get(root, "max_tokens"), &limit), OK);
    return limit;
}

void scene_answer(size_t call, const char *text)
{
    char body[512];
    snprintf(body, sizeof(body), WHOLE("%s"), text);
    scripted_answer(call_at(call), 200, body);
}

void scene_chunk(size_t call, const char *data)
{
    scripted_event(call_at(call), data);
}

void scene_finish(size_t call)
{
    scripted_event(call_at(call), "[DONE]");
    scripted_done(call_at(call), OK);
}

void scene_fail(size_t call, int http_status, uint64_t retry_after_ms)
{
    char delay[24];
    snprintf(delay, sizeof(delay), "%llu", (unsigned long long)retry_after_ms);
    scripted_header(call_at(call), "retry-after-ms", delay);
    scripted_answer(call_at(call), http_status, "{\"error\":{\"message\":\"no\"}}");
}

void scene_break(size_t call)
{
    scripted_done(call_at(call), ERR_UPSTREAM);
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
        return INT64_MAX;
    int64_t left = s->limit_cost_nano_usd - others_nano_usd - failed_nano_usd;
    return left > 0 ? left : 0;
}

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    const struct scene *s = user;
    (void)candidate, (void)err;
    o->certainty = is_read && s->certainty;
    o->chat = &s->chat;
    o->scratch = s->arena;
    o->answer_bytes_max = SCENE_ANSWER_BYTES_MAX;
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

/* One after the other, until so many have been asked, or failed. */
static void sequential_verdict(const struct scene *s, const struct plan_state *state,
                               struct plan_verdict *ret)
{
    size_t next = 0;
    *ret = (struct plan_verdict){.winner = s->winner};
    while (next < s->voices && state->answers[next].asked)
        next++;
    if (next == s->voices)
        return;
    ret->wait = state->answers[next].pending;
    ret->ask = (uint8_t)(ret->wait ? 0 : 1u << next);
}

/* The same where there is a time: so many are worth asking, after any answers. */
static void timed_sequence(const struct scene *s, const struct plan_state *state,
                           struct plan_verdict *ret)
{
    struct panel panel = {.members = s->shape.member_count, .lambda_count = 1, .lambdas = {1}};
    struct panel_state seen = {.members = s->shape.member_count};
    float likely[PLAN_MEMBERS_MAX] = {0};
    panel.posterior.experts = panel.members;
    for (size_t done = 0; done < PANEL_MEMBERS_MAX; done++)
        panel.values[done].experts = panel.members;
    for (size_t i = 0; i < panel.members; i++) {
        likely[i] = i < s->voices;
        for (size_t done = 1; done < PANEL_MEMBERS_MAX; done++)
            panel.offsets[done][i] = panel_output_of(i < s->voices ? 0.5f : -0.5f);
        seen.asked |= (uint8_t)(state->answers[i].asked << i);
        seen.barred |= (uint8_t)(state->answers[i].pending << i);
        seen.member[i] = (struct panel_member){.quality = 0.5f,
                                               .answer_class = state->answers[i].answer_class,
                                               .stats = state->answers[i].stats};
    }
    timed_panel_verdict(&panel, &s->shape, state, &seen, likely, ret);
}

/* Trusts the members in their order, the first most; with PLAN_TRUST it is the test that says whether to go on. */
static void escalate(const struct scene *s, const struct plan_state *state,
                     struct plan_verdict *ret)
{
    static const struct estimate none;
    const struct plan_answer *a = state->answers;
    struct plan_state read = *state;
    size_t last = s->shape.member_count - 1;
    for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
        read.members[i] = &none;
    escalation_agreement(&s->shape, &read, ret);
    for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
        ret->trust[i] = 0.9f - 0.1f * (float)i;
    if (s->shape.rule == PLAN_AGREE)
        return;
    bool first_done = true;
    for (size_t i = 0; i < last; i++)
        first_done &= a[i].asked;
    ret->final = false;
    ret->winner = s->winner;
    if (first_done && !a[last].asked && !a[last].pending)
        ret->ask = (uint8_t)((unsigned)s->escalate << last);
}

static void verdict(void *user, const struct plan_state *state, struct plan_verdict *ret)
{
    static const struct verified_terms perfect = {.shared_sd = 1};
    struct scene *s = user;
    for (size_t i = 0; i < s->shape.member_count; i++)
        s->seen[i] = state->answers[i].certainty;
    if (s->shape.kind == PLAN_VERIFIED) {
        verified_verdict(&perfect, &s->shape, state, ret);
    } else if (s->shape.kind == PLAN_SEQUENTIAL) {
        (state->is_timed ? timed_sequence : sequential_verdict)(s, state, ret);
    } else {
        escalate(s, state, ret);
        timed_verdict(&s->shape, state, ret);
    }
}

static enum status check(void *user, size_t candidate, struct str completion, struct error *err)
{
    struct scene *s = user;
    if (s->check_is_down)
        return error_set(err, ERR_NOT_FOUND, "no such command");
    snprintf(s->checking, sizeof(s->checking), "%.*s", STR_FMT(completion));
    note("check(%s) ", name_at(candidate));
    return OK;
}

static struct cost check_cancel(void *user)
{
    (void)user;
    note("check_cancel ");
    return (struct cost){.basis = COST_USAGE};
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
    .verdict = verdict,
    .check = check,
    .check_cancel = check_cancel,
    .on_done = on_done,
};

/* Life */

struct scene *scene_begin(void)
{
    static const char *const names[SCENE_EXPERTS] = {"cheap", "mid", "dear", "spare"};
    static const char *const urls[] = {"http://cheap", "http://mid", "http://dear", "http://spare"};
    struct scene *s = &scene;
    *s = (struct scene){0};
    scripted_init(&s->script);
    s->script.on_act = on_act;
    virtual_clock_init(&s->clock, 1000);
    cr_assert_eq(wake_queue_init(&s->wakes, &s->clock.scheduler, NULL), OK);
    cr_assert_eq(gates_create(&s->table, NULL), OK);
    rng_seed(&s->rng, 7);
    cr_assert(s->arena = arena_create(1 << 20));
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        s->experts[i] = (struct expert){
            .name = str_from(names[i]),
            .url = str_from(urls[i]),
            .dialect = &dialect_openai,
            .price = {.input_nano_usd_per_m = 1000000, .output_nano_usd_per_m = 2000000},
            .limits = {.concurrency = 1, .queue_timeout_ms = 30000}};
    s->context = (struct asking_context){.scheduler = &s->clock.scheduler,
                                         .wakes = &s->wakes,
                                         .transport = &s->script.transport,
                                         .rng = &s->rng};
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
    struct str asked = s->options.stream ? STR(ASKED ",\"stream\":true}") : STR(ASKED "}");
    scene_bind(s);
    cr_assert_eq(openai_request_parse(asked, true, s->arena, &s->chat, NULL, &err), OK, "%s",
                 err.text);
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
    for (size_t i = 0; i < s->script.count; i++)
        cr_expect_not(call_at(i)->runs, "call %zu still runs", i);
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
