/* Questions to the database, each one statement: a request by its id, and what was spent.
 *
 * A reader belongs to one thread, which waits for the database with it, so never an event loop's. Rows point into the
 * backend's memory during a callback only; what is kept is copied into the caller's arena. */
#include "store/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/check.h"
#include "store/reader_int.h"
#include "store/sql.h"

#define SQL_BYTES_MAX 8192
#define SPEND_MS      600000 /* sums over years take their time */
#define DAY_MS        INT64_C(86400000)

enum status ledger_reader_create(const char *store, struct ledger_reader **ret, struct error *err)
{
    struct ledger_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory for a reader");
    enum status status = backend_create(store, &r->backend, err);
    if (status != OK) {
        free(r);
        return status;
    }
    *ret = r;
    return OK;
}

void ledger_reader_free(struct ledger_reader *r)
{
    if (!r)
        return;
    backend_free(r->backend);
    free(r);
}

enum status reader_ask(struct ledger_reader *r, uint64_t answer_ms, const char *sql,
                       const struct value *values, size_t count, backend_row_fn *on_row, void *arg,
                       struct error *err)
{
    bool late = r->most_ms && (!answer_ms || answer_ms > r->most_ms);
    r->backend->answer_ms = late ? r->most_ms : answer_ms;
    enum status status = backend_connect(r->backend, false, err);
    if (status != OK)
        return status;
    return r->backend->ops->query(r->backend, sql, values, count, on_row, arg, err);
}

void ledger_reader_hurry(struct ledger_reader *r, uint64_t answer_ms)
{
    r->most_ms = answer_ms;
}

/* One request */

static struct str keep(struct reader_row *s, const struct value *v)
{
    struct str text = v->type == VALUE_TEXT ? arena_copy(s->arena, v->text) : STR("");
    s->no_memory |= !text.ptr;
    return text;
}

static size_t take_begin(struct reader_row *s, const struct value *v)
{
    struct ledger_found *f = s->found;
    size_t i = 0;
    f->id = keep(s, &v[i++]);
    f->instance = keep(s, &v[i++]);
    f->begin_ms = reader_integer(&v[i++], 0);
    f->front = keep(s, &v[i++]);
    f->key = keep(s, &v[i++]);
    f->policy = keep(s, &v[i++]);
    f->model = keep(s, &v[i++]);
    f->plan = keep(s, &v[i++]);
    f->expert = keep(s, &v[i++]);
    f->stream = reader_integer(&v[i++], 0);
    f->quality = reader_real(&v[i++]);
    f->lambda = reader_real(&v[i++]);
    f->predicted_nano_usd = reader_integer(&v[i++], 0);
    f->reference_nano_usd = reader_integer(&v[i++], 0);
    f->decision = keep(s, &v[i++]);
    return i;
}

/* Column by column in the order of those statements; whoever changes one must change the other. */
enum status reader_take_row(const struct value *v, size_t count, void *row, struct error *err)
{
    struct reader_row *s = row;
    struct ledger_found *f = s->found;
    size_t i = take_begin(s, v);
    f->outcome = keep(s, &v[i++]);
    f->http_status = reader_integer(&v[i++], 0);
    f->basis = keep(s, &v[i++]);
    f->cost_nano_usd = reader_integer(&v[i++], 0);
    f->input_tokens = reader_integer(&v[i++], 0);
    f->cached_tokens = reader_integer(&v[i++], 0);
    f->cache_write_tokens = reader_integer(&v[i++], 0);
    f->output_tokens = reader_integer(&v[i++], 0);
    f->reasoning_tokens = reader_integer(&v[i++], 0);
    f->attempts = reader_integer(&v[i++], 0);
    f->cached = reader_integer(&v[i++], 0);
    f->first_token_ms = reader_integer(&v[i++], -1);
    f->total_ms = reader_integer(&v[i++], -1);
    f->problem = keep(s, &v[i++]);
    f->calls = keep(s, &v[i++]);
    f->has_feedback = v[i].type == VALUE_INT;
    f->feedback_ms = reader_integer(&v[i++], 0);
    f->score = reader_real(&v[i++]);
    f->comment = keep(s, &v[i++]);
    CHECK(i == count);
    s->there = true;
    return s->no_memory ? error_set(err, ERR_MEMORY, "out of memory for a request") : OK;
}

enum status ledger_read_request(struct ledger_reader *r, struct str id, struct arena *a,
                                struct ledger_found *ret, struct error *err)
{
    struct ledger_found found = {0};
    struct reader_row state = {.found = &found, .arena = a};
    const struct value value = {.type = VALUE_TEXT, .text = id};
    enum status status = reader_ask(r, 0, sql_request, &value, 1, reader_take_row, &state, err);
    if (status != OK)
        return status;
    if (!state.there)
        return error_set(err, ERR_NOT_FOUND, "no request of that id is in the ledger");
    *ret = found;
    return OK;
}

/* Opinions */

static const char opinions[] =
    "SELECT r.id, r.expert, f.score, r.cost_nano_usd, r.input_tokens, r.output_tokens, "
    "CASE WHEN r.calls IS NULL AND r.basis = 'usage' AND r.cached = 0 THEN 1 ELSE 0 END, "
    "r.begin_ms, r.decision FROM requests r JOIN feedback f ON f.request_id = r.id "
    "WHERE r.outcome = 'answered' AND r.begin_ms >= $1 ORDER BY r.begin_ms, r.id";

struct opinion_state {
    opinion_fn *on_opinion;
    void *arg;
};

static enum status take_opinion(const struct value *v, size_t count, void *arg, struct error *err)
{
    const struct opinion_state *s = arg;
    CHECK(count == 9);
    const struct ledger_opinion opinion = {
        .id = reader_text(&v[0]),
        .expert = reader_text(&v[1]),
        .score = reader_real(&v[2]),
        .cost_nano_usd = reader_integer(&v[3], 0),
        .input_tokens = reader_integer(&v[4], 0),
        .output_tokens = reader_integer(&v[5], 0),
        .is_single = reader_integer(&v[6], 0),
        .begin_ms = reader_integer(&v[7], 0),
        .decision = reader_text(&v[8]),
    };
    return s->on_opinion(&opinion, s->arg, err);
}

enum status ledger_read_opinions(struct ledger_reader *r, int64_t since_ms, opinion_fn *on_opinion,
                                 void *arg, struct error *err)
{
    struct opinion_state state = {on_opinion, arg};
    const struct value since = {.type = VALUE_INT, .integer = since_ms};
    return reader_ask(r, SPEND_MS, opinions, &since, 1, take_opinion, &state, err);
}

/* Spend */

/* What the reference is taken to cost for a row of requests. */
#define REFERENCE                                                                                  \
    "CASE WHEN outcome = 'answered' AND reference_nano_usd > 0 THEN reference_nano_usd "           \
    "ELSE cost_nano_usd END"
#define RANGE " WHERE begin_ms >= $1 AND begin_ms < $2"

/* Columns of every inner row: name, requests, open, failed, input, cached, output, cost, reference, estimated. */
static const char row_of_request[] =
    "1 AS requests, CASE WHEN outcome = 'open' THEN 1 ELSE 0 END AS open, "
    "CASE WHEN outcome = 'failed' THEN 1 ELSE 0 END AS failed, "
    "input_tokens AS input, cached_tokens AS cached_in, output_tokens AS output, "
    "cost_nano_usd AS cost, " REFERENCE " AS reference, "
    "CASE WHEN basis = 'usage' THEN 0 ELSE cost_nano_usd END AS estimated FROM requests";

static const char *group_column(enum spend_by by)
{
    static const char *const columns[] = {
        [SPEND_KEY] = "key_id",
        [SPEND_EXPERT] = "expert",
        [SPEND_DAY] = "CAST(begin_ms / 86400000 AS TEXT)",
        [SPEND_POLICY] = "policy",
        [SPEND_FRONT] = "front",
        [SPEND_TOTAL] = "''",
    };
    return columns[by];
}

static void write_field(struct buf *b, const char *format, const char *field)
{
    struct str rest = str_from(format), before = str_split(&rest, '%');
    buf_add(b, before);
    buf_add_c(b, field);
    buf_add(b, str_slice(rest, 1, rest.len)); /* behind the s */
}

static void write_figure(struct buf *b, const struct backend_ops *ops, const char *field)
{
    write_field(b, ops->call_integer, field);
    buf_add_c(b, ", ");
}

/* A request that asked several experts is one row for the one that answered, without figures, and a row of figures for
 * each call. */
static void write_calls(struct buf *b, const struct backend_ops *ops)
{
    buf_add_c(b, "SELECT expert AS name, 1 AS requests, 0 AS open, "
                 "CASE WHEN outcome = 'failed' THEN 1 ELSE 0 END AS failed, "
                 "0 AS input, 0 AS cached_in, 0 AS output, 0 AS cost, " REFERENCE " AS reference, "
                 "0 AS estimated FROM requests" RANGE " AND calls IS NOT NULL UNION ALL SELECT ");
    write_field(b, ops->call_text, "expert");
    buf_add_c(b, ", 0, 0, 0, ");
    write_figure(b, ops, "input_tokens");
    write_figure(b, ops, "cached_tokens");
    write_figure(b, ops, "output_tokens");
    write_figure(b, ops, "cost_nano_usd");
    buf_add_c(b, "0, CASE WHEN ");
    write_field(b, ops->call_text, "basis");
    buf_add_c(b, " = 'usage' THEN 0 ELSE ");
    write_field(b, ops->call_integer, "cost_nano_usd");
    buf_addf(b, " END FROM requests, %s" RANGE " AND calls IS NOT NULL UNION ALL ", ops->each_call);
}

/* Exact, and the largest integer where the sum is larger: a plain SUM that overflows ends the query. It is added up in
 * two halves, which cannot overflow in less than a million rows of the largest integer. */
static void write_sum(struct buf *b, const char *what)
{
    buf_addf(
        b,
        "CAST(CASE WHEN SUM(%s / 1048576) + SUM(%s %% 1048576) / 1048576 >= 8796093022207 THEN "
        "9223372036854775807 ELSE SUM(%s / 1048576) * 1048576 + SUM(%s %% 1048576) END AS "
        "BIGINT)",
        what, what, what, what);
}

static void write_spend(struct buf *b, const struct backend_ops *ops, enum spend_by by)
{
    static const char *const sums[] = {"requests", "open", "failed",    "input",    "cached_in",
                                       "output",   "cost", "reference", "estimated"};
    buf_add_c(b, "SELECT name");
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        buf_add_c(b, ", ");
        write_sum(b, sums[i]);
    }
    buf_add_c(b, " FROM (");
    if (by == SPEND_EXPERT)
        write_calls(b, ops);
    buf_addf(b, "SELECT %s AS name, %s" RANGE "%s) AS t GROUP BY name", group_column(by),
             row_of_request, by == SPEND_EXPERT ? " AND calls IS NULL" : "");
    buf_add_c(b, by == SPEND_DAY ? " ORDER BY name" : " ORDER BY 8 DESC, name");
}

struct spend_state {
    enum spend_by by;
    spend_fn *on_group;
    void *arg;
};

/* Days since 1970 as a date. */
static struct str date_of(struct str days, char into[32])
{
    int64_t number = 0;
    if (str_to_int64(days, &number) != OK)
        return days;
    time_t at = (time_t)(number * (DAY_MS / 1000));
    struct tm utc;
    gmtime_r(&at, &utc);
    return (struct str){into, strftime(into, 32, "%Y-%m-%d", &utc)};
}

static enum status take_spend(const struct value *v, size_t count, void *arg, struct error *err)
{
    const struct spend_state *s = arg;
    char date[32];
    CHECK(count == 10);
    struct spend spend = {
        .group = reader_text(&v[0]),
        .requests = reader_integer(&v[1], 0),
        .open = reader_integer(&v[2], 0),
        .failed = reader_integer(&v[3], 0),
        .input_tokens = reader_integer(&v[4], 0),
        .cached_tokens = reader_integer(&v[5], 0),
        .output_tokens = reader_integer(&v[6], 0),
        .cost_nano_usd = reader_integer(&v[7], 0),
        .reference_nano_usd = reader_integer(&v[8], 0),
        .estimated_nano_usd = reader_integer(&v[9], 0),
    };
    if (s->by == SPEND_DAY)
        spend.group = date_of(spend.group, date);
    return s->on_group(&spend, s->arg, err);
}

enum status ledger_read_spend(struct ledger_reader *r, enum spend_by by, int64_t since_ms,
                              int64_t until_ms, spend_fn *on_group, void *arg, struct error *err)
{
    struct buf sql;
    struct spend_state state = {by, on_group, arg};
    const struct value range[] = {{.type = VALUE_INT, .integer = since_ms},
                                  {.type = VALUE_INT, .integer = until_ms}};
    buf_init(&sql, SQL_BYTES_MAX);
    write_spend(&sql, r->backend->ops, by);
    enum status status = buf_status(&sql, err);
    if (status == OK)
        status = reader_ask(r, SPEND_MS, sql.ptr, range, 2, take_spend, &state, err);
    buf_done(&sql);
    return status;
}

static enum status take_losses(const struct value *v, size_t count, void *arg, struct error *err)
{
    struct spend_loss *loss = arg;
    (void)err;
    CHECK(count == 2);
    *loss = (struct spend_loss){reader_integer(&v[0], 0), reader_integer(&v[1], 0)};
    return OK;
}

enum status ledger_read_losses(struct ledger_reader *r, int64_t since_ms, int64_t until_ms,
                               struct spend_loss *ret, struct error *err)
{
    const struct value range[] = {{.type = VALUE_INT, .integer = since_ms},
                                  {.type = VALUE_INT, .integer = until_ms}};
    struct buf sql;
    buf_init(&sql, SQL_BYTES_MAX);
    buf_add_c(&sql, "SELECT ");
    write_sum(&sql, "lost_rows");
    buf_add_c(&sql, ", ");
    write_sum(&sql, "nano_usd");
    buf_add_c(&sql, " FROM losses WHERE to_ms >= $1 AND from_ms < $2");
    enum status status = buf_status(&sql, err);
    if (status == OK)
        status = reader_ask(r, SPEND_MS, sql.ptr, range, 2, take_losses, ret, err);
    buf_done(&sql);
    return status;
}
