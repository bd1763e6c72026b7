/* The ledger in PostgreSQL, in a schema of its own called "leeroo". Everything goes out without blocking and under a
 * deadline, so that a server that is gone, stopped or slow costs seconds at most. The statements of a transaction are
 * pipelined: one round trip for all. After any failure the connection is dropped and made anew.
 *
 * A backend belongs to the thread that uses it, the ledger's writer or a reader; none of these functions may be called
 * on an event loop. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "store/backend.h"
#include "store/sql.h"

#define CONNECT_MS       5000
#define ANSWER_MS        10000 /* of a transaction or a query, on this side */
#define INT8_BYTES       8
#define SCHEMA_LOCK_TEXT "7811861520321" /* any number, the same in all replicas */

/* What the binary format of a column is, from PostgreSQL's catalogue. */
enum type_oid { OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25, OID_FLOAT8 = 701 };

struct postgres_backend {
    struct backend base;
    char *url; /* holds a password: never printed */
    PGconn *connection;
    uint64_t deadline_ms;
};

static struct postgres_backend *self(struct backend *b)
{
    return (struct postgres_backend *)b;
}

/* libpq's sentences end in a newline and may have several. */
static void first_line(const char *message, char into[200])
{
    size_t n = message ? strcspn(message, "\n") : 0;
    snprintf(into, 200, "%.*s", (int)(n < 199 ? n : 199), message ? message : "");
}

static enum status fail(struct postgres_backend *s, struct error *err)
{
    char text[200];
    first_line(s->connection ? PQerrorMessage(s->connection) : "out of memory", text);
    return error_set(err, ERR_IO, "ledger: PostgreSQL: %s", text[0] ? text : "connection lost");
}

static enum status fail_result(const PGresult *result, struct error *err)
{
    char text[200];
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    first_line(PQresultErrorMessage(result), text);
    bool refused = state && (!strncmp(state, "22", 2) || !strncmp(state, "23", 2));
    bool late = state && !strcmp(state, "57014"); /* statement_timeout */
    return error_set(err,
                     refused ? ERR_INPUT
                     : late  ? ERR_TIMEOUT
                             : ERR_IO,
                     "ledger: PostgreSQL: %s", text);
}

static void disconnect(struct postgres_backend *s)
{
    PQfinish(s->connection);
    s->connection = NULL;
    s->base.connected = false;
}

/* Waiting */

static uint64_t answer_ms(const struct postgres_backend *s)
{
    return s->base.answer_ms ? s->base.answer_ms : ANSWER_MS;
}

static void set_deadline(struct postgres_backend *s, uint64_t ms)
{
    s->deadline_ms = clock_now_ms() + ms;
}

static enum status wait_for(struct postgres_backend *s, short events, struct error *err)
{
    uint64_t now_ms = clock_now_ms();
    struct pollfd p = {.fd = PQsocket(s->connection), .events = events};
    if (p.fd < 0)
        return fail(s, err);
    int left = now_ms < s->deadline_ms ? (int)(s->deadline_ms - now_ms) : 0;
    if (poll(&p, 1, left) == 0)
        return error_set(err, ERR_TIMEOUT, "ledger: PostgreSQL does not answer");
    return OK;
}

/* Until everything is sent and a result can be had. */
static enum status exchange(struct postgres_backend *s, struct error *err)
{
    for (;;) {
        int unsent = PQflush(s->connection);
        if (unsent < 0)
            return fail(s, err);
        if (!unsent && !PQisBusy(s->connection))
            return OK;
        enum status status = wait_for(s, (short)(POLLIN | (unsent ? POLLOUT : 0)), err);
        if (status != OK)
            return status;
        if (!PQconsumeInput(s->connection))
            return fail(s, err);
    }
}

/* Outside of a pipeline: the last result of what was sent, NULL after a failure. */
static PGresult *take_result(struct postgres_backend *s, struct error *err)
{
    PGresult *last = NULL;
    for (;;) {
        if (exchange(s, err) != OK)
            break;
        PGresult *next = PQgetResult(s->connection);
        if (!next)
            return last;
        PQclear(last);
        last = next;
        ExecStatusType is = PQresultStatus(last);
        if (is != PGRES_COMMAND_OK && is != PGRES_TUPLES_OK) {
            (void)fail_result(last, err);
            break;
        }
    }
    PQclear(last);
    return NULL;
}

static enum status run(struct postgres_backend *s, const char *sql, struct error *err)
{
    struct error why = {.status = ERR_IO};
    set_deadline(s, ANSWER_MS);
    if (!PQsendQuery(s->connection, sql))
        return fail(s, err);
    PGresult *result = take_result(s, &why);
    if (!result)
        return error_set(err, why.status, "%s", why.text);
    PQclear(result);
    return OK;
}

/* Values, in the binary format */

struct parameters {
    const char *values[BACKEND_COLUMNS_MAX];
    int lengths[BACKEND_COLUMNS_MAX], formats[BACKEND_COLUMNS_MAX];
    char numbers[BACKEND_COLUMNS_MAX][INT8_BYTES];
};

static void store_be64(uint64_t v, char into[INT8_BYTES])
{
    for (size_t i = 0; i < INT8_BYTES; i++)
        into[i] = (char)(v >> (56 - 8 * i) & 0xff);
}

static uint64_t load_be(const char *from, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (unsigned char)from[i];
    return v;
}

static void set_parameters(struct parameters *p, const struct value *values, size_t count)
{
    CHECK(count <= BACKEND_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct value *v = &values[i];
        uint64_t bits = (uint64_t)v->integer;
        if (v->type == VALUE_REAL)
            memcpy(&bits, &v->real, sizeof(bits));
        store_be64(bits, p->numbers[i]);
        p->formats[i] = 1;
        p->values[i] = p->numbers[i];
        p->lengths[i] = INT8_BYTES;
        if (v->type == VALUE_NULL)
            p->values[i] = NULL;
        if (v->type != VALUE_TEXT)
            continue;
        p->values[i] = v->text.ptr ? v->text.ptr : "";
        p->lengths[i] = (int)v->text.len;
    }
}

static struct value cell(const PGresult *result, int row, int column)
{
    const char *bytes = PQgetvalue(result, row, column);
    size_t len = (size_t)PQgetlength(result, row, column);
    struct value v = {.type = VALUE_NULL};
    if (PQgetisnull(result, row, column))
        return v;
    uint64_t bits = len <= INT8_BYTES ? load_be(bytes, len) : 0;
    switch ((enum type_oid)PQftype(result, column)) {
    case OID_INT8:
        return (struct value){.type = VALUE_INT, .integer = (int64_t)bits};
    case OID_INT4:
        return (struct value){.type = VALUE_INT, .integer = (int32_t)(uint32_t)bits};
    case OID_FLOAT8:
        v.type = VALUE_REAL;
        memcpy(&v.real, &bits, sizeof(bits));
        return v;
    case OID_TEXT:
        break;
    }
    return (struct value){.type = VALUE_TEXT, .text = {bytes, len}};
}

/* One statement outside of a pipeline: sent, answered, its rows handed on. A failure before the result drops the
 * connection, whose state is then unknown; one in on_row does not. */
static enum status query(struct backend *b, const char *sql, const struct value *values,
                         size_t count, backend_row_fn *on_row, void *arg, struct error *err)
{
    struct postgres_backend *s = self(b);
    struct parameters p;
    struct value row[BACKEND_COLUMNS_MAX];
    struct error why = {.status = ERR_IO};
    set_deadline(s, answer_ms(s));
    set_parameters(&p, values, count);
    PGresult *result = NULL;
    if (PQsendQueryParams(s->connection, sql, (int)count, NULL, p.values, p.lengths, p.formats, 1))
        result = take_result(s, &why);
    else
        (void)fail(s, &why);
    if (!result) {
        disconnect(s);
        return error_set(err, why.status, "%s", why.text);
    }
    int columns = PQnfields(result);
    enum status status = OK;
    CHECK(columns <= BACKEND_COLUMNS_MAX);
    for (int i = 0; i < PQntuples(result) && status == OK; i++) {
        for (int k = 0; k < columns; k++)
            row[k] = cell(result, i, k);
        status = on_row(row, (size_t)columns, arg, err);
    }
    PQclear(result);
    return status;
}

/* Connecting */

static void hear_nothing(void *arg, const char *message)
{
    (void)arg, (void)message; /* "already exists, skipping" */
}

static enum status dial(struct postgres_backend *s, struct error *err)
{
    static const char *const keys[] = {
        "fallback_application_name", "client_encoding", "keepalives_idle",
        "tcp_user_timeout",          "dbname",          NULL};
    const char *const values[] = {"leeroo", "UTF8", "30", "10000", s->url, NULL};
    set_deadline(s, CONNECT_MS);
    s->connection = PQconnectStartParams(keys, values, 1); /* what the URL says goes before */
    if (!s->connection || PQstatus(s->connection) == CONNECTION_BAD)
        return fail(s, err);
    PQsetNoticeProcessor(s->connection, hear_nothing, NULL);
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
        enum status status = wait_for(s, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, err);
        if (status != OK)
            return status;
        next = PQconnectPoll(s->connection);
        if (next == PGRES_POLLING_FAILED)
            return fail(s, err);
    }
    return PQsetnonblocking(s->connection, 1) == 0 ? OK : fail(s, err);
}

static enum status take_int(const struct value *values, size_t count, void *arg, struct error *err)
{
    (void)err;
    if (count > 0 && values[0].type == VALUE_INT)
        *(int64_t *)arg = values[0].integer;
    return OK;
}

static enum status read_version(struct postgres_backend *s, int64_t *ret, struct error *err)
{
    int64_t known = 0;
    *ret = 0;
    enum status status = query(&s->base, "SELECT CAST(COUNT(to_regclass('leeroo.meta')) AS BIGINT)",
                               NULL, 0, take_int, &known, err);
    if (status == OK && known)
        status = query(&s->base, "SELECT version FROM meta", NULL, 0, take_int, ret, err);
    return status;
}

/* One replica makes it, the others wait. */
static enum status make_schema(struct postgres_backend *s, struct error *err)
{
    char version[160];
    snprintf(version, sizeof(version),
             "INSERT INTO meta (version) SELECT %d WHERE NOT EXISTS (SELECT 1 FROM meta)",
             SQL_SCHEMA_VERSION);
    enum status status = run(s,
                             "BEGIN; SELECT pg_advisory_xact_lock(" SCHEMA_LOCK_TEXT "); "
                             "CREATE SCHEMA IF NOT EXISTS leeroo; "
                             "CREATE TABLE IF NOT EXISTS meta (version BIGINT NOT NULL)",
                             err);
    for (size_t i = 0; i < SQL_SCHEMA_COUNT && status == OK; i++)
        status = run(s, sql_schema[i], err);
    if (status == OK)
        status = run(s, version, err);
    return status == OK ? run(s, "COMMIT", err) : status;
}

static enum status check_schema(struct postgres_backend *s, bool write, struct error *err)
{
    int64_t version = 0;
    enum status status = read_version(s, &version, err);
    if (status == OK && version == 0 && write) {
        status = make_schema(s, err);
        if (status == OK)
            status = read_version(s, &version, err);
    }
    if (status != OK || version == SQL_SCHEMA_VERSION)
        return status;
    s->base.empty = version == 0;
    if (version == 0 && s->base.takes_empty && !write)
        return OK;
    if (version == 0)
        return error_set(err, ERR_CORRUPT, "ledger: the database holds no ledger yet");
    return error_set(err, ERR_CORRUPT,
                     "ledger: the database was made by a newer Leeroo (version %lld, known is %d)",
                     (long long)version, SQL_SCHEMA_VERSION);
}

static void statement_name(size_t which, char into[8])
{
    snprintf(into, 8, "s%zu", which);
}

static enum status prepare(struct postgres_backend *s, struct error *err)
{
    char name[8];
    struct error why = {.status = ERR_IO};
    for (size_t i = 0; i < SQL_STATEMENTS; i++) {
        statement_name(i, name);
        set_deadline(s, ANSWER_MS);
        if (!PQsendPrepare(s->connection, name, sql_statements[i], 0, NULL))
            return fail(s, err);
        PGresult *result = take_result(s, &why);
        if (!result)
            return error_set(err, why.status, "%s", why.text);
        PQclear(result);
    }
    return OK;
}

static enum status connect_now(struct postgres_backend *s, bool write, struct error *err)
{
    char settings[160];
    snprintf(settings, sizeof(settings),
             "SET search_path TO leeroo; SET statement_timeout TO %llu; SET lock_timeout TO 5000%s",
             (unsigned long long)(answer_ms(s) - ANSWER_MS / 5),
             write ? "" : "; SET default_transaction_read_only TO on");
    enum status status = dial(s, err);
    if (status == OK)
        status = run(s, settings, err);
    if (status == OK)
        status = check_schema(s, write, err);
    if (status == OK && write)
        status = prepare(s, err);
    return status;
}

static enum status connect_backend(struct backend *b, bool write, struct error *err)
{
    enum status status = connect_now(self(b), write, err);
    if (status != OK)
        disconnect(self(b));
    return status;
}

/* Writing */

static bool send(struct postgres_backend *s, const char *sql)
{
    return PQsendQueryParams(s->connection, sql, 0, NULL, NULL, NULL, NULL, 1);
}

static enum status begin(struct backend *b, struct error *err)
{
    struct postgres_backend *s = self(b);
    set_deadline(s, ANSWER_MS);
    return PQenterPipelineMode(s->connection) && send(s, "BEGIN") ? OK : fail(s, err);
}

/* Stays in libpq's buffer, which a batch bounds, but for what the socket takes. */
static enum status put(struct backend *b, size_t statement, const struct value *values,
                       size_t count, struct error *err)
{
    struct postgres_backend *s = self(b);
    struct parameters p;
    char name[8];
    statement_name(statement, name);
    set_parameters(&p, values, count);
    return PQsendQueryPrepared(s->connection, name, (int)count, p.values, p.lengths, p.formats, 1)
               ? OK
               : fail(s, err);
}

/* All results up to the end of the pipeline; the first failure counts. */
static enum status take_pipeline(struct postgres_backend *s, struct error *err)
{
    enum status failed = OK;
    unsigned ends = 0; /* NULLs in a row: libpq gives one behind each statement */
    for (;;) {
        enum status status = exchange(s, err);
        if (status != OK)
            return status;
        PGresult *result = PQgetResult(s->connection);
        ExecStatusType is = result ? PQresultStatus(result) : PGRES_EMPTY_QUERY;
        if (!result && ++ends > 1)
            return fail(s, err);
        if (result)
            ends = 0;
        if (result && is != PGRES_COMMAND_OK && is != PGRES_TUPLES_OK &&
            is != PGRES_PIPELINE_SYNC && is != PGRES_PIPELINE_ABORTED && failed == OK)
            failed = fail_result(result, err);
        PQclear(result);
        if (is == PGRES_PIPELINE_SYNC)
            return failed;
    }
}

static enum status commit(struct backend *b, struct error *err)
{
    struct postgres_backend *s = self(b);
    if (!send(s, "COMMIT") || !PQpipelineSync(s->connection))
        return fail(s, err);
    enum status status = take_pipeline(s, err);
    if (status == OK && !PQexitPipelineMode(s->connection))
        status = fail(s, err);
    return status;
}

static void rollback(struct backend *b)
{
    disconnect(self(b)); /* the server does it then */
}

static void free_backend(struct backend *b)
{
    struct postgres_backend *s = self(b);
    disconnect(s);
    explicit_bzero(s->url, strlen(s->url));
    free(s->url);
    free(s);
}

static const struct backend_ops ops = {
    .connect = connect_backend,
    .begin = begin,
    .put = put,
    .commit = commit,
    .rollback = rollback,
    .query = query,
    .free = free_backend,
    .each_call = "jsonb_array_elements(CAST(requests.calls AS jsonb)) AS c(value)",
    .call_text = "value->>'%s'",
    .call_integer = "CAST(value->>'%s' AS BIGINT)",
};

enum status postgres_backend_create(const char *url, struct backend **ret, struct error *err)
{
    struct postgres_backend *s = calloc(1, sizeof(*s));
    if (s)
        s->url = strdup(url);
    if (!s || !s->url) {
        free(s);
        return error_set(err, ERR_MEMORY, "out of memory for the ledger");
    }
    s->base.ops = &ops;
    *ret = &s->base;
    return OK;
}
