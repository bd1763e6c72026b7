/* Requests by what is known of them, each a statement with bound values: what is looked for never becomes SQL. Pages
 * follow one another by the place of the last row (begin, id), so that rows which arrive meanwhile move nothing, and
 * the index over begin_ms serves all of them; where a filter finds too little in it, the deadline ends the search.
 *
 * As reader.c: one thread, which waits for the database, never an event loop's. */
#include "store/search.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "store/reader_int.h"
#include "store/sql.h"

#define SQL_BYTES_MAX    4096
#define VALUES_MAX       16
#define PATTERN_BYTES    (SEARCH_TEXT_BYTES_MAX * 2 + 3)
#define DECISIONS_OF_MAX 1000 /* that are asked for at once */

/* Statements */

struct statement {
    struct buf sql;
    struct value values[VALUES_MAX];
    size_t count;
    char pattern[PATTERN_BYTES];
};

/* Puts the value's name behind `text`: $1, $2 ... in the order in which they first appear, as SQLite counts them. */
static void add_value(struct statement *s, const char *text, struct value value)
{
    CHECK(s->count < VALUES_MAX);
    s->values[s->count++] = value;
    buf_addf(&s->sql, "%s$%zu", text, s->count);
}

static struct value of_int(int64_t integer)
{
    return (struct value){.type = VALUE_INT, .integer = integer};
}

static struct value of_text(struct str text)
{
    return (struct value){.type = VALUE_TEXT, .text = text};
}

static void add_equal(struct statement *s, const char *text, struct str wanted)
{
    if (wanted.ptr)
        add_value(s, text, of_text(wanted));
}

/* "%WORDS%", in which nothing has a meaning of its own. */
static struct str like_pattern(char into[PATTERN_BYTES], struct str words)
{
    size_t n = 0;
    into[n++] = '%';
    for (size_t i = 0; i < words.len; i++) {
        char c = words.ptr[i];
        if (c == '%' || c == '_' || c == '\\')
            into[n++] = '\\';
        into[n++] = c;
    }
    into[n++] = '%';
    CHECK(n <= PATTERN_BYTES);
    return (struct str){into, n};
}

/* Lower case on both sides, because SQLite's LIKE knows no case and PostgreSQL's does. */
static void add_words(struct statement *s, struct str words)
{
    static const char *const columns[] = {"id", "model", "policy", "expert", "plan"};
    if (words.len == 0)
        return;
    add_value(s, " AND (LOWER(COALESCE(problem, '')) LIKE LOWER(",
              of_text(like_pattern(s->pattern, words)));
    buf_add_c(&s->sql, ") ESCAPE '\\'");
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        buf_addf(&s->sql, " OR LOWER(%s) LIKE LOWER($%zu) ESCAPE '\\'", columns[i], s->count);
    buf_add_char(&s->sql, ')');
}

/* The place takes two conditions: the first is what the index can do. */
static void add_before(struct statement *s, const struct search_place *before)
{
    add_value(s, " AND begin_ms <= ", of_int(before->begin_ms));
    buf_addf(&s->sql, " AND (begin_ms < $%zu OR id < ", s->count);
    add_value(s, "", of_text(before->id));
    buf_add_char(&s->sql, ')');
}

static void write_search(struct statement *s, const struct ledger_search *wanted)
{
    buf_add_c(&s->sql, sql_listed);
    add_value(s, " WHERE begin_ms >= ", of_int(wanted->from_ms));
    if (wanted->to_ms)
        add_value(s, " AND begin_ms < ", of_int(wanted->to_ms));
    if (wanted->has_before)
        add_before(s, &wanted->before);
    add_equal(s, " AND id = ", wanted->id);
    add_equal(s, " AND key_id = ", wanted->key);
    add_equal(s, " AND expert = ", wanted->expert);
    add_equal(s, " AND policy = ", wanted->policy);
    add_equal(s, " AND outcome = ", wanted->outcome);
    if (wanted->min_nano_usd > 0)
        add_value(s, " AND cost_nano_usd >= ", of_int(wanted->min_nano_usd));
    if (wanted->has_max)
        add_value(s, " AND cost_nano_usd <= ", of_int(wanted->max_nano_usd));
    add_words(s, wanted->words);
    add_value(s, " ORDER BY begin_ms DESC, id DESC LIMIT ", of_int((int64_t)wanted->limit + 1));
}

static enum status run(struct ledger_reader *r, struct statement *s, backend_row_fn *on_row,
                       void *arg, struct error *err)
{
    enum status status = buf_status(&s->sql, err);
    if (status == OK)
        status = reader_ask(r, SEARCH_MS, s->sql.ptr, s->values, s->count, on_row, arg, err);
    buf_done(&s->sql);
    return status;
}

/* A page */

static enum status check_texts(const struct ledger_search *s, struct error *err)
{
    const struct str all[] = {s->id,      s->key,   s->expert,   s->policy,
                              s->outcome, s->words, s->before.id};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].len > SEARCH_TEXT_BYTES_MAX)
            return error_set(err, ERR_INPUT, "a text to look for may have at most %d bytes",
                             SEARCH_TEXT_BYTES_MAX);
        if (all[i].len > 0 && (memchr(all[i].ptr, 0, all[i].len) || !utf8_valid(all[i])))
            return error_set(err, ERR_INPUT,
                             "a text to look for must be UTF-8 without NUL characters");
    }
    return OK;
}

struct filling {
    struct search_page *page;
    struct reader_row row;
    size_t limit;
};

static enum status take_listed(const struct value *v, size_t count, void *arg, struct error *err)
{
    struct filling *f = arg;
    if (f->page->count == f->limit) {
        f->page->more = true;
        return OK;
    }
    f->row.found = &f->page->rows[f->page->count++];
    return reader_take_row(v, count, &f->row, err);
}

enum status ledger_search(struct ledger_reader *r, const struct ledger_search *wanted,
                          struct arena *a, struct search_page *ret, struct error *err)
{
    CHECK(wanted->limit >= 1 && wanted->limit <= SEARCH_ROWS_MAX);
    struct search_page page = {.rows = ARENA_ARRAY(a, wanted->limit, struct ledger_found)};
    struct filling filling = {.page = &page, .row = {.arena = a}, .limit = wanted->limit};
    struct statement s = {.count = 0};
    enum status status = check_texts(wanted, err);
    if (status == OK && !page.rows)
        status = error_set(err, ERR_MEMORY, "out of memory for requests");
    if (status != OK)
        return status;
    buf_init(&s.sql, SQL_BYTES_MAX);
    write_search(&s, wanted);
    status = run(r, &s, take_listed, &filling, err);
    if (status == ERR_TIMEOUT)
        return error_set(
            err, ERR_TIMEOUT,
            "the search took longer than %d s; narrow it by from_ms and to_ms, or look "
            "for an id",
            SEARCH_MS / 1000);
    if (status == OK)
        *ret = page;
    return status;
}

/* The latest */

static const char latest_decisions[] =
    "SELECT begin_ms, policy, plan, expert, decision FROM (SELECT id, begin_ms, policy, plan, "
    "expert, decision, cached FROM requests ORDER BY begin_ms DESC LIMIT ";

struct calling {
    void (*fn)(void);
    void *arg;
};

static enum status take_decision(const struct value *v, size_t count, void *arg, struct error *err)
{
    const struct calling *c = arg;
    (void)err;
    CHECK(count == 5);
    const struct search_decision d = {reader_integer(&v[0], 0), reader_text(&v[1]),
                                      reader_text(&v[2]), reader_text(&v[3]), reader_text(&v[4])};
    ((search_decision_fn *)c->fn)(&d, c->arg);
    return OK;
}

enum status ledger_read_decisions(struct ledger_reader *r, size_t limit, search_decision_fn *fn,
                                  void *arg, struct error *err)
{
    struct calling calling = {(void (*)(void))fn, arg};
    struct statement s = {.count = 0};
    CHECK(limit <= DECISIONS_OF_MAX);
    buf_init(&s.sql, SQL_BYTES_MAX);
    buf_add_c(&s.sql, latest_decisions);
    add_value(&s, "", of_int(SEARCH_RECENT_MAX));
    add_value(&s,
              ") AS latest WHERE decision IS NOT NULL AND cached = 0 "
              "ORDER BY begin_ms DESC, id DESC LIMIT ",
              of_int((int64_t)limit));
    return run(r, &s, take_decision, &calling, err);
}

static enum status take_score(const struct value *v, size_t count, void *arg, struct error *err)
{
    const struct calling *c = arg;
    (void)err;
    CHECK(count == 5);
    const struct search_score s = {reader_text(&v[0]), reader_text(&v[1]), reader_text(&v[2]),
                                   reader_real(&v[3]), reader_real(&v[4])};
    ((search_score_fn *)c->fn)(&s, c->arg);
    return OK;
}

enum status ledger_read_scores(struct ledger_reader *r, search_score_fn *fn, void *arg,
                               struct error *err)
{
    struct calling calling = {(void (*)(void))fn, arg};
    struct statement s = {.count = 0};
    buf_init(&s.sql, SQL_BYTES_MAX);
    add_value(&s,
              "SELECT r.plan, r.expert, r.decision, r.quality, f.score FROM feedback f JOIN "
              "requests r ON r.id = f.request_id WHERE r.outcome = 'answered' AND r.cached = 0 "
              "ORDER BY f.at_ms DESC LIMIT ",
              of_int(SEARCH_RECENT_MAX));
    return run(r, &s, take_score, &calling, err);
}

static enum status take_policy(const struct value *v, size_t count, void *arg, struct error *err)
{
    const struct calling *c = arg;
    (void)err;
    CHECK(count == 5);
    const struct search_policy p = {reader_text(&v[0]), reader_integer(&v[1], 0),
                                    reader_real(&v[2]), reader_real(&v[3]),
                                    reader_real(&v[4]) / 1e9};
    ((search_policy_fn *)c->fn)(&p, c->arg);
    return OK;
}

enum status ledger_read_policies(struct ledger_reader *r, int64_t since_ms, search_policy_fn *fn,
                                 void *arg, struct error *err)
{
    struct calling calling = {(void (*)(void))fn, arg};
    struct statement s = {.count = 0};
    buf_init(&s.sql, SQL_BYTES_MAX);
    buf_add_c(&s.sql, "SELECT policy, CAST(COUNT(*) AS BIGINT), AVG(lambda), AVG(quality), "
                      "CAST(AVG(cost_nano_usd) AS DOUBLE PRECISION) FROM (SELECT policy, lambda, "
                      "quality, cost_nano_usd, outcome FROM requests");
    add_value(&s, " WHERE begin_ms >= ", of_int(since_ms));
    add_value(&s, " ORDER BY begin_ms DESC LIMIT ", of_int(5 * SEARCH_RECENT_MAX));
    buf_add_c(&s.sql, ") AS latest WHERE policy <> '' AND outcome <> 'open' GROUP BY policy "
                      "ORDER BY policy");
    return run(r, &s, take_policy, &calling, err);
}
