/* The life of the figures: the sampler's timer on worker 0's loop, the desk's thread, and what the ledger had of today
 * and this month when the process began.
 *
 * Whatever is asked here comes from a handler on its worker's loop, which may not wait; `work` functions of errands run
 * on the desk's thread and touch nothing of a loop's. The timer goes before the loops do (figures_stop), the rest when
 * no exchange is left. */
#include "admin/admin_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/money.h"
#include "serve/reload.h"
#include "store/ledger.h"
#include "store/search.h"

#define FLUSH_MS       1000
#define DESK_FLUSH_MS  500
#define ASK_AGAIN_MS   10000
#define SUMS_BYTES_MAX (16u << 10)

/* What was before this process */

struct sums {
    int64_t until_ms;
    int64_t begin_ms[HISTORY_PERIODS];
    struct history_sum of[HISTORY_PERIODS];
};

static enum status take_total(const struct spend *s, void *arg, struct error *err)
{
    struct history_sum *sum = arg;
    (void)err;
    *sum = (struct history_sum){.requests = (uint64_t)s->requests,
                                .failed = (uint64_t)s->failed,
                                .nano_usd = s->cost_nano_usd,
                                .reference_nano_usd = s->reference_nano_usd};
    return OK;
}

/* On the desk. What an earlier process left in the journal is written first. */
static enum status read_sums(void *data, struct arena *a, void *user, struct error *err)
{
    struct sums *sums = data;
    struct figures *f = user;
    enum status status = OK;
    (void)a;
    if (!ledger_flush(f->gateway->ledger, FLUSH_MS))
        return error_set(err, ERR_OVERLOAD, "the ledger's storage is away");
    for (size_t i = 0; i < HISTORY_PERIODS && status == OK; i++)
        status = ledger_read_spend(f->reader, SPEND_TOTAL, sums->begin_ms[i], sums->until_ms,
                                   take_total, &sums->of[i], err);
    return status;
}

static void on_sums(struct http_exchange *x, void *user, enum status status, void *data,
                    const struct error *err)
{
    const struct sums *sums = data;
    struct figures *f = user;
    (void)x;
    if (status == OK) {
        for (size_t i = 0; i < HISTORY_PERIODS; i++)
            history_add_ledger(f->history, (enum history_period)i, sums->begin_ms[i], &sums->of[i]);
    } else if (status == ERR_TIMEOUT) {
        log_event(LOG_WARN, "the ledger is too large to be summed up in time",
                  "effect=\"today and this month are counted from the start of this process\"");
    } else {
        log_event(LOG_DEBUG, "the ledger cannot be summed up now", "err=\"%s\"", err->text);
        f->ask_ledger_at_ms = clock_now_ms() + ASK_AGAIN_MS;
    }
}

static void ask_ledger(struct figures *f)
{
    struct sums sums = {.until_ms = f->start_ms};
    const struct errand errand = {.work = read_sums,
                                  .done = on_sums,
                                  .user = f,
                                  .data = &sums,
                                  .data_bytes = sizeof(sums),
                                  .arena_bytes_max = SUMS_BYTES_MAX,
                                  .busy = "the desk is busy"};
    for (size_t i = 0; i < HISTORY_PERIODS; i++)
        sums.begin_ms[i] = history_period_begin((enum history_period)i, f->start_ms);
    f->ask_ledger_at_ms = 0;
    if (errands_send(f->desk, f->gateway->workers[0].loop, NULL, &errand, NULL) != OK)
        f->ask_ledger_at_ms = clock_now_ms() + ASK_AGAIN_MS;
}

/* The sampler */

static void take_sample(struct figures *f)
{
    const struct gateway *g = f->gateway;
    const struct config *c = g->workers[0].snapshot->config;
    const struct metrics *all[CONFIG_THREADS_MAX];
    struct str names[HISTORY_EXPERTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < g->worker_count; i++)
        all[i] = g->workers[i].watch.metrics;
    for (size_t i = 0; i < c->expert_count && count < HISTORY_EXPERTS_MAX; i++)
        names[count++] = c->experts[i].name;
    for (size_t i = 0; i < c->embedder_count && count < HISTORY_EXPERTS_MAX; i++)
        names[count++] = c->embedders[i].name;
    history_take(f->history, all, g->worker_count, names, count, clock_now_ms(), clock_wall_ms());
}

static void on_tick(void *arg)
{
    struct figures *f = arg;
    loop_timer_start(f->tick, FIGURES_TICK_MS);
    take_sample(f);
    events_tick(f->events);
    if (f->ask_ledger_at_ms && clock_now_ms() >= f->ask_ledger_at_ms)
        ask_ledger(f);
}

/* The desk */

struct desk_errand {
    desk_write *write;
    struct desk_job job;
};

static enum status do_job(void *data, struct arena *a, void *user, struct error *err)
{
    struct desk_errand *e = data;
    e->job.asked.ptr = e->job.text; /* it was copied */
    buf_init(&e->job.out, DESK_BYTES_MAX);
    enum status status = e->write(user, &e->job, a, err);
    return status == OK ? buf_status(&e->job.out, err) : status;
}

static void release_job(void *data)
{
    struct desk_errand *e = data;
    buf_done(&e->job.out);
    snapshot_release(e->job.snapshot);
}

static void answer_job(struct http_exchange *x, void *user, enum status status, void *data,
                       const struct error *err)
{
    struct desk_errand *e = data;
    struct figures *f = user;
    if (status == OK && e->job.reload && f->gateway->reload)
        reload_now(f->gateway->reload);
    if (status == OK && e->job.is_page)
        admin_respond_page(x, buf_str(&e->job.out));
    else if (status == OK)
        admin_respond(x, 200, buf_str(&e->job.out));
    else if (status != ERR_OVERLOAD && e->job.conflict)
        admin_answer_error(x, 409, e->job.conflict, err->text);
    else if (status == ERR_TIMEOUT)
        admin_answer_error(x, 503, "too_slow", err->text);
    else
        answer_error(x, NULL, status, err->text, NULL, NULL);
}

/* One piece: a job is either filled, sent and the desk's, or let go and answered. */
void figures_ask(struct worker *w, struct http_exchange *x, const struct caller *caller,
                 desk_write *write, struct str asked)
{
    struct desk_errand e = {.write = write};
    struct error err = {0};
    struct figures *f = figures_of(w);
    const struct errand errand = {.work = do_job,
                                  .done = answer_job,
                                  .release = release_job,
                                  .user = f,
                                  .data = &e,
                                  .data_bytes = sizeof(e),
                                  .arena_bytes_max = DESK_ARENA_BYTES_MAX,
                                  .late_ms = FIGURES_LATE_MS,
                                  .late = "this takes too long; ask again later",
                                  .busy = "too many ask at once; ask again later"};
    if (asked.len > DESK_TEXT_BYTES_MAX) {
        answer_error(x, NULL, ERR_INPUT, "what is asked is longer than 4096 bytes", NULL, NULL);
        return;
    }
    if (asked.len > 0)
        memcpy(e.job.text, asked.ptr, asked.len);
    e.job.asked.len = asked.len;
    snprintf(e.job.by, sizeof(e.job.by), "%.*s", STR_FMT(caller_key_id(caller)));
    e.job.snapshot = snapshot_hold(w->snapshot);
    enum status status = errands_send(f->desk, w->loop, x, &errand, &err);
    if (status == OK)
        return;
    release_job(&e);
    answer_error(x, NULL, status, err.text, NULL, NULL);
}

enum status desk_ledger(struct figures *f, struct desk_job *job, struct error *err)
{
    if (!f->reader) {
        job->conflict = "no_ledger";
        return error_set(err, ERR_NOT_FOUND,
                         "this gateway keeps no ledger; give a state_dir or ledger.store in "
                         "leeroo.yaml");
    }
    job->is_fresh = ledger_flush(f->gateway->ledger, DESK_FLUSH_MS);
    return OK;
}

enum status desk_ledger_status(enum status status, struct error *err)
{
    struct error why = *err;
    switch (status) {
    case OK:
    case ERR_INPUT:
    case ERR_TIMEOUT:
    case ERR_MEMORY:
        return status;
    default:
        return error_set(err, ERR_OVERLOAD, "the ledger cannot be read now: %.300s", why.text);
    }
}

/* Writing */

void figures_write_usd(struct buf *out, const char *key, int64_t nano_usd)
{
    buf_addf(out, ",\"%s\":", key);
    money_format_usd(out, nano_usd);
}

void figures_write_real(struct buf *out, const char *key, double value)
{
    buf_addf(out, ",\"%s\":", key);
    json_write_double(out, value);
}

void figures_write_text(struct buf *out, const char *key, struct str text)
{
    buf_addf(out, ",\"%s\":", key);
    if (text.len > 0)
        json_write_string(out, text);
    else
        buf_add_c(out, "null");
}

/* Life */

static enum status open_reader(struct figures *f, struct error *err)
{
    if (!f->gateway->ledger)
        return OK;
    enum status status =
        ledger_reader_create(f->gateway->snapshot->config->ledger.store, &f->reader, err);
    if (status == OK)
        ledger_reader_hurry(f->reader, SEARCH_MS);
    f->ask_ledger_at_ms = clock_now_ms();
    return status;
}

/* One piece: each part stands on those before it, and figures_free undoes whatever there is. */
enum status figures_create(struct gateway *g, const struct admin_build *build, struct figures **ret,
                           struct error *err)
{
    struct figures *f = calloc(1, sizeof(*f));
    if (!f)
        return error_set(err, ERR_MEMORY, "out of memory for figures");
    f->gateway = g;
    f->build = build;
    f->start_ms = clock_wall_ms();
    f->history = history_create();
    f->errors = last_errors_create();
    f->tick = loop_timer_create(g->workers[0].loop, on_tick, f);
    enum status status = f->history && f->errors && f->tick
                             ? OK
                             : error_set(err, ERR_MEMORY, "out of memory for figures");
    if (status == OK)
        status = errands_start(&f->desk, err);
    if (status == OK)
        status = open_reader(f, err);
    if (status == OK)
        status = events_create(f, &f->events, err);
    if (status != OK) {
        figures_stop(f);
        figures_free(f);
        return status;
    }
    for (size_t i = 0; i < g->worker_count; i++)
        g->workers[i].watch.errors = f->errors;
    take_sample(f);
    loop_timer_start(f->tick, FIGURES_TICK_MS);
    *ret = f;
    return OK;
}

void figures_stop(struct figures *f)
{
    if (!f)
        return;
    loop_timer_free(f->tick);
    f->tick = NULL;
    errands_stop(f->desk);
}

void figures_free(struct figures *f)
{
    if (!f)
        return;
    errands_free(f->desk);
    events_free(f->events);
    ledger_reader_free(f->reader);
    last_errors_free(f->errors);
    history_free(f->history);
    free(f);
}
