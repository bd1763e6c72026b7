/* POST /v1/route: the decision with every number that led to it, and no call made. On the worker's thread. It reads and
 * chooses by the very functions that a chat goes through, so what it prints is what would happen; nothing is reserved
 * or recorded, and budgets do not hear of it. An estimate may come later; a client that has left by then is not
 * answered. */
#include "base/log.h"
#include "route/choice_json.h"
#include "route/silences.h"
#include "serve/choosing.h"
#include "serve/errors.h"
#include "serve/target.h"

#define ROUTE_BYTES_MAX (1u << 20)

/* What is shown of one arm, where it is: its name and a colon, behind a comma where it is not the first. False: the
 * key may not use it, and hears nothing of it. */
static bool begin_arm(struct buf *out, const struct choosing *c, size_t arm, bool *first)
{
    const struct plan *plan = &c->choice.arms[arm];
    if (!caller_may_see(c->caller, c->snapshot->pool, plan))
        return false;
    buf_addf(out, "%s\"%.*s\":", *first ? "" : ",", STR_FMT(plan->name));
    *first = false;
    return true;
}

static void write_estimates(struct buf *out, const struct choosing *c)
{
    bool first = true;
    buf_add_c(out, ",\"estimates\":{");
    for (size_t i = 0; i < c->choice.arm_count; i++) {
        if (!begin_arm(out, c, i, &first))
            continue;
        buf_add_char(out, '[');
        json_write_double(out, (double)c->choice.estimates[i].quality);
        buf_add_char(out, ',');
        money_format_usd(out, c->choice.estimates[i].cost_nano_usd);
        buf_add_char(out, ']');
    }
    buf_add_char(out, '}');
}

static void write_unfamiliar(struct buf *out, const struct choosing *c)
{
    const struct estimate *e = c->choice.estimates;
    bool first = true;
    buf_addf(out, ",\"unfamiliar\":%.9g,\"weighed_usd\":{", (double)e->unfamiliar);
    for (size_t i = 0; i < c->choice.arm_count; i++)
        if (begin_arm(out, c, i, &first))
            money_format_usd(out, estimate_weighed_nano_usd(&e[i]));
    buf_add_char(out, '}');
}

/* What estimates say of plans alone. */
static void write_plans(struct buf *out, const struct choosing *c)
{
    const struct pool *p = c->snapshot->pool;
    bool first = true;
    buf_add_c(out, ",\"plans\":{");
    for (size_t i = pool_settings(p)->expert_count; i < c->choice.arm_count; i++) {
        if (!begin_arm(out, c, i, &first))
            continue;
        buf_add_c(out, "{\"escalation\":");
        json_write_double(out, (double)c->choice.estimates[i].escalation);
        buf_add_c(out, ",\"cost_max_usd\":");
        money_format_usd(out, c->choice.estimates[i].cost_max_nano_usd);
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

static void write_ruled_out(struct buf *out, const struct choosing *c)
{
    const char *const *why = c->choice.ruled_out;
    bool first = true;
    buf_add_c(out, ",\"ruled_out\":{");
    for (size_t i = 0; i < c->choice.arm_count; i++)
        if (why[i] && begin_arm(out, c, i, &first))
            buf_addf(out, "\"%s\"", why[i]);
    buf_add_char(out, '}');
}

/* What of the input is taken for cached, and so is cheaper in the estimates. */
static void write_cached(struct buf *out, const struct choosing *c)
{
    const uint32_t *tokens = c->choice.cached_tokens;
    bool first = true;
    buf_add_c(out, ",\"cached_tokens\":{");
    for (size_t i = 0; i < pool_settings(c->snapshot->pool)->expert_count; i++)
        if (tokens[i] > 0 && begin_arm(out, c, i, &first))
            buf_addf(out, "%u", tokens[i]);
    buf_add_char(out, '}');
}

/* Experts whose estimates are a prior, and on what they were placed. */
static void write_placed(struct buf *out, const struct choosing *c)
{
    const struct pool_settings *settings = pool_settings(c->snapshot->pool);
    bool first = true;
    buf_add_c(out, ",\"placed\":{");
    for (size_t i = 0; settings->placed && i < settings->expert_count; i++)
        if (settings->placed[i] && begin_arm(out, c, i, &first))
            json_write_string(out, str_from(settings->placed[i]));
    buf_add_char(out, '}');
}

/* One piece: a list of members in the order in which they are read. */
static void write_decision(struct buf *out, const struct choosing *c)
{
    const struct pool *p = c->snapshot->pool;
    const struct pool_choice *choice = &c->choice;
    const struct decision *d = &choice->decision;
    const struct plan *plan = &choice->arms[d->arm];
    size_t index = choice->target.policy;
    struct str policy = index == SIZE_MAX ? STR("") : pool_settings(p)->policies[index].name;
    buf_addf(out, "{\"id\":\"%s\",\"plan\":\"%.*s\",\"expert\":\"%.*s\"", c->id,
             STR_FMT(plan->kind == PLAN_SINGLE ? STR("single") : plan->name),
             STR_FMT(choice->arms[choice->order[0]].name));
    choice_write_order(p, choice, "members", 0, plan->member_count, out);
    buf_add_c(out, ",\"quality\":");
    json_write_double(out, d->quality);
    buf_add_c(out, ",\"cost_usd\":");
    money_format_usd(out, d->cost_nano_usd);
    buf_add_c(out, ",\"lambda\":");
    json_write_double(out, d->lambda);
    write_estimates(out, c);
    if (choice->estimates->unfamiliar > 0)
        write_unfamiliar(out, c);
    write_plans(out, c);
    buf_addf(out, ",\"policy\":%s%.*s%s", policy.len ? "\"" : "null", STR_FMT(policy),
             policy.len ? "\"" : "");
    choice_write_order(p, choice, "fallbacks", plan->member_count, choice->order_count, out);
    write_ruled_out(out, c);
    write_cached(out, c);
    write_placed(out, c);
    silences_write(c->snapshot->pool, &c->choice, out);
    silences_write_paid(c->snapshot->pool, &c->choice, out);
    choice_write_holder(p, choice, out);
    choice_write_bounds(choice, out);
    buf_addf(out, ",\"model_checksum\":\"%016llx\"}",
             (unsigned long long)model_checksum(pool_model(p)));
}

static void answer_failure(struct choosing *c, enum status status, const struct error *err,
                           const char *param, const char *code)
{
    log_event(LOG_INFO, "route", "req=%s status=%d error=%s", c->id,
              errors_row(status)->http_status, status_name(status));
    answer_error(c->x, c->id, status, err->text, param, code);
}

static void answer(struct choosing *c, enum status status, const struct error *err)
{
    const struct decision *d = &c->choice.decision;
    struct buf body;
    char plan[512];
    if (status != OK) {
        answer_failure(c, status, err, status == ERR_INPUT ? c->target.plans_param : NULL, NULL);
        return;
    }
    log_quote(plan, sizeof(plan), c->choice.label);
    log_event(LOG_INFO, "route", "req=%s expert=%.*s plan=%s status=200 quality=%.4f lambda=%.9g",
              c->id, STR_FMT(c->choice.arms[c->choice.order[0]].name), plan, d->quality, d->lambda);
    buf_init(&body, ROUTE_BYTES_MAX);
    write_decision(&body, c);
    if (body.status == OK)
        answer_json(c->x, 200, c->id, buf_str(&body));
    else
        answer_error(c->x, c->id, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(&body);
}

static enum status read_request(struct choosing *c, const struct caller *caller, const char **param,
                                const char **code, struct error *err)
{
    struct worker *w = c->worker;
    struct http_exchange *x = c->x;
    const struct pool *p = w->snapshot->pool;
    struct session session;
    enum status status = openai_request_parse(x->body, false, x->arena, &c->request, param, err);
    if (status == OK)
        status = target_read(p, caller, x, &c->request, &c->target, param, code, err);
    if (status == OK)
        status = caller_restrict(caller, p, &c->target, x->arena, err);
    if (status == OK)
        status = target_recall(w->gateway->affinity, p, &c->request, target_tenant(caller),
                               loop_now_ms(w->loop), x->arena, &c->target, err);
    if (status == OK && w->snapshot->config->sessions.ttl_ms > 0)
        target_hold(w->gateway->sessions, x, p, &c->request, target_tenant(caller),
                    loop_now_ms(w->loop), &c->target, &session);
    return status;
}

void route_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct error err = {0};
    const char *param = NULL, *code = NULL;
    struct choosing *c = ARENA_NEW(x->arena, struct choosing);
    if (!c) {
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return;
    }
    *c = (struct choosing){
        .worker = w, .x = x, .caller = caller, .event = "route", .on_chosen = answer};
    worker_request_id(w, c->id);
    enum status status = read_request(c, caller, &param, &code, &err);
    if (status == OK)
        choosing_begin(c);
    else
        answer_failure(c, status, &err, param, code);
}
