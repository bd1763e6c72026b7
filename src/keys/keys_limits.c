/* Limits from the command line into a key's row. */
#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "keys/keys_limits.h"

#define DAY_MS      INT64_C(86400000)
#define DAYS_MAX    36500
#define RATE_MAX    UINT64_C(1000000000000)
#define KNOWN_BYTES 200
static const char no_memory[] = "out of memory";

static enum status read_budget(const char *text, enum key_period p, int64_t *ret, struct error *err)
{
    if (!strcmp(text, "none"))
        *ret = KEY_UNLIMITED;
    else if (money_parse_usd(str_from(text), ret) != OK)
        return error_set(err, ERR_USAGE,
                         "--budget-%s: '%.40s' is neither an amount in USD like 2.50 nor none",
                         key_period_name(p), text);
    return OK;
}

static enum status read_rate(const char *text, const char *option, int64_t *ret, struct error *err)
{
    uint64_t rate = 0;
    if (!strcmp(text, "none")) {
        *ret = KEY_UNLIMITED;
        return OK;
    }
    if (str_to_uint64(str_from(text), &rate) != OK || rate < 1 || rate > RATE_MAX)
        return error_set(err, ERR_USAGE, "%s: '%.40s' is neither a whole number from 1 nor none",
                         option, text);
    *ret = (int64_t)rate;
    return OK;
}

/* "2026-12-31", "2026-12-31T08:00:00Z", "90d" */
static enum status read_expiry(const char *text, int64_t now_ms, int64_t *ret, struct error *err)
{
    struct str s = str_from(text);
    uint64_t days = 0;
    if (!strcmp(text, "none"))
        *ret = 0;
    else if (str_ends(s, STR("d")) && str_to_uint64(str_slice(s, 0, s.len - 1), &days) == OK &&
             days <= DAYS_MAX)
        *ret = now_ms + (int64_t)days * DAY_MS;
    else if (key_time_parse(s, ret) != OK)
        return error_set(err, ERR_USAGE,
                         "--expires: '%.40s' is none of 2026-12-31, 2026-12-31T08:00:00Z, 90d and "
                         "none",
                         text);
    return OK;
}

static size_t known_count(const struct config *c, bool experts)
{
    return experts ? c->expert_count : c->policy_count;
}

static struct str known_at(const struct config *c, bool experts, size_t i)
{
    return experts ? c->experts[i].name : c->policies[i].name;
}

static enum status check_known(const struct config *c, bool experts, struct str name,
                               struct error *err)
{
    struct buf known;
    for (size_t i = 0; i < known_count(c, experts); i++)
        if (str_equal(known_at(c, experts, i), name))
            return OK;
    buf_init(&known, KNOWN_BYTES);
    for (size_t i = 0; i < known_count(c, experts); i++)
        buf_addf(&known, "%s%.*s", i ? ", " : "", STR_FMT(known_at(c, experts, i)));
    error_set(err, ERR_USAGE, "--%s: %s has no '%.*s'; it has %s%s",
              experts ? "experts" : "policies", c->place, STR_FMT(name),
              known.ptr ? known.ptr : "none", known.status == OK ? "" : ", ...");
    buf_done(&known);
    return ERR_USAGE;
}

/* One pass over the list; each mistake has its own sentence. */
static enum status read_names(const char *text, bool experts, const struct config *c,
                              struct arena *a, struct key_names *ret, struct error *err)
{
    struct str rest = arena_copy(a, str_from(text));
    struct str *list = ARENA_ARRAY(a, KEY_LIST_MAX, struct str);
    size_t count = 0;
    if (!rest.ptr || !list)
        return error_set(err, ERR_MEMORY, no_memory);
    if (!strcmp(text, "all")) {
        *ret = (struct key_names){0};
        return OK;
    }
    while (rest.len > 0) {
        struct str name = str_trim(str_split(&rest, ','));
        if (name.len == 0 || count == KEY_LIST_MAX)
            return error_set(err, ERR_USAGE, "--%s: '%.60s' is no list of names like a,b",
                             experts ? "experts" : "policies", text);
        enum status status = c ? check_known(c, experts, name, err) : OK;
        if (status != OK)
            return status;
        list[count++] = name;
    }
    if (count == 0)
        return error_set(err, ERR_USAGE, "--%s: no name is given; `all` lifts the limit",
                         experts ? "experts" : "policies");
    *ret = (struct key_names){list, count};
    return OK;
}

enum status keys_apply(const struct keys_wishes *w, const struct config *c, struct arena *a,
                       int64_t now_ms, struct key_row *row, struct error *err)
{
    struct key_limits *l = &row->limits;
    enum status status = OK;
    for (enum key_period p = KEY_DAY; status == OK && p < KEY_PERIODS; p++)
        if (w->budget_usd[p])
            status = read_budget(w->budget_usd[p], p, &l->budget_nano_usd[p], err);
    if (status == OK && w->requests_per_minute)
        status = read_rate(w->requests_per_minute, "--requests-per-minute", &l->requests_per_minute,
                           err);
    if (status == OK && w->tokens_per_minute)
        status = read_rate(w->tokens_per_minute, "--tokens-per-minute", &l->tokens_per_minute, err);
    if (status == OK && w->experts)
        status = read_names(w->experts, true, c, a, &l->experts, err);
    if (status == OK && w->policies)
        status = read_names(w->policies, false, c, a, &l->policies, err);
    if (status == OK && w->spent_anew)
        row->spent_anew_ms = now_ms + 1000; /* the file keeps seconds */
    if (status == OK && w->expires)
        status = read_expiry(w->expires, now_ms, &row->expires_ms, err);
    return status;
}
