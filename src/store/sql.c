/* One SQL for SQLite and PostgreSQL. A begin never changes a row that is there; an end always does, but for the
 * decision, which only the begin knows: so each may be written twice, and in any order.
 *
 * Pure functions and constant texts, any thread: no connection, no lock. Values are bound and never written into a
 * statement, since they hold what clients and upstreams sent. */
#include "store/sql.h"

#include <string.h>

#include "base/check.h"

#define LISTED_COLUMNS                                                                             \
    "id, instance, begin_ms, front, key_id, policy, model, plan, expert, stream, quality, "        \
    "lambda, "                                                                                     \
    "predicted_nano_usd, reference_nano_usd"
#define REQUEST_COLUMNS LISTED_COLUMNS ", decision"
#define END_COLUMNS                                                                                \
    "outcome, http_status, basis, cost_nano_usd, input_tokens, cached_tokens, "                    \
    "cache_write_tokens, output_tokens, reasoning_tokens, attempts, cached, first_token_ms, "      \
    "total_ms, problem, calls"
#define BEGIN_VALUES 15
#define END_VALUES   30

const char *const sql_schema[SQL_SCHEMA_COUNT] = {
    "CREATE TABLE IF NOT EXISTS requests ("
    " id TEXT PRIMARY KEY,"
    " instance TEXT NOT NULL,"
    " begin_ms BIGINT NOT NULL," /* since 1970, UTC */
    " front TEXT NOT NULL,"
    " key_id TEXT NOT NULL," /* empty: no client key */
    " policy TEXT NOT NULL," /* empty: an expert by name */
    " model TEXT NOT NULL,"
    " plan TEXT NOT NULL,"
    " expert TEXT NOT NULL,"
    " stream BIGINT NOT NULL,"
    " quality DOUBLE PRECISION,"
    " lambda DOUBLE PRECISION,"
    " predicted_nano_usd BIGINT NOT NULL,"
    " reference_nano_usd BIGINT NOT NULL," /* 0: not known */
    " decision TEXT,"
    " outcome TEXT NOT NULL," /* open, answered, failed, cancelled, interrupted */
    " http_status BIGINT NOT NULL DEFAULT 0,"
    " basis TEXT NOT NULL DEFAULT 'predicted',"
    " cost_nano_usd BIGINT NOT NULL DEFAULT 0,"
    " input_tokens BIGINT NOT NULL DEFAULT 0," /* with the next two */
    " cached_tokens BIGINT NOT NULL DEFAULT 0,"
    " cache_write_tokens BIGINT NOT NULL DEFAULT 0,"
    " output_tokens BIGINT NOT NULL DEFAULT 0," /* with the next */
    " reasoning_tokens BIGINT NOT NULL DEFAULT 0,"
    " attempts BIGINT NOT NULL DEFAULT 0,"
    " cached BIGINT NOT NULL DEFAULT 0,"
    " first_token_ms BIGINT,"
    " total_ms BIGINT,"
    " problem TEXT,"
    " calls TEXT)",
    "CREATE INDEX IF NOT EXISTS requests_begin ON requests (begin_ms)",
    "CREATE INDEX IF NOT EXISTS requests_open ON requests (instance) WHERE outcome = 'open'",
    "CREATE TABLE IF NOT EXISTS feedback ("
    " request_id TEXT PRIMARY KEY,"
    " at_ms BIGINT NOT NULL,"
    " score DOUBLE PRECISION NOT NULL,"
    " comment TEXT)",
    "CREATE TABLE IF NOT EXISTS losses ("
    " instance TEXT NOT NULL,"
    " from_ms BIGINT NOT NULL,"
    " to_ms BIGINT NOT NULL,"
    " lost_rows BIGINT NOT NULL,"
    " nano_usd BIGINT NOT NULL,"
    " PRIMARY KEY (instance, from_ms))",
};

const char *const sql_statements[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "INSERT INTO requests (" REQUEST_COLUMNS ", outcome) VALUES "
                  "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'open') "
                  "ON CONFLICT (id) DO NOTHING",
    [SQL_END] =
        "INSERT INTO requests (" REQUEST_COLUMNS ", " END_COLUMNS ") VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
        "$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30) "
        "ON CONFLICT (id) DO UPDATE SET expert = excluded.expert, plan = excluded.plan, "
        "quality = excluded.quality, lambda = excluded.lambda, "
        "predicted_nano_usd = excluded.predicted_nano_usd, "
        "reference_nano_usd = excluded.reference_nano_usd, "
        "decision = COALESCE(requests.decision, excluded.decision), "
        "outcome = excluded.outcome, http_status = excluded.http_status, basis = excluded.basis, "
        "cost_nano_usd = excluded.cost_nano_usd, input_tokens = excluded.input_tokens, "
        "cached_tokens = excluded.cached_tokens, "
        "cache_write_tokens = excluded.cache_write_tokens, "
        "output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens, "
        "attempts = excluded.attempts, cached = excluded.cached, "
        "first_token_ms = excluded.first_token_ms, total_ms = excluded.total_ms, "
        "problem = excluded.problem, calls = excluded.calls",
    [SQL_FEEDBACK] = "INSERT INTO feedback (request_id, at_ms, score, comment) "
                     "VALUES ($1, $2, $3, $4) ON CONFLICT (request_id) DO UPDATE SET "
                     "at_ms = excluded.at_ms, score = excluded.score, comment = excluded.comment "
                     "WHERE excluded.at_ms >= feedback.at_ms",
    [SQL_LOSS] = "INSERT INTO losses (instance, from_ms, to_ms, lost_rows, nano_usd) "
                 "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (instance, from_ms) DO UPDATE SET "
                 "to_ms = excluded.to_ms, lost_rows = excluded.lost_rows, "
                 "nano_usd = excluded.nano_usd",
    [SQL_INTERRUPT] = "UPDATE requests SET outcome = 'interrupted', basis = 'estimated', "
                      "cost_nano_usd = predicted_nano_usd "
                      "WHERE outcome = 'open' AND instance = $1",
    [SQL_PRUNE_FEEDBACK] = "DELETE FROM feedback WHERE request_id IN (SELECT id FROM requests "
                           "WHERE begin_ms <= $1 AND outcome <> 'open')",
    [SQL_PRUNE_REQUESTS] = "DELETE FROM requests WHERE begin_ms <= $1 AND outcome <> 'open'",
    [SQL_PRUNE_LOSSES] = "DELETE FROM losses WHERE to_ms <= $1",
    [SQL_PRUNE_ORPHANS] = "DELETE FROM feedback WHERE at_ms <= $1 AND NOT EXISTS "
                          "(SELECT 1 FROM requests WHERE id = request_id)",
};

const size_t sql_value_counts[SQL_STATEMENTS] = {
    [SQL_BEGIN] = BEGIN_VALUES, [SQL_END] = END_VALUES,
    [SQL_FEEDBACK] = 4,         [SQL_LOSS] = 5,
    [SQL_INTERRUPT] = 1,        [SQL_PRUNE_FEEDBACK] = 1,
    [SQL_PRUNE_REQUESTS] = 1,   [SQL_PRUNE_LOSSES] = 1,
    [SQL_PRUNE_ORPHANS] = 1,
};

#define WHOLE                                                                                      \
    "SELECT " REQUEST_COLUMNS ", " END_COLUMNS ", f.at_ms, f.score, f.comment FROM requests "      \
    "LEFT JOIN feedback f ON f.request_id = id"
const char sql_request[] = WHOLE " WHERE id = $1";
const char sql_whole[] = WHOLE;
const char sql_listed[] =
    "SELECT " LISTED_COLUMNS ", NULL, " END_COLUMNS ", NULL, NULL, NULL FROM requests";

/* Binding */

static struct value of_int(int64_t integer)
{
    return (struct value){.type = VALUE_INT, .integer = integer};
}

static struct value of_real(double real)
{
    return (struct value){.type = VALUE_REAL, .real = real};
}

static bool is_plain(struct str s)
{
    return (s.len == 0 || !memchr(s.ptr, 0, s.len)) && utf8_valid(s);
}

/* NUL bytes and what is no UTF-8 become U+FFFD: PostgreSQL takes neither. */
static struct value of_text(struct str s, char **scratch)
{
    struct value v = {.type = VALUE_TEXT, .text = s};
    if (is_plain(s))
        return v;
    char *to = *scratch;
    for (size_t at = 0; at < s.len;) {
        size_t start = at;
        bool bad = (utf8_next(s, &at) == 0xfffd && at == start + 1) || !s.ptr[start];
        memcpy(to, bad ? "\xef\xbf\xbd" : s.ptr + start, bad ? 3 : at - start);
        to += bad ? 3 : at - start;
    }
    v.text = (struct str){*scratch, (size_t)(to - *scratch)};
    *scratch = to;
    return v;
}

static struct value of_text_or_null(struct str s, char **scratch)
{
    return s.len > 0 ? of_text(s, scratch) : (struct value){.type = VALUE_NULL};
}

static size_t bind_request(const struct row *row, const char *instance, char **scratch,
                           struct value *v)
{
    static const enum row_text names[] = {ROW_FRONT, ROW_KEY,  ROW_POLICY,
                                          ROW_MODEL, ROW_PLAN, ROW_EXPERT};
    const struct row_numbers *n = &row->numbers;
    size_t at = 0;
    v[at++] = of_text(row->texts[ROW_ID], scratch);
    v[at++] = of_text(str_from(instance), scratch);
    v[at++] = of_int(n->at_ms);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        v[at++] = of_text(row->texts[names[i]], scratch);
    v[at++] = of_int(n->stream);
    v[at++] = of_real(n->quality);
    v[at++] = of_real(n->lambda);
    v[at++] = of_int(n->predicted_nano_usd);
    v[at++] = of_int(n->reference_nano_usd);
    v[at++] = of_text_or_null(row->texts[ROW_DECISION], scratch);
    CHECK(at == BEGIN_VALUES);
    return at;
}

static void bind_end(const struct row *row, char **scratch, struct value *v, size_t at)
{
    const struct row_numbers *n = &row->numbers;
    v[at++] = of_text(row->texts[ROW_OUTCOME], scratch);
    v[at++] = of_int(n->http_status);
    v[at++] = of_text(row->texts[ROW_BASIS], scratch);
    v[at++] = of_int(n->cost_nano_usd);
    v[at++] = of_int(n->input_tokens);
    v[at++] = of_int(n->cached_tokens);
    v[at++] = of_int(n->cache_write_tokens);
    v[at++] = of_int(n->output_tokens);
    v[at++] = of_int(n->reasoning_tokens);
    v[at++] = of_int(n->attempts);
    v[at++] = of_int(n->cached);
    v[at++] =
        n->first_token_ms < 0 ? (struct value){.type = VALUE_NULL} : of_int(n->first_token_ms);
    v[at++] = of_int(n->total_ms);
    v[at++] = of_text_or_null(row->texts[ROW_PROBLEM], scratch);
    v[at++] = of_text_or_null(row->texts[ROW_CALLS], scratch);
    CHECK(at == END_VALUES);
}

enum sql_statement sql_bind(const struct row *row, const char *instance, char *scratch,
                            struct value values[BACKEND_COLUMNS_MAX])
{
    if (row->kind == ROW_FEEDBACK) {
        values[0] = of_text(row->texts[ROW_ID], &scratch);
        values[1] = of_int(row->numbers.at_ms);
        values[2] = of_real(row->numbers.score);
        values[3] = of_text_or_null(row->texts[ROW_COMMENT], &scratch);
        return SQL_FEEDBACK;
    }
    size_t at = bind_request(row, instance, &scratch, values);
    if (row->kind == ROW_BEGIN)
        return SQL_BEGIN;
    bind_end(row, &scratch, values, at);
    return SQL_END;
}
