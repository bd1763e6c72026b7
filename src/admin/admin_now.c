/* GET /v1/admin/now: what the gateway does at this moment, in one object; and GET /v1/admin/history: what it did.
 *
 * On the loop of whichever worker is asked: gates and budgets are read under locks that are held for a few
 * instructions, the history is copied and written at the desk. Only write_steps is the desk's; it must not be called
 * from a loop, for a day of many experts takes milliseconds. */
#include "admin/admin_int.h"
#include "admin/admin_query.h"
#include "base/check.h"
#include "base/json.h"
#include "serve/reload.h"
#include "watch/history_json.h"

static void write_ms(struct buf *out, const char *key, uint32_t ms)
{
    if (ms == HISTORY_MS_UNKNOWN)
        buf_addf(out, "%snull", key);
    else
        buf_addf(out, "%s%u", key, ms);
}

static void write_latency(struct buf *out, const char *key, const struct history_latency *l)
{
    buf_addf(out, ",\"%s\":{", key);
    write_ms(out, "\"p50_ms\":", l->p50);
    write_ms(out, ",\"p95_ms\":", l->p95);
    write_ms(out, ",\"p99_ms\":", l->p99);
    buf_add_char(out, '}');
}

static void write_sum(struct buf *out, const char *key, const struct history_sum *s)
{
    buf_addf(out, ",\"%s\":{\"requests\":%llu", key, (unsigned long long)s->requests);
    figures_write_usd(out, "usd", s->nano_usd);
    figures_write_usd(out, "reference_usd", s->reference_nano_usd);
    buf_addf(out, ",\"errors\":%llu}", (unsigned long long)s->failed);
}

static void write_rates(struct buf *out, const struct history_now *now)
{
    buf_add_c(out, ",\"rates\":{\"requests_per_s\":");
    json_write_double(out, now->requests_per_s);
    figures_write_real(out, "errors_per_s", now->failed_per_s);
    figures_write_real(out, "rejected_per_s", now->rejected_per_s);
    figures_write_real(out, "retries_per_s", now->retries_per_s);
    figures_write_real(out, "tokens_per_s", now->tokens_per_s);
    figures_write_real(out, "usd_per_hour", now->usd_per_hour);
    buf_add_char(out, '}');
}

/* Where every expert was placed by a prior there is no model yet. */
static void write_model(const struct figures *f, const struct snapshot *s, struct buf *out)
{
    struct reload_counts counts = {.last_wall_ms = 0};
    if (config_all_placed(s->config)) {
        buf_add_c(out, ",\"model\":null");
        return;
    }
    if (f->gateway->reload)
        reload_counts(f->gateway->reload, &counts);
    buf_addf(out, ",\"model\":{\"checksum\":\"%016llx\",\"loaded_ms\":%lld}",
             (unsigned long long)model_checksum(s->model),
             (long long)(counts.last_wall_ms ? counts.last_wall_ms : f->start_ms));
}

static const char *state_of(const struct gate_reading *r)
{
    return r->cool_status && r->state == HEALTH_CLOSED ? "cooling" : health_state_name(r->state);
}

static void write_expert(const struct expert *e, const struct gate_reading *r,
                         const struct history_expert *h, struct buf *out)
{
    buf_add_c(out, "{\"name\":");
    json_write_string(out, e->name);
    buf_addf(out, ",\"state\":\"%s\",\"in_flight\":%u,\"queued\":%u,\"limit\":", state_of(r),
             r->in_flight, r->waiting);
    if (e->limits.concurrency)
        buf_addf(out, "%u", e->limits.concurrency);
    else
        buf_add_c(out, "null");
    figures_write_real(out, "requests_per_s", h->calls_per_s);
    figures_write_real(out, "errors_per_s", h->failed_per_s);
    write_ms(out, ",\"p50_ms\":", h->p50_ms);
    figures_write_text(out, "why", str_from(r->why));
    buf_add_char(out, '}');
}

static void write_experts(struct worker *w, const struct history_expert *all, struct buf *out)
{
    const struct config *c = w->snapshot->config;
    buf_add_c(out, ",\"experts\":[");
    for (size_t i = 0; i < c->expert_count; i++) {
        struct gate_reading r;
        gate_read(w->snapshot->gates[i], loop_now_ms(w->loop), &r);
        buf_add_c(out, i ? "," : "");
        write_expert(&c->experts[i], &r, &all[i], out);
    }
    buf_add_char(out, ']');
}

static void write_budgets(struct pool *pool, struct buf *out)
{
    struct budget_named all[CONFIG_POLICIES_MAX];
    size_t count = pool_budgets(pool, NULL);
    CHECK(count <= CONFIG_POLICIES_MAX);
    pool_budgets(pool, all);
    buf_add_c(out, ",\"budgets\":[");
    for (size_t i = 0; i < count; i++) {
        const struct budget_state *s = &all[i].state;
        buf_add_c(out, i ? ",{\"policy\":" : "{\"policy\":");
        json_write_string(out, all[i].name);
        figures_write_real(out, "per_query_usd", all[i].usd_per_1k / 1000);
        figures_write_real(out, "spent_mean_usd",
                           s->queries ? s->spent_usd / (double)s->queries : 0);
        figures_write_real(out, "lambda", all[i].lambda);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void write_errors(struct last_errors *errors, struct buf *out)
{
    struct last_error all[LAST_ERRORS_MAX];
    size_t count = last_errors_read(errors, all);
    buf_add_c(out, ",\"errors\":[");
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s{\"at_ms\":%lld", i ? "," : "", (long long)all[i].at_ms);
        figures_write_text(out, "id", str_from(all[i].id));
        figures_write_text(out, "expert", str_from(all[i].expert));
        buf_addf(out, ",\"status\":%d", all[i].http_status);
        figures_write_text(out, "message", str_from(all[i].message));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

/* Those who listen to events are no requests that anybody waits for. */
static void write_connections(const struct figures *f, struct buf *out)
{
    const struct gateway *g = f->gateway;
    size_t connections = 0, exchanges = 0, listening = events_count(f->events);
    for (size_t i = 0; i < g->worker_count; i++) {
        connections += http_server_connections(g->workers[i].server);
        exchanges += http_server_exchanges(g->workers[i].server);
    }
    buf_addf(out, ",\"in_flight\":%zu,\"connections\":%zu",
             exchanges > listening ? exchanges - listening : 0, connections);
}

/* One piece: the object's members in their order. */
void figures_write_now(struct figures *f, struct worker *w, struct buf *out)
{
    const struct config *c = w->snapshot->config;
    struct str names[CONFIG_EXPERTS_MAX];
    struct history_expert experts[CONFIG_EXPERTS_MAX];
    struct history_now now;
    for (size_t i = 0; i < c->expert_count; i++)
        names[i] = c->experts[i].name;
    history_read(f->history, names, c->expert_count, &now, experts);
    buf_addf(out, "{\"at_ms\":%lld,\"start_ms\":%lld", (long long)now.at_ms,
             (long long)f->start_ms);
    figures_write_text(out, "version", str_from(f->build->version));
    figures_write_text(out, "commit", str_from(f->build->commit));
    write_model(f, w->snapshot, out);
    write_rates(out, &now);
    write_connections(f, out);
    write_sum(out, "today", &now.period[HISTORY_DAY]);
    write_sum(out, "month", &now.period[HISTORY_MONTH]);
    buf_addf(out, ",\"ledger\":%s,\"sums_complete\":%s", f->reader ? "true" : "false",
             !f->reader || (now.has_ledger[HISTORY_DAY] && now.has_ledger[HISTORY_MONTH])
                 ? "true"
                 : "false");
    write_latency(out, "latency", &now.total);
    write_latency(out, "first_token", &now.first_token);
    write_experts(w, experts, out);
    write_budgets(w->snapshot->pool, out);
    write_errors(f->errors, out);
    buf_add_char(out, '}');
}

void admin_now(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct buf out;
    (void)caller;
    buf_init(&out, FIGURES_NOW_BYTES_MAX);
    figures_write_now(figures_of(w), w, &out);
    admin_answer(x, 200, &out);
}

/* History */

_Static_assert(HISTORY_ARENA_BYTES < DESK_ARENA_BYTES_MAX, "a day of all experts fits");
_Static_assert(HISTORY_JSON_BYTES_MAX <= DESK_BYTES_MAX, "and so does its text");

static enum status read_steps(struct str query, struct arena *a, uint64_t *step_s, uint64_t *points,
                              struct error *err)
{
    struct admin_query q = {.rest = query};
    struct admin_parameter p;
    enum status status;
    *step_s = HISTORY_SHORT_S;
    *points = HISTORY_LONG_STEPS;
    while ((status = admin_query_next(&q, a, &p, err)) == OK) {
        if (str_equal(p.name, STR("step_s")))
            status = admin_query_integer(&p, HISTORY_SHORT_S, HISTORY_LONG_S, step_s, err);
        else if (str_equal(p.name, STR("points")))
            status = admin_query_integer(&p, 1, HISTORY_LONG_STEPS, points, err);
        else
            status = admin_query_unknown(&p, "step_s, points", err);
        if (status != OK)
            return status;
    }
    if (status != CLOSED)
        return status;
    if (*step_s != HISTORY_SHORT_S && *step_s != HISTORY_LONG_S)
        return error_set(err, ERR_INPUT, "step_s must be %d or %d", HISTORY_SHORT_S,
                         HISTORY_LONG_S);
    return OK;
}

static enum status write_steps(struct figures *f, struct desk_job *job, struct arena *a,
                               struct error *err)
{
    struct history_rows rows;
    uint64_t step_s, points;
    enum status status = read_steps(job->asked, a, &step_s, &points, err);
    if (status == OK)
        status = history_copy(f->history, (unsigned)step_s, (size_t)points, a, &rows, err);
    if (status == OK)
        history_json_write(&rows, &job->out);
    return status;
}

void admin_history(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    figures_ask(w, x, caller, write_steps, x->query);
}
