/* Pages of the table follow one another by the place of the last row (begin, id), as in search.c, the oldest first.
 *
 * One arena holds one row at a time. A page is asked for with a limit, because PostgreSQL's answers are in memory as a
 * whole. The thread waits for the database and for `fn`. */
#include "store/ledger_each.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "store/reader_int.h"
#include "store/sql.h"

#define PAGE_ROWS       500
#define PAGE_MS         60000
#define ROW_ARENA_BYTES (1u << 20)
#define ID_BYTES_MAX    512
#define SQL_BYTES_MAX   4096
#define VALUES_MAX      8

struct paging {
    ledger_each_fn *fn;
    void *arg;
    struct arena *arena;
    int64_t begin_ms; /* of the last row */
    char id[ID_BYTES_MAX];
    size_t id_len, rows; /* of this page */
};

static enum status take(const struct value *values, size_t count, void *arg, struct error *err)
{
    struct paging *p = arg;
    struct ledger_found found = {0};
    struct reader_row row = {.found = &found, .arena = p->arena};
    arena_reset(p->arena);
    enum status status = reader_take_row(values, count, &row, err);
    if (status != OK)
        return status;
    if (found.id.len > sizeof(p->id))
        return error_set(err, ERR_CORRUPT, "ledger: a request's id is longer than any of ours");
    p->begin_ms = found.begin_ms;
    p->id_len = found.id.len;
    memcpy(p->id, found.id.ptr, found.id.len);
    p->rows++;
    return p->fn(&found, p->arg, err);
}

struct page_sql {
    struct buf sql;
    struct value values[VALUES_MAX];
    size_t count;
};

static void add_value(struct page_sql *s, const char *before, struct value value)
{
    CHECK(s->count < VALUES_MAX);
    s->values[s->count++] = value;
    buf_addf(&s->sql, "%s$%zu", before, s->count);
}

static void add_text(struct page_sql *s, const char *before, struct str text)
{
    if (text.ptr)
        add_value(s, before, (struct value){.type = VALUE_TEXT, .text = text});
}

/* The first value stands for the place of the last row, and, before there is one, for the beginning of the range. */
static void write_page(struct page_sql *s, const struct ledger_filter *f, const struct paging *p)
{
    s->count = 0;
    buf_clear(&s->sql);
    buf_add_c(&s->sql, sql_whole);
    add_value(s, " WHERE begin_ms >= ", (struct value){.type = VALUE_INT, .integer = p->begin_ms});
    if (p->id_len > 0) {
        add_value(s, " AND (begin_ms > $1 OR id > ",
                  (struct value){.type = VALUE_TEXT, .text = {p->id, p->id_len}});
        buf_add_char(&s->sql, ')');
    }
    add_value(s, " AND begin_ms < ", (struct value){.type = VALUE_INT, .integer = f->to_ms});
    add_text(s, " AND key_id = ", f->key);
    add_text(s, " AND expert = ", f->expert);
    add_text(s, " AND policy = ", f->policy);
    buf_addf(&s->sql, " ORDER BY begin_ms, id LIMIT %d", PAGE_ROWS);
}

static enum status read_pages(struct ledger_reader *r, const struct ledger_filter *f,
                              struct paging *p, struct error *err)
{
    struct page_sql s = {.count = 0};
    enum status status = OK;
    buf_init(&s.sql, SQL_BYTES_MAX);
    do {
        p->rows = 0;
        write_page(&s, f, p);
        status = buf_status(&s.sql, err);
        if (status == OK)
            status = reader_ask(r, PAGE_MS, s.sql.ptr, s.values, s.count, take, p, err);
    } while (status == OK && p->rows == PAGE_ROWS);
    buf_done(&s.sql);
    return status;
}

enum status ledger_each(struct ledger_reader *r, const struct ledger_filter *f, ledger_each_fn *fn,
                        void *arg, struct error *err)
{
    struct paging p = {.fn = fn, .arg = arg, .begin_ms = f->from_ms};
    p.arena = arena_create(ROW_ARENA_BYTES);
    if (!p.arena)
        return error_set(err, ERR_MEMORY, "out of memory for a row");
    enum status status = read_pages(r, f, &p, err);
    arena_free(p.arena);
    return status;
}
