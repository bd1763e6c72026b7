/* Limits from the command line, or out of JSON, into a key's row: the same limits under the same rules, each way in its
 * own words.
 *
 * No file, clock or lock; texts of the row go to the caller's arena. Nothing waits; any thread. */
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

/* `mark`: before the name of the list, as it was given. */
static enum status check_known(const struct config *c, bool experts, const char *mark,
                               struct str name, struct error *err)
{
    struct buf known;
    for (size_t i = 0; i < known_count(c, experts); i++)
        if (str_equal(known_at(c, experts, i), name))
            return OK;
    buf_init(&known, KNOWN_BYTES);
    for (size_t i = 0; i < known_count(c, experts); i++)
        buf_addf(&known, "%s%.*s", i ? ", " : "", STR_FMT(known_at(c, experts, i)));
    error_set(err, ERR_USAGE, "%s%s: %s has no '%.*s'; it has %s%s", mark,
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
        enum status status = c ? check_known(c, experts, "--", name, err) : OK;
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

/* JSON */

#define PLACE      "request body"
#define MS_MAX     INT64_C(253402300799000) /* the end of the year 9999 */
#define SHOWN_MAX  60
#define LIMITS_MAX 16

static enum status not_right(const char *what, struct error *err)
{
    return error_set(err, ERR_INPUT, PLACE ": %s", what);
}

/* Whole seconds, as the file keeps them. */
static enum status read_end(struct json_value v, int64_t *ret, struct error *err)
{
    int64_t ms = 0;
    if (v.type == JSON_NULL) {
        *ret = 0;
        return OK;
    }
    if (v.type != JSON_NUMBER || json_to_int64(v, &ms) != OK || ms < 1000 || ms > MS_MAX)
        return not_right("expires_ms must be milliseconds since 1970, or null", err);
    *ret = ms - ms % 1000;
    return OK;
}

static enum status read_role(struct json_value v, struct arena *a, enum key_role *ret,
                             struct error *err)
{
    struct str text;
    if (json_string_decode(v, a, &text) != OK || key_role_parse(text, ret) != OK)
        return not_right("role must be \"user\", \"admin\" or \"metrics\"", err);
    return OK;
}

static enum status read_anew(struct json_value v, int64_t now_ms, int64_t *ret, struct error *err)
{
    if (v.type != JSON_TRUE)
        return not_right("spent_anew must be true where it is said", err);
    *ret = now_ms + 1000; /* the file keeps seconds */
    return OK;
}

struct wording { /* of one body */
    bool makes;
    struct arena *arena;
    int64_t now_ms;
};

static enum status read_member(const struct wording *w, struct json_value key, struct json_value v,
                               struct key_row *row, struct error *err)
{
    if (json_string_equal(key, STR("expires_ms")))
        return read_end(v, &row->expires_ms, err);
    if (!w->makes && json_string_equal(key, STR("spent_anew")))
        return read_anew(v, w->now_ms, &row->spent_anew_ms, err);
    if (w->makes && json_string_equal(key, STR("role")))
        return read_role(v, w->arena, &row->role, err);
    if (w->makes && json_string_equal(key, STR("name")))
        return json_string_decode(v, w->arena, &row->name) == OK
                   ? OK
                   : not_right("name must be a text", err);
    enum status status = key_limit_read(key, v, PLACE, w->arena, row, err);
    if (status != ERR_NOT_FOUND)
        return status;
    return error_set(err, ERR_INPUT, PLACE ": there is no %.*s %s; docs/admin.md lists them",
                     (int)(key.raw.len < SHOWN_MAX ? key.raw.len : SHOWN_MAX), key.raw.ptr,
                     w->makes ? "of a key" : "to change of a key");
}

static enum status check_names(const struct config *c, bool experts, const struct key_names *names,
                               struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && names->list && i < names->count; i++)
        status = check_known(c, experts, "", names->list[i], err);
    return status == ERR_USAGE ? ERR_INPUT : status;
}

static bool has_limit(const struct key_limits *l)
{
    return key_limits_have_budget(l) || l->requests_per_minute != KEY_UNLIMITED ||
           l->tokens_per_minute != KEY_UNLIMITED || l->experts.list || l->policies.list;
}

static enum status read_members(const struct wording *w, struct json_value object,
                                struct key_row *row, struct error *err)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, v, seen[LIMITS_MAX];
    size_t count = 0;
    while (json_object_next(&it, &key, &v)) {
        for (size_t i = 0; i < count; i++)
            if (str_equal(seen[i].raw, key.raw))
                return error_set(err, ERR_INPUT, PLACE ": %.*s is there twice", STR_FMT(key.raw));
        enum status status = read_member(w, key, v, row, err);
        if (status != OK)
            return status;
        if (count == LIMITS_MAX)
            return not_right("too many members", err);
        seen[count++] = key;
    }
    return count > 0 ? OK : not_right("says nothing", err);
}

enum status keys_apply_json(struct str body, bool makes, const struct config *c, struct arena *a,
                            int64_t now_ms, struct key_row *row, struct error *err)
{
    const struct wording w = {makes, a, now_ms};
    struct json_value root;
    enum status status = json_parse(body, PLACE, 1, &root, err);
    if (status == OK && root.type != JSON_OBJECT)
        status = not_right("must be an object", err);
    if (status == OK)
        status = read_members(&w, root, row, err);
    if (status == OK && row->role == KEY_METRICS && has_limit(&row->limits))
        status = not_right("a key for metrics is without limits: it asks no expert", err);
    if (status == OK && c)
        status = check_names(c, true, &row->limits.experts, err);
    if (status == OK && c)
        status = check_names(c, false, &row->limits.policies, err);
    return status;
}
