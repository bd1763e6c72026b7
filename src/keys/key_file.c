/* Reading and writing keys.json: one row of a table for each member, used both ways, so that what is written can be
 * read again. A member that the table does not have is refused rather than skipped: it may be a limit of a newer
 * version.
 *
 * Text to rows and back, without a file, a clock or a lock; any thread. Reading and writing the file itself is
 * key_file_disk.c. */
#include "keys/key_file.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/json.h"
#include "base/map.h"
#include "base/money.h"

#define FORMAT        "leeroo-keys"
#define VERSION       1
#define RATE_MAX      INT64_C(1000000000000)
#define LIST_NAME_MAX 128

const char *key_period_name(enum key_period p)
{
    static const char *const names[] = {"day", "month", "total"};
    CHECK(p < KEY_PERIODS);
    return names[p];
}

static const char *const role_names[KEY_ROLES] = {"user", "metrics", "admin"};

const char *key_role_name(enum key_role role)
{
    CHECK(role < KEY_ROLES);
    return role_names[role];
}

enum status key_role_parse(struct str name, enum key_role *ret)
{
    for (enum key_role role = KEY_USER; role < KEY_ROLES; role++)
        if (str_equal(name, str_from(role_names[role]))) {
            *ret = role;
            return OK;
        }
    return ERR_INPUT;
}

bool key_limits_have_budget(const struct key_limits *l)
{
    for (size_t p = 0; p < KEY_PERIODS; p++)
        if (l->budget_nano_usd[p] != KEY_UNLIMITED)
            return true;
    return false;
}

bool key_names_have(const struct key_names *names, struct str name)
{
    for (size_t i = 0; names->list && i < names->count; i++)
        if (str_equal(names->list[i], name))
            return true;
    return !names->list;
}

const char *key_row_refused(const struct key_row *row, int64_t now_ms)
{
    if (row->revoked_ms != 0)
        return "revoked";
    return row->expires_ms != 0 && now_ms >= row->expires_ms ? "expired" : NULL;
}

/* Times */

static bool read_digits(struct str *rest, size_t count, int *ret)
{
    int value = 0;
    if (rest->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
            return false;
        value = value * 10 + (rest->ptr[i] - '0');
    }
    *rest = str_slice(*rest, count, rest->len);
    *ret = value;
    return true;
}

static bool read_mark(struct str *rest, char mark)
{
    if (rest->len == 0 || rest->ptr[0] != mark)
        return false;
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

enum status key_time_parse(struct str text, int64_t *ret_ms)
{
    struct tm tm = {0};
    struct str rest = text;
    if (!read_digits(&rest, 4, &tm.tm_year) || !read_mark(&rest, '-') ||
        !read_digits(&rest, 2, &tm.tm_mon) || !read_mark(&rest, '-') ||
        !read_digits(&rest, 2, &tm.tm_mday))
        return ERR_INPUT;
    if (rest.len > 0 &&
        (!read_mark(&rest, 'T') || !read_digits(&rest, 2, &tm.tm_hour) || !read_mark(&rest, ':') ||
         !read_digits(&rest, 2, &tm.tm_min) || !read_mark(&rest, ':') ||
         !read_digits(&rest, 2, &tm.tm_sec) || !read_mark(&rest, 'Z') || rest.len > 0))
        return ERR_INPUT;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm same = tm;
    time_t seconds =
        timegm(&same); /* 31 February becomes another day, which is how it is noticed */
    if (same.tm_year != tm.tm_year || same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
        same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min || same.tm_sec != tm.tm_sec ||
        seconds <= 0)
        return ERR_INPUT;
    *ret_ms = (int64_t)seconds * 1000;
    return OK;
}

void key_time_write(struct buf *out, int64_t ms)
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    char text[40];
    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        buf_add_c(out, text);
}

/* Members of a key. A null says nothing, so its field keeps the value that it has. */

struct reader {
    const char *place;
    size_t row; /* from 1; 0: of no file */
    struct arena *arena;
};

static enum status bad(const struct reader *r, const char *member, const char *right,
                       struct error *err)
{
    if (r->row == 0)
        return error_set(err, ERR_INPUT, "%s: %s must be %s", r->place, member, right);
    return error_set(err, ERR_INPUT, "%s: key %zu: %s must be %s", r->place, r->row, member, right);
}

struct member;
typedef enum status member_read_fn(const struct reader *r, const struct member *m,
                                   struct json_value v, void *into, struct error *err);
typedef bool member_write_fn(struct buf *out, const char *key, const void *field);

struct member {
    const char *key;
    size_t offset;
    member_read_fn *read;
    member_write_fn *write; /* false: unset, and nothing was written */
    bool required;
};

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 127)
            return false;
    return s.len > 0;
}

static enum status read_text(const struct reader *r, const struct member *m, struct json_value v,
                             size_t bytes_max, struct str *ret, struct error *err)
{
    struct str text, copy;
    enum status status = json_string_decode(v, r->arena, &text);
    if (status == ERR_MEMORY)
        return error_set(err, status, "%s: out of memory for keys", r->place);
    if (status != OK || !is_plain(text) || text.len > bytes_max)
        return bad(r, m->key, "a short text without control characters", err);
    copy = arena_copy(r->arena, text);
    if (!copy.ptr)
        return error_set(err, ERR_MEMORY, "%s: out of memory for keys", r->place);
    *ret = copy;
    return OK;
}

static void write_key(struct buf *out, const char *key)
{
    buf_addf(out, "%s\"%s\": ", strcmp(key, "id") ? ", " : "", key);
}

static enum status read_id(const struct reader *r, const struct member *m, struct json_value v,
                           void *into, struct error *err)
{
    struct str id;
    enum status status = read_text(r, m, v, KEY_ID_BYTES - 1, &id, err);
    for (size_t i = 0; status == OK && i < id.len; i++)
        if (!((id.ptr[i] >= 'a' && id.ptr[i] <= 'z') || (id.ptr[i] >= '0' && id.ptr[i] <= '9') ||
              id.ptr[i] == '_'))
            return bad(r, m->key, "lower-case letters, digits and _", err);
    if (status == OK)
        *(struct str *)into = id;
    return status;
}

static enum status read_name(const struct reader *r, const struct member *m, struct json_value v,
                             void *into, struct error *err)
{
    return read_text(r, m, v, KEY_NAME_BYTES_MAX, into, err);
}

static bool write_text(struct buf *out, const char *key, const void *field)
{
    write_key(out, key);
    json_write_string(out, *(const struct str *)field);
    return true;
}

static enum status read_digest(const struct reader *r, const struct member *m, struct json_value v,
                               void *into, struct error *err)
{
    bool quoted = v.type == JSON_STRING && v.raw.len > 2;
    struct str hex = quoted ? str_slice(v.raw, 1, v.raw.len - 1) : STR("");
    if (digest_from_hex(hex, into) != OK)
        return bad(r, m->key, "64 hexadecimal digits", err);
    return OK;
}

static bool write_digest(struct buf *out, const char *key, const void *field)
{
    char hex[DIGEST_HEX_BYTES];
    digest_hex(field, hex);
    write_key(out, key);
    buf_addf(out, "\"%s\"", hex);
    return true;
}

static enum status read_time(const struct reader *r, const struct member *m, struct json_value v,
                             void *into, struct error *err)
{
    bool quoted = v.type == JSON_STRING && v.raw.len > 2;
    if (!quoted || key_time_parse(str_slice(v.raw, 1, v.raw.len - 1), into) != OK)
        return bad(r, m->key, "a time like \"2026-12-31T08:00:00Z\"", err);
    return OK;
}

static bool write_time(struct buf *out, const char *key, const void *field)
{
    int64_t ms = *(const int64_t *)field;
    if (ms == 0)
        return false;
    write_key(out, key);
    buf_add_char(out, '"');
    key_time_write(out, ms);
    buf_add_char(out, '"');
    return true;
}

static enum status read_usd(const struct reader *r, const struct member *m, struct json_value v,
                            void *into, struct error *err)
{
    if (v.type != JSON_NUMBER || money_parse_usd(v.raw, into) != OK)
        return bad(r, m->key, "an amount in USD, 0 or more", err);
    return OK;
}

static bool write_usd(struct buf *out, const char *key, const void *field)
{
    int64_t nano_usd = *(const int64_t *)field;
    if (nano_usd == KEY_UNLIMITED)
        return false;
    write_key(out, key);
    money_format_usd(out, nano_usd);
    return true;
}

static enum status read_rate(const struct reader *r, const struct member *m, struct json_value v,
                             void *into, struct error *err)
{
    int64_t rate = 0;
    if (v.type != JSON_NUMBER || json_to_int64(v, &rate) != OK || rate < 1 || rate > RATE_MAX)
        return bad(r, m->key, "a whole number, 1 or more", err);
    *(int64_t *)into = rate;
    return OK;
}

static bool write_rate(struct buf *out, const char *key, const void *field)
{
    int64_t rate = *(const int64_t *)field;
    if (rate == KEY_UNLIMITED)
        return false;
    write_key(out, key);
    buf_addf(out, "%lld", (long long)rate);
    return true;
}

static size_t count_items(struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    size_t n = 0;
    while (json_array_next(&it, &item))
        n++;
    return n;
}

static enum status read_names(const struct reader *r, const struct member *m, struct json_value v,
                              void *into, struct error *err)
{
    size_t count = v.type == JSON_ARRAY ? count_items(v) : KEY_LIST_MAX + 1, n = 0;
    if (count > KEY_LIST_MAX)
        return bad(r, m->key, "a list of at most 256 names", err);
    struct str *list = ARENA_ARRAY(r->arena, count + 1, struct str);
    if (!list)
        return error_set(err, ERR_MEMORY, "%s: out of memory for keys", r->place);
    struct json_iter it = json_iter_begin(v);
    for (struct json_value item; json_array_next(&it, &item);) {
        enum status status = read_text(r, m, item, LIST_NAME_MAX, &list[n++], err);
        if (status != OK)
            return status;
    }
    *(struct key_names *)into = (struct key_names){list, count};
    return OK;
}

static bool write_names(struct buf *out, const char *key, const void *field)
{
    const struct key_names *names = field;
    if (!names->list)
        return false;
    write_key(out, key);
    buf_add_char(out, '[');
    for (size_t i = 0; i < names->count; i++) {
        buf_add_c(out, i ? ", " : "");
        json_write_string(out, names->list[i]);
    }
    buf_add_char(out, ']');
    return true;
}

/* The role that was there before roles had names, and its mark, so that earlier versions read the file, too. */
static enum status read_metrics(const struct reader *r, const struct member *m, struct json_value v,
                                void *into, struct error *err)
{
    if (v.type != JSON_TRUE && v.type != JSON_FALSE)
        return bad(r, m->key, "true or false", err);
    if (v.type == JSON_TRUE)
        *(enum key_role *)into = KEY_METRICS;
    return OK;
}

static bool write_metrics(struct buf *out, const char *key, const void *field)
{
    if (*(const enum key_role *)field != KEY_METRICS)
        return false;
    write_key(out, key);
    buf_add_c(out, "true");
    return true;
}

static enum status read_role(const struct reader *r, const struct member *m, struct json_value v,
                             void *into, struct error *err)
{
    bool quoted = v.type == JSON_STRING && v.raw.len > 2;
    if (!quoted || key_role_parse(str_slice(v.raw, 1, v.raw.len - 1), into) != OK)
        return bad(r, m->key, "\"user\", \"admin\" or \"metrics\"", err);
    return OK;
}

static bool write_role(struct buf *out, const char *key, const void *field)
{
    enum key_role role = *(const enum key_role *)field;
    if (role == KEY_USER || role == KEY_METRICS)
        return false;
    write_key(out, key);
    buf_addf(out, "\"%s\"", key_role_name(role));
    return true;
}

#define FIELD(field) offsetof(struct key_row, field)

static const struct member members[] = {
    {"id", FIELD(id), read_id, write_text, true},
    {"name", FIELD(name), read_name, write_text, true},
    {"sha256", FIELD(sha256), read_digest, write_digest, true},
    {"created", FIELD(created_ms), read_time, write_time, true},
    {"revoked", FIELD(revoked_ms), read_time, write_time, false},
    {"expires", FIELD(expires_ms), read_time, write_time, false},
    {"spent_anew", FIELD(spent_anew_ms), read_time, write_time, false},
    {"metrics", FIELD(role), read_metrics, write_metrics, false},
    {"role", FIELD(role), read_role, write_role, false},
    {"budget_day_usd", FIELD(limits.budget_nano_usd[KEY_DAY]), read_usd, write_usd, false},
    {"budget_month_usd", FIELD(limits.budget_nano_usd[KEY_MONTH]), read_usd, write_usd, false},
    {"budget_total_usd", FIELD(limits.budget_nano_usd[KEY_TOTAL]), read_usd, write_usd, false},
    {"requests_per_minute", FIELD(limits.requests_per_minute), read_rate, write_rate, false},
    {"tokens_per_minute", FIELD(limits.tokens_per_minute), read_rate, write_rate, false},
    {"experts", FIELD(limits.experts), read_names, write_names, false},
    {"policies", FIELD(limits.policies), read_names, write_names, false},
};
#define MEMBERS   (sizeof(members) / sizeof(members[0]))
#define SEEN_ROLE (1u << 31) /* in the set of members that were seen */

static enum status read_member(const struct reader *r, struct json_value key, struct json_value v,
                               unsigned *seen, struct key_row *row, struct error *err)
{
    size_t i = 0;
    while (i < MEMBERS && !json_string_equal(key, str_from(members[i].key)))
        i++;
    if (i == MEMBERS)
        return error_set(err, ERR_UNSUPPORTED, "%s: key %zu: this version knows no member %.*s",
                         r->place, r->row, (int)(key.raw.len < 60 ? key.raw.len : 60), key.raw.ptr);
    if (*seen >> i & 1u)
        return error_set(err, ERR_INPUT, "%s: key %zu: %s is there twice", r->place, r->row,
                         members[i].key);
    if (members[i].offset == FIELD(role) && *seen & SEEN_ROLE)
        return error_set(err, ERR_INPUT, "%s: key %zu: say role or metrics, not both", r->place,
                         r->row);
    if (members[i].offset == FIELD(role))
        *seen |= SEEN_ROLE;
    *seen |= 1u << i;
    if (v.type == JSON_NULL && !members[i].required)
        return OK;
    return members[i].read(r, &members[i], v, (char *)row + members[i].offset, err);
}

static enum status read_row(const struct reader *r, struct json_value object, struct key_row *ret,
                            struct error *err)
{
    struct key_row row = {
        .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                   .requests_per_minute = KEY_UNLIMITED,
                   .tokens_per_minute = KEY_UNLIMITED}};
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    unsigned seen = 0;
    if (object.type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "%s: key %zu must be an object", r->place, r->row);
    while (json_object_next(&it, &key, &item)) {
        enum status status = read_member(r, key, item, &seen, &row, err);
        if (status != OK)
            return status;
    }
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].required && !(seen >> i & 1u))
            return error_set(err, ERR_INPUT, "%s: key %zu lacks %s", r->place, r->row,
                             members[i].key);
    *ret = row;
    return OK;
}

enum status key_limit_read(struct json_value key, struct json_value value, const char *place,
                           struct arena *a, struct key_row *row, struct error *err)
{
    static const struct key_row blank = {
        .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                   .requests_per_minute = KEY_UNLIMITED,
                   .tokens_per_minute = KEY_UNLIMITED}};
    const struct reader r = {.place = place, .arena = a};
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct member *m = &members[i];
        void *field = (char *)row + m->offset;
        if (m->offset < FIELD(limits) || !json_string_equal(key, str_from(m->key)))
            continue;
        if (value.type != JSON_NULL)
            return m->read(&r, m, value, field, err);
        memcpy(field, (const char *)&blank + m->offset,
               m->read == read_names ? sizeof(struct key_names) : sizeof(int64_t));
        return OK;
    }
    return ERR_NOT_FOUND;
}

static enum status check_unique(const struct reader *r, const struct key_file *f, struct error *err)
{
    struct map *seen = map_create(f->count * 2);
    enum status status = seen ? OK : error_set(err, ERR_MEMORY, "out of memory for keys");
    for (size_t i = 0; status == OK && i < f->count; i++) {
        struct str digest = {(const char *)f->rows[i].sha256.bytes, DIGEST_BYTES};
        uint32_t before = 0;
        if (map_get(seen, f->rows[i].id, &before) || map_get(seen, digest, &before))
            status = error_set(err, ERR_INPUT, "%s: keys %u and %zu have the same id or digest",
                               r->place, before + 1, i + 1);
        else if (map_put(seen, f->rows[i].id, (uint32_t)i) != OK ||
                 map_put(seen, digest, (uint32_t)i) != OK)
            status = error_set(err, ERR_MEMORY, "out of memory for keys");
    }
    map_free(seen);
    return status;
}

static enum status check_header(struct json_value root, const char *place, struct error *err)
{
    int64_t version = 0;
    struct json_value number = json_get(root, "version");
    if (!json_string_equal(json_get(root, "format"), STR(FORMAT)))
        return error_set(err, ERR_INPUT, "%s is not a file of keys", place);
    if (number.type != JSON_NUMBER || json_to_int64(number, &version) != OK || version != VERSION)
        return error_set(err, ERR_UNSUPPORTED, "%s has another version than %d", place, VERSION);
    if (json_get(root, "keys").type != JSON_ARRAY)
        return error_set(err, ERR_INPUT, "%s: keys must be a list", place);
    return OK;
}

static enum status read_rows(struct reader *r, struct json_value list, struct key_file *f,
                             struct error *err)
{
    struct json_iter it = json_iter_begin(list);
    size_t count = count_items(list);
    if (count > KEY_COUNT_MAX)
        return error_set(err, ERR_TOO_LARGE, "%s: %zu keys are more than %d", r->place, count,
                         KEY_COUNT_MAX);
    f->rows = ARENA_ARRAY(r->arena, count + 1, struct key_row);
    if (!f->rows)
        return error_set(err, ERR_MEMORY, "%s: out of memory for keys", r->place);
    for (struct json_value item; json_array_next(&it, &item); f->count++) {
        r->row = f->count + 1;
        enum status status = read_row(r, item, &f->rows[f->count], err);
        if (status != OK)
            return status;
    }
    return check_unique(r, f, err);
}

enum status key_file_parse(struct str text, const char *place, struct arena *a,
                           struct key_file *ret, struct error *err)
{
    struct json_value root;
    struct reader r = {.place = place, .arena = a};
    struct key_file f = {0};
    enum status status = json_parse(text, place, 1, &root, err);
    if (status == OK)
        status = check_header(root, place, err);
    if (status == OK)
        status = read_rows(&r, json_get(root, "keys"), &f, err);
    if (status == OK)
        *ret = f;
    return status;
}

void key_row_write(const struct key_row *row, bool with_digest, struct buf *out)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (with_digest || members[i].write != write_digest)
            members[i].write(out, members[i].key, (const char *)row + members[i].offset);
}

void key_file_write(const struct key_file *f, struct buf *out)
{
    buf_addf(out, "{\"format\": \"" FORMAT "\", \"version\": %d, \"keys\": [", VERSION);
    for (size_t i = 0; i < f->count; i++) {
        buf_add_c(out, i ? ",\n  {" : "\n  {");
        key_row_write(&f->rows[i], true, out);
        buf_add_char(out, '}');
    }
    buf_add_c(out, "]}\n");
}
