/* GET /metrics: the workers' counters, and what is read off at the moment: experts, budgets, connections, reloads. Any
 * worker's thread writes the page for all of them: counters are read while their owners count, each number whole, the
 * page as a whole a moment blurred. Nothing here counts, and nothing here may wait: gates and budgets are read under
 * locks that are held for a few instructions. */
#include <stdio.h>

#include "base/check.h"
#include "base/count_if.h"
#include "base/log_writer.h"
#include "serve/gateway_int.h"
#include "serve/reload.h"
#include "store/ledger.h"
#include "watch/encoder_watch.h"
#include "watch/keeping.h"
#include "watch/metrics_write.h"
#include "watch/traces.h"

#define PAGE_BYTES_MAX  (64u << 20)
#define LABEL_BYTES_MAX 512
#define PLACE_BYTES_MAX 160

struct page {
    struct buf *out;
    struct buf label;
};

static const char *label(struct page *p, const char *name, struct str value)
{
    buf_clear(&p->label);
    metrics_write_label(&p->label, name, value);
    return p->label.ptr ? p->label.ptr : "";
}

static void write_one(struct buf *out, const char *name, const char *type, const char *help,
                      double value)
{
    metrics_write_head(out, name, type, help);
    metrics_write_sample(out, name, "", value);
}

/* Experts */

static double in_flight(const struct gate_reading *r)
{
    return r->in_flight;
}

static double waiting(const struct gate_reading *r)
{
    return r->waiting;
}

static double available(const struct gate_reading *r)
{
    return !r->why;
}

static double failures(const struct gate_reading *r)
{
    return r->failures;
}

static double opened(const struct gate_reading *r)
{
    return (double)r->opened;
}

static double turned_away(const struct gate_reading *r)
{
    return (double)r->turned_away;
}

static const struct expert_row {
    const char *name, *type, *help;
    double (*value)(const struct gate_reading *r);
} expert_rows[] = {
    {"leeroo_expert_available", "gauge", "1 when the expert may be asked now.", available},
    {"leeroo_expert_in_flight", "gauge", "Calls to the expert that run now.", in_flight},
    {"leeroo_expert_queue_length", "gauge", "Calls that wait for a place at the expert.", waiting},
    {"leeroo_expert_consecutive_failures", "gauge", "Failures of the expert in a row.", failures},
    {"leeroo_expert_circuit_opened_total", "counter", "How often the expert's circuit has opened.",
     opened},
    {"leeroo_expert_turned_away_total", "counter",
     "Calls that found no place at the expert, not even in line.", turned_away},
};

/* Of those of which it is known. */
static void write_latencies(struct page *p, const struct config *c, const struct gate_reading *all)
{
    static const char name[] = "leeroo_expert_latency_seconds";
    metrics_write_head(p->out, name, "gauge", "How long a call to the expert is expected to take.");
    for (size_t i = 0; i < c->expert_count; i++)
        if (all[i].latency_ms)
            metrics_write_sample(p->out, name, label(p, "expert", c->experts[i].name),
                                 (double)all[i].latency_ms / 1e3);
}

static void write_states(struct page *p, const struct config *c, const struct gate_reading *all)
{
    static const enum health_state states[] = {HEALTH_CLOSED, HEALTH_OPEN, HEALTH_HALF_OPEN};
    static const char name[] = "leeroo_expert_circuit_state";
    metrics_write_head(p->out, name, "gauge", "1 for the state that the expert's circuit is in.");
    for (size_t i = 0; i < c->expert_count; i++)
        for (size_t s = 0; s < 3; s++) {
            label(p, "expert", c->experts[i].name);
            buf_add_char(&p->label, ',');
            metrics_write_label(&p->label, "state", str_from(health_state_name(states[s])));
            metrics_write_sample(p->out, name, p->label.ptr ? p->label.ptr : "",
                                 all[i].state == states[s]);
        }
}

static void write_experts(struct page *p, struct worker *w, struct arena *a)
{
    const struct snapshot *s = w->snapshot;
    const struct config *c = s->config;
    struct gate_reading *all = ARENA_ARRAY(a, c->expert_count, struct gate_reading);
    for (size_t i = 0; all && i < c->expert_count; i++)
        gate_read(s->gates[i], loop_now_ms(w->loop), &all[i]);
    for (size_t k = 0; all && k < sizeof(expert_rows) / sizeof(expert_rows[0]); k++) {
        const struct expert_row *row = &expert_rows[k];
        metrics_write_head(p->out, row->name, row->type, row->help);
        for (size_t i = 0; i < c->expert_count; i++)
            metrics_write_sample(p->out, row->name, label(p, "expert", c->experts[i].name),
                                 row->value(&all[i]));
    }
    if (!all)
        return;
    write_latencies(p, c, all);
    write_states(p, c, all);
}

/* Budgets */

static void write_budgets(struct page *p, struct pool *pool, struct arena *a)
{
    size_t count = pool_budgets(pool, NULL);
    struct budget_named *all = count ? ARENA_ARRAY(a, count, struct budget_named) : NULL;
    if (!all)
        return;
    pool_budgets(pool, all);
    metrics_write_head(p->out, "leeroo_budget_target_usd", "gauge",
                       "What 1,000 requests of the policy may cost.");
    for (size_t i = 0; i < count; i++)
        metrics_write_sample(p->out, "leeroo_budget_target_usd", label(p, "policy", all[i].name),
                             all[i].usd_per_1k);
    metrics_write_head(
        p->out, "leeroo_budget_spent_usd", "gauge",
        "What the requests of the policy have cost, those of earlier runs included.");
    for (size_t i = 0; i < count; i++)
        metrics_write_sample(p->out, "leeroo_budget_spent_usd", label(p, "policy", all[i].name),
                             all[i].state.spent_usd);
    metrics_write_head(p->out, "leeroo_budget_requests", "gauge", "How many requests that was.");
    for (size_t i = 0; i < count; i++)
        metrics_write_sample(p->out, "leeroo_budget_requests", label(p, "policy", all[i].name),
                             (double)all[i].state.queries);
}

/* The gateway */

static void write_connections(const struct gateway *g, struct buf *out)
{
    size_t connections = 0, exchanges = 0;
    for (size_t i = 0; i < g->worker_count; i++) {
        connections += http_server_connections(g->workers[i].server);
        exchanges += http_server_exchanges(g->workers[i].server);
    }
    write_one(out, "leeroo_http_connections", "gauge", "Open connections of clients.",
              (double)connections);
    write_one(out, "leeroo_http_requests_in_flight", "gauge",
              "Requests being answered now, this one included.", (double)exchanges);
}

static void write_reloads(const struct gateway *g, struct buf *out)
{
    struct reload_counts counts;
    if (!g->reload)
        return;
    reload_counts(g->reload, &counts);
    metrics_write_head(out, "leeroo_reloads_total", "counter",
                       "Loads of configuration and model after the start.");
    metrics_write_sample(out, "leeroo_reloads_total", "result=\"done\"", (double)counts.done);
    metrics_write_sample(out, "leeroo_reloads_total", "result=\"refused\"", (double)counts.refused);
    write_one(out, "leeroo_config_last_load_success_timestamp_seconds", "gauge",
              "When the configuration that is in force was loaded, since the epoch.",
              (double)counts.last_wall_ms / 1e3);
}

static void write_spans(const struct gateway *g, struct buf *out)
{
    struct traces_counts sum = {0};
    for (size_t i = 0; i < g->worker_count; i++) {
        struct traces_counts one = traces_counts(g->workers[i].watch.traces);
        sum.sent += one.sent;
        sum.dropped += one.dropped;
    }
    metrics_write_head(out, "leeroo_spans_total", "counter",
                       "Spans of traces, by whether the collector has taken them.");
    metrics_write_sample(out, "leeroo_spans_total", "result=\"sent\"", (double)sum.sent);
    metrics_write_sample(out, "leeroo_spans_total", "result=\"dropped\"", (double)sum.dropped);
}

static void write_keeping(struct keeping *k, struct buf *out)
{
    if (!k)
        return;
    struct keeping_counts counts = keeping_counts(k);
    write_one(out, "leeroo_prompts_kept_total", "counter", "Prompts that were kept for learning.",
              (double)counts.kept);
    write_one(out, "leeroo_prompts_dropped_total", "counter",
              "Prompts that should have been kept and could not be written in time.",
              (double)counts.dropped);
}

/* One piece: a list, metric by metric. */
static void write_ledger(struct ledger *l, struct buf *out)
{
    struct ledger_state s;
    if (!l)
        return;
    ledger_state(l, &s);
    write_one(out, "leeroo_ledger_storage_up", "gauge",
              "0 while the database cannot be written to and rows wait in the journal.",
              s.storage_up);
    write_one(out, "leeroo_ledger_written_rows_total", "counter", "Rows written to the database.",
              (double)s.written_rows);
    write_one(
        out, "leeroo_ledger_lost_rows_total", "counter",
        "Rows that found no room in the journal, were refused by the database, or went with a "
        "file that was deleted.",
        (double)s.lost_rows);
    write_one(out, "leeroo_ledger_gone_files_total", "counter",
              "Files of the ledger that were moved away or deleted; a new one was begun.",
              (double)s.gone_files);
    write_one(out, "leeroo_ledger_pruned_rows_total", "counter",
              "Requests that were erased because they were older than ledger.keep.",
              (double)s.pruned_rows);
    metrics_write_head(out, "leeroo_ledger_lost_usd_total", "counter", "What they had cost.");
    metrics_write_usd(out, "leeroo_ledger_lost_usd_total", "", s.lost_nano_usd);
    write_one(out, "leeroo_ledger_journal_used_bytes", "gauge",
              "What of the journal is not in the database yet.", (double)s.journal_used_bytes);
    write_one(out, "leeroo_ledger_journal_size_bytes", "gauge", "The whole of the journal.",
              (double)s.journal_bytes);
}

static void write_keys(const struct keys *k, struct buf *out)
{
    write_one(out, "leeroo_keys_spend_damaged", "gauge",
              "Entries of keys.spend that were damaged when it was opened.",
              (double)keys_damaged(k));
}

static void write_info(struct page *p, struct worker *w)
{
    char checksum[24];
    snprintf(checksum, sizeof(checksum), "%016llx",
             (unsigned long long)model_checksum(w->snapshot->model));
    metrics_write_head(p->out, "leeroo_build_info", "gauge", "The version that runs.");
    metrics_write_sample(p->out, "leeroo_build_info", label(p, "version", STR(LEEROO_VERSION)), 1);
    metrics_write_head(p->out, "leeroo_model_info", "gauge", "The model that decides.");
    metrics_write_sample(p->out, "leeroo_model_info", label(p, "checksum", str_from(checksum)), 1);
    write_one(p->out, "leeroo_workers", "gauge", "Event loops.", (double)w->gateway->worker_count);
    write_one(p->out, "leeroo_draining", "gauge", "1 while shutting down.",
              atomic_load(&w->gateway->draining));
    write_one(p->out, "leeroo_log_dropped_total", "counter",
              "Lines of the log that standard error did not take in time.", (double)log_dropped());
}

static void write_survivable_place(const struct count_reading *place, void *arg)
{
    struct page *p = arg;
    char at[PLACE_BYTES_MAX];
    snprintf(at, sizeof(at), "%s:%d", place->file, place->line);
    label(p, "place", str_from(at));
    buf_add_char(&p->label, ',');
    metrics_write_label(&p->label, "what", str_from(place->condition));
    metrics_write_sample(p->out, "leeroo_survivable_total", p->label.ptr ? p->label.ptr : "",
                         (double)place->count);
}

static void write_survivable(struct page *p)
{
    metrics_write_head(p->out, "leeroo_survivable_total", "counter",
                       "What should never happen and was survived, by where in the source.");
    count_places_each(write_survivable_place, p);
}

static enum status write_counters(const struct gateway *g, struct arena *a, struct buf *out)
{
    const struct metrics **all = ARENA_ARRAY(a, g->worker_count, const struct metrics *);
    if (!all)
        return ERR_MEMORY;
    for (size_t i = 0; i < g->worker_count; i++)
        all[i] = g->workers[i].watch.metrics;
    return metrics_write(all, g->worker_count, out);
}

/* One piece: the page from top to bottom. */
void metrics_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    (void)caller;
    const struct http_header headers[] = {
        {STR("content-type"), STR("text/plain; version=0.0.4; charset=utf-8")}};
    struct buf out;
    struct page p = {.out = &out};
    buf_init(&out, PAGE_BYTES_MAX);
    buf_init(&p.label, LABEL_BYTES_MAX);
    enum status status = write_counters(w->gateway, x->arena, &out);
    write_experts(&p, w, x->arena);
    write_budgets(&p, w->snapshot->pool, x->arena);
    write_connections(w->gateway, &out);
    write_reloads(w->gateway, &out);
    write_ledger(w->gateway->ledger, &out);
    write_keeping(w->gateway->keeping, &out);
    write_keys(w->gateway->keys, &out);
    write_spans(w->gateway, &out);
    encoder_watch_write(&out);
    write_info(&p, w);
    write_survivable(&p);
    metrics_write_process(&out);
    if (status == OK && out.status == OK)
        http_respond(x, 200, headers, 1, buf_str(&out));
    else
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(&p.label);
    buf_done(&out);
}
