/* NAME=VALUE&NAME=VALUE, each decoded as browsers encode forms: %XX, and + for a blank. */
#include "admin/admin_query.h"

#include <string.h>

#include "base/money.h"
#include "base/percent.h"

#define SHOWN_BYTES_MAX 40

/* The name as it may stand in a sentence. */
static const char *shown(struct str text, char into[SHOWN_BYTES_MAX + 4])
{
    utf8_make_printable(into, SHOWN_BYTES_MAX, text);
    return into;
}

static enum status decode(struct str raw, struct arena *a, struct str *ret, struct error *err)
{
    char *blanks = arena_alloc(a, raw.len + 1);
    if (!blanks)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < raw.len; i++)
        blanks[i] = raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
    *ret = percent_decode((struct str){blanks, raw.len}, a);
    if (raw.len > 0 && ret->len == 0)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (!utf8_valid(*ret) || memchr(ret->ptr, 0, ret->len))
        return error_set(err, ERR_INPUT,
                         "what stands behind the ? must be UTF-8 without NUL characters");
    return OK;
}

static enum status note(struct admin_query *q, struct str name, struct error *err)
{
    char text[SHOWN_BYTES_MAX + 4];
    for (size_t i = 0; i < q->count; i++)
        if (str_equal(q->seen[i], name))
            return error_set(err, ERR_INPUT, "%s is given twice", shown(name, text));
    if (q->count == ADMIN_QUERY_NAMES_MAX)
        return error_set(err, ERR_INPUT, "too many parameters; there are not that many");
    q->seen[q->count++] = name;
    return OK;
}

enum status admin_query_next(struct admin_query *q, struct arena *a, struct admin_parameter *ret,
                             struct error *err)
{
    struct admin_parameter p;
    struct str pair = STR("");
    while (pair.len == 0 && q->rest.len > 0)
        pair = str_split(&q->rest, '&');
    if (pair.len == 0)
        return CLOSED;
    struct str name = str_split(&pair, '=');
    enum status status = decode(name, a, &p.name, err);
    if (status == OK && p.name.len == 0)
        status = error_set(err, ERR_INPUT, "a parameter has no name; write NAME=VALUE");
    if (status == OK)
        status = decode(pair, a, &p.value, err);
    if (status == OK)
        status = note(q, p.name, err);
    if (status == OK)
        *ret = p;
    return status;
}

enum status admin_query_unknown(const struct admin_parameter *p, const char *known,
                                struct error *err)
{
    char text[SHOWN_BYTES_MAX + 4];
    return error_set(err, ERR_INPUT, "unknown parameter %s; there are %s", shown(p->name, text),
                     known);
}

enum status admin_query_integer(const struct admin_parameter *p, uint64_t min, uint64_t max,
                                uint64_t *ret, struct error *err)
{
    uint64_t value;
    char text[SHOWN_BYTES_MAX + 4];
    if (str_to_uint64(p->value, &value) != OK || value < min || value > max)
        return error_set(err, ERR_INPUT, "%s must be a whole number from %llu to %llu",
                         shown(p->name, text), (unsigned long long)min, (unsigned long long)max);
    *ret = value;
    return OK;
}

enum status admin_query_usd(const struct admin_parameter *p, int64_t *ret_nano_usd,
                            struct error *err)
{
    char text[SHOWN_BYTES_MAX + 4];
    if (money_parse_usd(p->value, ret_nano_usd) != OK)
        return error_set(err, ERR_INPUT, "%s must be an amount in USD, such as 0.01",
                         shown(p->name, text));
    return OK;
}
