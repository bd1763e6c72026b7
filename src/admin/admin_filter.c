/* Parameters of a search. A place is "BEGIN_MS.ID": whoever turns pages takes it as it came. */
#include "admin/admin_filter.h"

#include "admin/admin_query.h"

#define KNOWN "limit, before, id, key, expert, policy, outcome, from_ms, to_ms, min_usd, max_usd, q"

void admin_filter_write_place(const struct search_place *place, struct buf *out)
{
    buf_add_int(out, place->begin_ms);
    buf_add_char(out, '.');
    buf_add(out, place->id);
}

enum status admin_filter_read_place(struct str text, struct search_place *ret, struct error *err)
{
    struct str id = text, ms = str_split(&id, '.');
    int64_t begin_ms;
    if (str_to_int64(ms, &begin_ms) != OK || id.len == 0 || id.len > SEARCH_TEXT_BYTES_MAX)
        return error_set(err, ERR_INPUT, "before must be the \"next\" of an earlier page");
    *ret = (struct search_place){begin_ms, id};
    return OK;
}

static enum status read_outcome(const struct admin_parameter *p, struct str *ret, struct error *err)
{
    static const char *const names[] = {"answered", "failed", "cancelled", "interrupted", "open"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_equal(p->value, str_from(names[i]))) {
            *ret = p->value;
            return OK;
        }
    return error_set(err, ERR_INPUT,
                     "outcome must be answered, failed, cancelled, interrupted or open");
}

static enum status read_time(const struct admin_parameter *p, int64_t *ret, struct error *err)
{
    uint64_t ms;
    enum status status = admin_query_integer(p, 0, INT64_MAX, &ms, err);
    if (status == OK)
        *ret = (int64_t)ms;
    return status;
}

static enum status read_text(const struct admin_parameter *p, struct str *ret, struct error *err)
{
    if (p->value.len > SEARCH_TEXT_BYTES_MAX)
        return error_set(err, ERR_INPUT, "%.*s may have at most %d bytes", STR_FMT(p->name),
                         SEARCH_TEXT_BYTES_MAX);
    *ret = p->value;
    return OK;
}

enum name { LIMIT, BEFORE, ID, KEY, EXPERT, POLICY, OUTCOME, FROM, TO, MIN, MAX, WORDS, NAMES };

static enum name name_of(struct str name)
{
    static const char *const names[NAMES] = {"limit",  "before",  "id",      "key",
                                             "expert", "policy",  "outcome", "from_ms",
                                             "to_ms",  "min_usd", "max_usd", "q"};
    size_t i = 0;
    while (i < NAMES && !str_equal(name, str_from(names[i])))
        i++;
    return (enum name)i;
}

static enum status read_limit(const struct admin_parameter *p, size_t *ret, struct error *err)
{
    uint64_t limit;
    enum status status = admin_query_integer(p, 1, SEARCH_ROWS_MAX, &limit, err);
    if (status == OK)
        *ret = (size_t)limit;
    return status;
}

/* One piece: a line for each name. */
static enum status read_one(const struct admin_parameter *p, struct ledger_search *s,
                            struct error *err)
{
    enum name name = name_of(p->name);
    if (name < NAMES && p->value.len == 0)
        return OK; /* a field of a form that was left empty */
    switch (name) {
    case LIMIT:
        return read_limit(p, &s->limit, err);
    case BEFORE:
        s->has_before = true;
        return admin_filter_read_place(p->value, &s->before, err);
    case ID:
        return read_text(p, &s->id, err);
    case KEY:
        return read_text(p, &s->key, err);
    case EXPERT:
        return read_text(p, &s->expert, err);
    case POLICY:
        return read_text(p, &s->policy, err);
    case OUTCOME:
        return read_outcome(p, &s->outcome, err);
    case FROM:
        return read_time(p, &s->from_ms, err);
    case TO:
        return read_time(p, &s->to_ms, err);
    case MIN:
        return admin_query_usd(p, &s->min_nano_usd, err);
    case MAX:
        s->has_max = true;
        return admin_query_usd(p, &s->max_nano_usd, err);
    case WORDS:
        return read_text(p, &s->words, err);
    case NAMES:
        break;
    }
    return admin_query_unknown(p, KNOWN, err);
}

enum status admin_filter_read(struct str query, struct arena *a, struct ledger_search *ret,
                              struct error *err)
{
    struct ledger_search s = {.limit = ADMIN_FILTER_ROWS_USUAL};
    struct admin_query q = {.rest = query};
    struct admin_parameter p;
    enum status status;
    while ((status = admin_query_next(&q, a, &p, err)) == OK) {
        status = read_one(&p, &s, err);
        if (status != OK)
            return status;
    }
    if (status != CLOSED)
        return status;
    if (s.to_ms && s.from_ms > s.to_ms)
        return error_set(err, ERR_INPUT, "from_ms is later than to_ms");
    if (s.has_max && s.min_nano_usd > s.max_nano_usd)
        return error_set(err, ERR_INPUT, "min_usd is more than max_usd");
    *ret = s;
    return OK;
}
