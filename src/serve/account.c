/* What an exchange cost, the headers and the line that say so, and the record that goes to whoever counts. One path for
 * streamed and whole answers: the same usage at the same price costs the same. What each expert cost is in the asking
 * (ask/asking.h); here it is summed and told. On the worker's thread. chat_account is called once for each request that
 * was opened, before the exchange is answered to its end; from other threads nothing here may be called. */
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/saturate.h"
#include "cache/cache.h"
#include "route/decision_json.h"
#include "route/silences.h"
#include "serve/chat_int.h"
#include "store/ledger.h"
#include "watch/encoder_watch.h"
#include "watch/keeping.h"

#define USD_BYTES_MAX       32
#define KEPT_BODY_BYTES_MAX (256u << 10) /* larger ones hold more than a question */

static const struct asking_paid *paid_by(const struct chat *c, size_t *ret_count)
{
    *ret_count = 0;
    return c->asking ? asking_paid(c->asking, ret_count) : NULL;
}

size_t chat_paid_count(const struct chat *c)
{
    size_t count;
    (void)paid_by(c, &count);
    return count;
}

/* What the encoders were paid: once for a request, whoever is asked then. */
static void add_reading(const struct chat *c, struct cost *sum)
{
    for (size_t i = 0; c->chosen && i < ENCODERS_MAX; i++)
        cost_add(sum, &c->choice.reading[i]);
}

struct cost chat_cost_total(const struct chat *c)
{
    size_t count;
    const struct asking_paid *paid = paid_by(c, &count);
    struct cost sum = asking_cost_of(paid, count);
    add_reading(c, &sum);
    chat_check_costs(c, &sum);
    if (c->cache.hit)
        sum.basis = COST_USAGE; /* that it cost nothing is known */
    return sum;
}

struct cost chat_cost_predicted(const struct chat *c)
{
    const struct estimate *e = &c->choice.estimates[c->choice.order[chat_candidate(c)]];
    struct cost sum = chat_cost_total(c), failed = asking_cost_failed(c->asking);
    const struct cost next = {
        .basis = COST_PREDICTED,
        .nano_usd = e->cost_nano_usd,
        .tokens = {.input = (int64_t)e->input_tokens, .output = (int64_t)e->output_tokens}};
    cost_add(&sum, &failed);
    cost_add(&sum, &next);
    return sum;
}

static void format_usd(int64_t nano_usd, char into[USD_BYTES_MAX])
{
    struct buf text;
    buf_init(&text, USD_BYTES_MAX);
    money_format_usd(&text, nano_usd);
    snprintf(into, USD_BYTES_MAX, "%s", text.ptr ? text.ptr : "");
    buf_done(&text);
}

static struct str in_arena(const struct chat *c, const char *text)
{
    return arena_copy(c->x->arena, str_from(text));
}

static struct str expert_name(const struct chat *c)
{
    return c->cache.hit ? c->cache.hit->face.expert : chat_expert(c)->name;
}

static struct str plan_label(const struct chat *c)
{
    if (c->cache.hit)
        return c->cache.hit->face.plan;
    return c->has_plan ? c->choice.label : str_from(plan_kind_name(PLAN_SINGLE));
}

static const struct expert *paid_expert(const struct chat *c, const struct asking_paid *p)
{
    return &c->snapshot->config->experts[c->choice.order[p->candidate]];
}

/* Nothing was asked for a hit, so its cost of nothing has no other basis. */
static const char *basis_name(const struct chat *c, const struct cost *cost)
{
    return c->cache.hit ? "cached" : cost_basis_name(cost->basis);
}

static void write_paid(const struct chat *c, const struct asking_paid *p, struct buf *out)
{
    buf_addf(out, "{\"expert\":\"%.*s\",\"cost_usd\":", STR_FMT(paid_expert(c, p)->name));
    money_format_usd(out, p->cost.nano_usd);
    buf_addf(out, ",\"latency_ms\":%llu,\"cost_basis\":\"%s\",\"outcome\":\"%s\"%s}",
             (unsigned long long)(p->ended_ms - p->asked_ms), cost_basis_name(p->cost.basis),
             call_outcome_name(p->outcome), p->hedge ? ",\"hedge\":true" : "");
}

/* One piece: a list of members in the order in which they are read. */
void chat_write_member(const struct chat *c, struct buf *out)
{
    struct asking_paid paid[ASKING_PAID_MAX + 1];
    size_t count = c->asking ? asking_paid_until_now(c->asking, paid) : 0;
    struct cost cost = c->asking ? asking_cost_of(paid, count) : chat_cost_total(c);
    if (c->asking) {
        add_reading(c, &cost);
        chat_check_costs(c, &cost);
    }
    struct str plan = str_from(plan_kind_name(PLAN_SINGLE));
    if (c->cache.hit)
        plan = c->cache.hit->face.plan;
    else if (c->has_plan)
        plan = c->choice.arms[c->choice.decision.arm].name;
    buf_addf(out, ",\"leeroo\":{\"expert\":\"%.*s\",\"plan\":\"%.*s\",\"cost_usd\":",
             STR_FMT(expert_name(c)), STR_FMT(plan));
    money_format_usd(out, cost.nano_usd);
    buf_addf(out, ",\"cost_basis\":\"%s\"%s", basis_name(c, &cost),
             c->cache.hit ? ",\"cached\":true" : "");
    if (chat_verified(c))
        buf_addf(out, ",\"verified\":\"%s\",\"verified_by\":\"%.*s\"", chat_verified(c),
                 STR_FMT(chat_verifier(c)));
    bool several = c->has_plan || count > 1;
    for (size_t i = 0; several && i < count; i++) {
        buf_add_c(out, i ? "," : ",\"calls\":[");
        write_paid(c, &paid[i], out);
    }
    if (several && count > 0)
        chat_check_write(c, out);
    buf_add_c(out, several ? "]}" : "}");
}

/* What the expert's own entry drops, of the request as it was sent: the client's bytes, or the chat they became. */
static void add_edits(const struct chat *c, struct dropped *all)
{
    const struct expert *e = chat_expert(c);
    struct json_value root = c->request.root;
    if (c->native && json_parse(c->x->body, "request", 1, &root, NULL) != OK)
        return;
    member_edit_dropped(e->edits, e->edit_count, root, all);
}

/* An expert of the client's own dialect was sent the client's own bytes, of which no front has left anything out. */
static struct str dropped_by(const struct chat *c)
{
    struct dropped all = c->native ? (struct dropped){0} : c->asked.dropped;
    bool edits = c->chosen && chat_expert(c)->edit_count > 0;
    if (c->asking)
        dropped_join(&all, asking_lost(c->asking));
    if (!c->native && c->chosen && !(chat_expert(c)->capabilities & EXPERT_EFFORT))
        dropped_join(&all, &c->asked.effort);
    if (!c->native && c->chosen && c->request.tool_images > 0 &&
        !(chat_expert(c)->capabilities & EXPERT_IMAGES))
        dropped_add(&all, "tool_result", STR("image"));
    if (!c->native && c->chosen && chat_expert(c)->dialect->drops)
        chat_expert(c)->dialect->drops(&c->request, &all);
    if (edits)
        add_edits(c, &all);
    if (all.len == 0)
        return STR("");
    struct str copy = arena_copy(c->x->arena, dropped_text(&all));
    return copy.ptr ? copy : STR("");
}

/* With a blank behind each comma, as lists in headers are written. */
static struct str dropped_header(const struct chat *c)
{
    struct str rest = dropped_by(c);
    struct buf list;
    buf_init(&list, 2 * DROPPED_BYTES_MAX);
    while (rest.len > 0) {
        buf_add(&list, str_split(&rest, ','));
        buf_add_c(&list, rest.len > 0 ? ", " : "");
    }
    struct str copy = arena_copy(c->x->arena, buf_str(&list));
    buf_done(&list);
    return copy;
}

const char *chat_session(const struct chat *c)
{
    if (!c->chosen || c->cache.hit || !c->choice.target.is_held)
        return NULL;
    return c->choice.order[chat_candidate(c)] == c->choice.target.holder ? "stayed" : "moved";
}

/* One piece: a list, header by header. */
size_t chat_headers(const struct chat *c, const struct cost *cost, struct http_header *headers)
{
    char usd[USD_BYTES_MAX], lambda[40];
    size_t n = 0;
    format_usd(cost->nano_usd, usd);
    snprintf(lambda, sizeof(lambda), "%.9g",
             c->cache.hit ? c->cache.hit->face.lambda : c->choice.decision.lambda);
    headers[n++] = (struct http_header){STR("x-leeroo-request-id"), str_from(c->id)};
    headers[n++] =
        (struct http_header){STR("x-request-id"), str_from(c->id)}; /* for OpenAI's clients */
    if (c->front.front == FRONT_MESSAGES)
        headers[n++] = (struct http_header){STR("request-id"), str_from(c->id)};
    /* Copies: the configuration may go with the chat, before the headers are written. */
    headers[n++] =
        (struct http_header){STR("x-leeroo-expert"), arena_copy(c->x->arena, expert_name(c))};
    headers[n++] =
        (struct http_header){STR("x-leeroo-plan"), arena_copy(c->x->arena, plan_label(c))};
    headers[n++] = (struct http_header){STR("x-leeroo-lambda"), in_arena(c, lambda)};
    headers[n++] = (struct http_header){STR("x-leeroo-cost-usd"), in_arena(c, usd)};
    headers[n++] = (struct http_header){STR("x-leeroo-cost-basis"), str_from(basis_name(c, cost))};
    struct str dropped = dropped_header(c);
    if (dropped.len > 0)
        headers[n++] = (struct http_header){STR("x-leeroo-dropped"), dropped};
    struct str silent = silences_header(c->snapshot->pool, &c->choice, c->x->arena);
    if (silent.len > 0)
        headers[n++] = (struct http_header){STR("x-leeroo-silent"), silent};
    if (chat_verified(c)) {
        struct cost checks = {.basis = COST_USAGE};
        chat_check_costs(c, &checks);
        format_usd(checks.nano_usd, usd);
        headers[n++] = (struct http_header){STR("x-leeroo-verified"), str_from(chat_verified(c))};
        headers[n++] = (struct http_header){STR("x-leeroo-verified-by"),
                                            arena_copy(c->x->arena, chat_verifier(c))};
        headers[n++] = (struct http_header){STR("x-leeroo-check-cost-usd"), in_arena(c, usd)};
    }
    if (chat_session(c))
        headers[n++] = (struct http_header){STR("x-leeroo-session"), str_from(chat_session(c))};
    return n + chat_cache_headers(c, headers + n);
}

/* The request and its record */

static void record_hit(struct record *r, const struct cache_face *face)
{
    r->expert = face->expert;
    r->plan = face->plan;
    r->quality = face->quality;
    r->lambda = face->lambda;
    r->reference_nano_usd = face->reference_nano_usd;
    r->cached = true;
}

/* One piece: which members are known depends on how far the request came, in this order. */
static struct record record_of(const struct chat *c)
{
    const struct pool_choice *choice = &c->choice;
    struct record r = {
        .id = c->id,
        .begin_wall_ms = c->begin_wall_ms,
        .front = str_from(front_name(c->front.front)),
        .key = caller_key_id(c->caller),
        .trace = &c->trace,
        .model = c->request.model,
        .stream = c->request.stream,
        .first_token_ms = -1,
    };
    if (!c->chosen && !c->cache.hit)
        return r;
    size_t reference = c->snapshot->config->reference, policy = choice->target.policy;
    if (policy != SIZE_MAX)
        r.policy = c->snapshot->config->policies[policy].name;
    if (c->cache.hit) {
        record_hit(&r, &c->cache.hit->face);
        return r;
    }
    size_t arm = c->has_plan ? choice->decision.arm : choice->order[chat_candidate(c)];
    r.expert = chat_expert(c)->name;
    r.plan = plan_label(c);
    r.quality = (double)choice->estimates[arm].quality;
    r.lambda = choice->decision.lambda;
    r.predicted_nano_usd = choice->estimates[arm].cost_nano_usd;
    r.reference_nano_usd = choice->estimates[reference].cost_nano_usd;
    return r;
}

void chat_face(const struct chat *c, struct cache_face *ret)
{
    struct record r = record_of(c);
    *ret = (struct cache_face){.expert = r.expert,
                               .plan = r.plan,
                               .quality = r.quality,
                               .lambda = r.lambda,
                               .reference_nano_usd = r.reference_nano_usd,
                               .expert_index = c->choice.order[chat_candidate(c)]};
}

void chat_open(struct chat *c)
{
    struct record r = record_of(c);
    struct buf decision;
    buf_init(&decision, LEDGER_DECISION_BYTES_MAX);
    if (c->cache.hit) {
        r.decision = STR("{\"cached\":true}");
    } else if (c->worker->gateway->ledger) {
        decision_write(c->snapshot->pool, &c->choice, &decision);
        r.decision = decision.status == OK ? buf_str(&decision) : STR("");
    }
    if (!c->cache.hit && silences_any(&c->choice))
        encoder_watch_silence(clock_now_ms());
    watch_begin(&c->worker->watch, &r);
    buf_done(&decision);
}

static bool is_noted(const struct chat *c, size_t expert)
{
    size_t count;
    const struct asking_paid *paid = paid_by(c, &count);
    for (size_t i = 0; i < count; i++)
        if (c->choice.order[paid[i].candidate] == expert)
            return true;
    return false;
}

static void add_predicted(const struct chat *c, size_t expert, struct key_reserved *sum)
{
    const struct estimate *e = &c->choice.estimates[expert];
    sum->nano_usd = add_saturated(sum->nano_usd, e->cost_nano_usd);
    sum->tokens += (int64_t)e->input_tokens + (int64_t)e->output_tokens;
}

static bool is_in_plan(const struct chat *c, size_t expert)
{
    const struct plan *plan = &c->choice.arms[c->choice.decision.arm];
    for (size_t k = 0; c->has_plan && k < plan->member_count; k++)
        if (plan->members[k] == expert)
            return true;
    return false;
}

/* What the request is predicted to cost in all once this expert is asked, too, and what at most: what it has cost so
 * far, and what those experts may still cost that were asked and are not done with. Of a plan at least all of it, so
 * that no member is paid for whose plan cannot be paid to its end. */
static struct key_reserved predict_whole(const struct chat *c, size_t expert)
{
    struct cost spent = chat_cost_total(c), failed = asking_cost_failed(c->asking);
    cost_add(&spent, &failed);
    struct key_reserved sum = {spent.nano_usd, spent.tokens.input + spent.tokens.output,
                               spent.nano_usd};
    bool has_budget = key_limits_have_budget(client_key_limits(c->caller->key));
    for (size_t i = 0; i < c->snapshot->config->expert_count; i++) {
        bool asked = i == expert || (c->caller->asked[i / 64] >> i % 64 & 1);
        bool open = i == expert || !is_noted(c, i);
        if (asked && open)
            add_predicted(c, i, &sum);
        if (has_budget && open && (asked || is_in_plan(c, i)))
            sum.worst_nano_usd =
                add_saturated(sum.worst_nano_usd,
                              pool_worst_nano_usd(c->snapshot->pool, &c->request, &c->choice, i));
    }
    if (c->has_plan && sum.nano_usd < c->choice.decision.cost_nano_usd)
        sum.nano_usd = c->choice.decision.cost_nano_usd;
    int64_t max = c->choice.policy.max_cost_nano_usd; /* beside what reading has cost */
    if (max > 0)
        max = add_saturated(max, pool_reading_nano_usd(&c->choice));
    if (max > 0 && sum.worst_nano_usd > max)
        sum.worst_nano_usd = max;
    return sum;
}

enum status chat_may_ask(const struct chat *c, const struct expert *expert, struct error *err)
{
    size_t index = (size_t)(expert - c->snapshot->config->experts);
    if (!c->caller || !c->caller->key)
        return OK;
    if (!key_names_have(&client_key_limits(c->caller->key)->experts, expert->name))
        return error_set(err, ERR_FORBIDDEN, "this key may not use the expert '%.*s'",
                         STR_FMT(expert->name));
    enum status status = caller_may_spend(c->caller, predict_whole(c, index), err);
    if (status == OK)
        c->caller->asked[index / 64] |= UINT64_C(1) << index % 64;
    return status;
}

/* Encoders that were paid, by their names, so that a request's calls add up to its cost. */
static size_t list_reading(const struct chat *c, struct record_call *calls)
{
    const struct encoder *const *encoders;
    size_t n = 0;
    if (!c->chosen || !pool_reading_nano_usd(&c->choice))
        return 0;
    size_t count = model_encoders(pool_model(c->snapshot->pool), &encoders);
    for (size_t i = 0; i < count; i++)
        if (c->choice.reading[i].nano_usd > 0)
            calls[n++] = (struct record_call){.expert = str_from(encoders[i]->name),
                                              .outcome = CALL_ANSWERED,
                                              .cost = c->choice.reading[i]};
    return n;
}

static size_t list_calls(const struct chat *c, struct record_call *calls)
{
    size_t count;
    const struct asking_paid *paid = paid_by(c, &count);
    for (size_t i = 0; i < count; i++) {
        const struct asking_paid *p = &paid[i];
        calls[i] = (struct record_call){.expert = paid_expert(c, p)->name,
                                        .asked = paid_expert(c, p),
                                        .outcome = p->outcome,
                                        .cost = p->cost,
                                        .begin_ms = p->asked_ms - c->begin_ms,
                                        .latency_ms = p->ended_ms - p->asked_ms,
                                        .hedge = p->hedge};
    }
    count += chat_check_calls(c, calls + count);
    return count + list_reading(c, calls + count);
}

/* Questions that stand alone: texts that begin a conversation, without tools. What was asked later, or with an image,
 * cannot be asked again by itself; and who says `"store": false` is taken at his word, in whatever API. */
static bool may_be_kept(const struct chat *c)
{
    const struct openai_request *r = &c->request;
    struct json_value root;
    bool alone = r->earlier_count == 0 && r->last_answer.type == JSON_NONE;
    if (!alone || r->images > 0 || json_is_filled(r->tools) || c->x->body.len > KEPT_BODY_BYTES_MAX)
        return false;
    return json_parse(c->x->body, "request body", 1, &root, NULL) == OK &&
           json_get(root, "store").type != JSON_FALSE;
}

static void release_snapshot(void *snapshot)
{
    snapshot_release(snapshot);
}

static void keep_prompt(const struct chat *c, const struct record *r)
{
    const struct config *config = c->snapshot->config;
    bool good = c->chosen && r->outcome == REQUEST_ANSWERED && r->http_status == 200;
    if (!good || !c->worker->gateway->keeping || !config->keep.on ||
        !keeping_wants(config->keep.share, str_from(c->id)) || !may_be_kept(c))
        return;
    const struct keeping_offer offer = {.request_id = str_from(c->id),
                                        .key = r->key,
                                        .expert = r->expert,
                                        .text = c->estimates.question,
                                        .at_ms = c->begin_wall_ms,
                                        .experts = config->experts,
                                        .expert_count = config->expert_count,
                                        .embedders = config->embedders,
                                        .embedder_count = config->embedder_count,
                                        .holder = snapshot_hold(c->snapshot),
                                        .release = release_snapshot};
    keeping_offer(c->worker->gateway->keeping, &offer);
}

/* Whether nobody but the reference was asked and it has answered: it would have cost what it did cost, and a prediction
 * that was too high saves nothing. */
static bool is_reference_itself(const struct chat *c, enum request_outcome outcome)
{
    return outcome == REQUEST_ANSWERED && c->chosen && !c->has_plan &&
           c->choice.order[chat_candidate(c)] == c->snapshot->config->reference;
}

/* One piece: the record's fields, then everybody who is told of it. */
void chat_account(struct chat *c, enum request_outcome outcome, int http_status,
                  const char *problem)
{
    struct record_call calls[ASKING_PAID_MAX + PLAN_MEMBERS_MAX + ENCODERS_MAX];
    struct record r = record_of(c);
    r.outcome = outcome;
    r.http_status = http_status;
    r.cost = chat_cost_total(c);
    if (is_reference_itself(c, outcome))
        r.reference_nano_usd = r.cost.nano_usd - pool_reading_nano_usd(&c->choice);
    r.attempts = c->asking ? asking_calls(c->asking) : 0;
    r.total_ms = loop_now_ms(c->worker->loop) - c->begin_ms;
    r.problem = problem;
    r.session = chat_session(c);
    r.verified = chat_verified(c);
    r.dropped = dropped_by(c);
    r.calls = calls;
    r.call_count = list_calls(c, calls);
    if (c->first_token_ms)
        r.first_token_ms = (int64_t)(c->first_token_ms - c->begin_ms);
    caller_settle(c->caller, &r.cost);
    watch_end(&c->worker->watch, &r);
    keep_prompt(c, &r);
    chat_check_learn(c);
    if (c->chosen && (http_status == 200 || r.cost.nano_usd > 0))
        pool_observe(c->snapshot->pool, c->choice.target.policy, r.cost.nano_usd,
                     c->choice.usual_usd);
}
