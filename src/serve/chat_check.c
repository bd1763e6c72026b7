/* A chat in a policy that verifies: has its answers checked, by the policy's verifier or by an expert that judges, and
 * says what came of it in headers, body and record. On the worker's thread. What a check has said goes to the asking
 * (asking_checked), after which the chat may be gone: nothing is touched then. Only the asking calls chat_check and
 * chat_check_cancel. */
#include <stdio.h>

#include "base/json.h"
#include "base/money.h"
#include "dialect/openai_completion.h"
#include "serve/chat_int.h"
#include "verify/verify.h"

#define CHECK_TEXT_BYTES_MAX (1u << 20) /* of what a judging expert is asked */

static const struct verify_settings *settings_of(const struct chat *c)
{
    size_t policy = c->choice.target.policy;
    const struct verify_settings *all = c->snapshot->config->verify;
    return policy == SIZE_MAX || !all || all[policy].kind == VERIFY_NONE ? NULL : &all[policy];
}

/* Its request: */

void chat_check_target(const struct chat *c, struct pool_target *target)
{
    const struct verify_settings *all = c->snapshot->config->verify;
    if (target->policy != SIZE_MAX && all && all[target->policy].kind != VERIFY_NONE)
        (void)verify_applies(&all[target->policy], c->request.root, &target->unchecked);
}

/* What is checked. ERR_UPSTREAM: the expert's answer is no chat completion. */
static enum status read_answer(const struct chat *c, struct str completion,
                               struct verify_input *ret, struct error *err)
{
    struct json_value root;
    enum status status = json_parse(completion, "answer", 1, &root, err);
    if (status != OK)
        return status;
    struct json_value message = json_get(openai_choice_first(root), "message");
    struct json_value content = json_get(message, "content");
    struct str text = STR("");
    if (content.type == JSON_STRING)
        status = json_string_decode(content, c->x->arena, &text);
    if (status != OK)
        return error_set(err, status, "the answer cannot be read for its check");
    *ret = (struct verify_input){.request = c->request.root,
                                 .question = c->estimates.question,
                                 .answer = text,
                                 .tool_calls = json_get(message, "tool_calls")};
    return OK;
}

/* What it says: */

static enum plan_check check_of(enum verify_verdict verdict)
{
    return verdict == VERIFY_PASS     ? PLAN_PASSED
           : verdict == VERIFY_REJECT ? PLAN_REJECTED
                                      : PLAN_CHECK_DOWN;
}

static void on_verified(void *user, const struct verify_end *end)
{
    struct chat *c = user;
    const struct cost cost = {.basis = COST_USAGE, .nano_usd = end->cost_nano_usd};
    c->check.task = NULL;
    asking_checked(c->asking, check_of(end->verdict), str_from(end->why), &cost);
}

/* An expert that judges: */

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    const struct chat *c = user;
    uint32_t limit_ms = settings_of(c)->timeout_ms;
    (void)candidate, (void)is_read, (void)err;
    o->chat = &c->check.asked;
    o->scratch = c->x->arena;
    o->answer_bytes_max = c->snapshot->config->limits.answer_bytes;
    if (o->total_timeout_ms == 0 || o->total_timeout_ms > limit_ms)
        o->total_timeout_ms = limit_ms;
    return OK;
}

static struct cost judge_cost(const struct chat *c)
{
    size_t count;
    const struct asking_paid *paid = asking_paid(c->check.judge, &count);
    return asking_cost_of(paid, count);
}

static void read_reply(const struct chat *c, const struct asking_end *end, struct verify_end *ret)
{
    struct json_value root;
    struct str text = STR("");
    struct error err = {0};
    if (end->status != OK) {
        *ret = (struct verify_end){.verdict = VERIFY_DOWN};
        snprintf(ret->why, sizeof(ret->why), "%s", end->err->text);
        return;
    }
    if (json_parse(end->answer->body, "reply", 1, &root, &err) == OK) {
        struct json_value content =
            json_get(json_get(openai_choice_first(root), "message"), "content");
        if (content.type == JSON_STRING && json_string_decode(content, c->x->arena, &text) != OK)
            text = STR("");
    }
    verify_expert_read(text, ret);
}

static void on_judged(void *user, const struct asking_end *end)
{
    struct chat *c = user;
    struct verify_end said;
    read_reply(c, end, &said);
    const struct cost cost = judge_cost(c);
    asking_release(c->check.judge);
    c->check.judge = NULL;
    if (c->check.beginning) /* it could not be asked; chat_check says so */
        snprintf(c->check.why, sizeof(c->check.why), "%s", said.why);
    else
        asking_checked(c->asking, check_of(said.verdict), str_from(said.why), &cost);
}

static const struct asking_ops judge_ops = {.fill = fill, .on_done = on_judged};

static void write_chat(const struct verify_settings *s, const struct verify_input *input,
                       uint64_t nonce, struct buf *out)
{
    struct buf system, user;
    buf_init(&system, CHECK_TEXT_BYTES_MAX);
    buf_init(&user, CHECK_TEXT_BYTES_MAX);
    verify_expert_ask(s, input, nonce, &system, &user);
    buf_add_c(out, "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"system\",\"content\":");
    json_write_string(out, buf_str(&system));
    buf_add_c(out, "},{\"role\":\"user\",\"content\":");
    json_write_string(out, buf_str(&user));
    buf_add_c(out, "}]}");
    if (system.status != OK || user.status != OK)
        out->status = ERR_TOO_LARGE;
    buf_done(&user);
    buf_done(&system);
}

/* One piece: the body of the request, then the one candidate that is asked it. */
static enum status ask_judge(struct chat *c, const struct verify_settings *s,
                             const struct verify_input *input, struct error *err)
{
    const struct config *config = c->snapshot->config;
    struct buf body;
    struct str text = {0};
    buf_init(&body, 4 * CHECK_TEXT_BYTES_MAX);
    write_chat(s, input, rng_next(&c->worker->rng), &body);
    enum status status = buf_status(&body, err);
    if (status == OK && !(text = arena_copy(c->x->arena, buf_str(&body))).ptr)
        status = error_set(err, ERR_MEMORY, "out of memory for a check");
    buf_done(&body);
    if (status == OK)
        status = openai_request_parse(text, true, c->x->arena, &c->check.asked, NULL, err);
    c->check.candidate = (struct asking_candidate){
        .expert = &config->experts[s->expert_index],
        .gate = c->snapshot->gates[s->expert_index],
        .input_tokens = (int64_t)text.len / 4,
        .rate_tokens = (int64_t)text.len / 4,
    };
    const struct asking_options o = {.context = &c->worker->asking,
                                     .ops = &judge_ops,
                                     .user = c,
                                     .id = c->id,
                                     .arena = c->x->arena,
                                     .candidates = &c->check.candidate,
                                     .count = 1,
                                     .input_tokens = (int64_t)text.len / 4};
    if (status == OK)
        status = asking_create(&o, &c->check.judge, err);
    if (status != OK)
        return status;
    c->check.beginning = true;
    asking_start(c->check.judge);
    c->check.beginning = false;
    return c->check.judge ? OK : error_set(err, ERR_OVERLOAD, "%s", c->check.why);
}

/* Functions of the asking: */

enum status chat_check(void *user, size_t candidate, struct str completion, struct error *err)
{
    struct chat *c = user;
    const struct verify_settings *s = settings_of(c);
    const struct verify_thread on = {c->worker->asking.scheduler, c->worker->asking.transport};
    struct verify_input input;
    (void)candidate;
    enum status status = read_answer(c, completion, &input, err);
    if (status != OK)
        return status;
    if (s->kind == VERIFY_EXPERT)
        return ask_judge(c, s, &input, err);
    return verifier_begin(c->snapshot->verifiers[c->choice.target.policy], &on, &input, on_verified,
                          c, &c->check.task, err);
}

struct cost chat_check_cancel(void *user)
{
    struct chat *c = user;
    struct cost cost = {.basis = COST_USAGE};
    if (c->check.task)
        verifier_cancel(c->check.task);
    if (c->check.judge) {
        asking_cancel(c->check.judge);
        cost = judge_cost(c);
        asking_release(c->check.judge);
    }
    c->check.task = NULL;
    c->check.judge = NULL;
    return cost;
}

/* What is told of it: */

static const char *word_of(enum plan_check verdict)
{
    return verdict == PLAN_PASSED ? "passed" : verdict == PLAN_REJECTED ? "rejected" : "down";
}

const char *chat_verified(const struct chat *c)
{
    size_t count = 0;
    if (!settings_of(c))
        return NULL;
    if (c->cache.hit)
        return "passed"; /* nothing else is stored */
    if (!c->chosen || !c->choice.is_verified)
        return "unchecked";
    const struct asking_check *checks = c->asking ? asking_checks(c->asking, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        if (checks[i].candidate == chat_candidate(c))
            return word_of(checks[i].verdict);
    return "unchecked";
}

struct str chat_verifier(const struct chat *c)
{
    return settings_of(c) ? settings_of(c)->name : STR("");
}

void chat_check_costs(const struct chat *c, struct cost *sum)
{
    size_t count = 0;
    const struct asking_check *checks = c->asking ? asking_checks(c->asking, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        if (checks[i].cost.nano_usd > 0)
            cost_add(sum, &checks[i].cost);
}

size_t chat_check_calls(const struct chat *c, struct record_call *calls)
{
    size_t count = 0;
    const struct asking_check *checks = c->asking ? asking_checks(c->asking, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct expert *of =
            &c->snapshot->config->experts[c->choice.order[checks[i].candidate]];
        bool down = checks[i].verdict == PLAN_CHECK_DOWN;
        calls[i] = (struct record_call){.expert = chat_verifier(c),
                                        .outcome = down ? CALL_FAILED : CALL_ANSWERED,
                                        .cost = checks[i].cost,
                                        .begin_ms = checks[i].begin_ms - c->begin_ms,
                                        .latency_ms = checks[i].ended_ms - checks[i].begin_ms,
                                        .verdict = word_of(checks[i].verdict),
                                        .checked = of->name,
                                        .why = checks[i].why};
    }
    return count;
}

void chat_check_learn(const struct chat *c)
{
    size_t count = 0;
    const struct asking_check *checks = c->asking ? asking_checks(c->asking, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        if (checks[i].verdict != PLAN_CHECK_DOWN)
            pool_check_observe(c->snapshot->pool, &c->choice, c->choice.order[checks[i].candidate],
                               checks[i].verdict == PLAN_PASSED, checks[i].right);
}

void chat_check_write(const struct chat *c, struct buf *out)
{
    struct record_call calls[PLAN_MEMBERS_MAX];
    size_t count = chat_check_calls(c, calls);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, ",{\"expert\":");
        json_write_string(out, calls[i].expert);
        buf_add_c(out, ",\"cost_usd\":");
        money_format_usd(out, calls[i].cost.nano_usd);
        buf_addf(out,
                 ",\"latency_ms\":%llu,\"cost_basis\":\"%s\",\"outcome\":\"%s\",\"verdict\":"
                 "\"%s\",\"checked\":\"%.*s\",\"why\":",
                 (unsigned long long)calls[i].latency_ms, cost_basis_name(calls[i].cost.basis),
                 call_outcome_name(calls[i].outcome), calls[i].verdict, STR_FMT(calls[i].checked));
        json_write_string(out, calls[i].why);
        buf_add_char(out, '}');
    }
}
