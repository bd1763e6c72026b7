/* Reads typed values out of a YAML tree, with messages that say what would be right.
 *
 * Pure functions of the tree, but for conf_read_secret, which reads the environment; they run in the thread that makes
 * a configuration. A reader leaves its target untouched when it complains, and no message repeats a secret. */
#include "config/config_read.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/money.h"
#include "base/nearest.h"

#define SECRET_NAME_MAX 128

enum status conf_fail(const struct conf_reader *r, const struct yaml_tree *at, struct error *err,
                      const char *format, ...)
{
    char text[sizeof(((struct error *)0)->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct error own, *into = err ? err : &own;
    enum status status = error_set_at(into, ERR_INPUT, r->place, at->line, at->column, "%s", text);
    if (r->problems)
        problems_add(r->problems, into);
    return status;
}

static void list_keys(const struct conf_row *rows, size_t count, char *into, size_t size)
{
    size_t used = 0;
    into[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        int n = snprintf(into + used, size - used, "%s%s", i ? ", " : "", rows[i].key);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* What is no key though YAML takes it for one: "lambda:10", and the 5 of "{lambda: 0,5}". */
static const char *spelling_mistake(struct str key)
{
    bool digits = key.len > 0;
    for (size_t i = 0; i < key.len; i++)
        digits = digits && key.ptr[i] >= '0' && key.ptr[i] <= '9';
    if (digits)
        return "a decimal number has a point, not a comma: 0.5";
    return memchr(key.ptr, ':', key.len) ? "a blank is missing behind the colon" : NULL;
}

static enum status unknown_key(const struct conf_reader *r, const struct yaml_tree *key,
                               const char *what, const struct conf_row *rows, size_t count,
                               struct error *err)
{
    const char *names[CONF_ROWS_MAX] = {NULL};
    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].key;
    const char *wrong = spelling_mistake(key->scalar);
    if (wrong)
        return conf_fail(r, key, err, "unknown key '%.*s' in %s; %s", STR_FMT(key->scalar), what,
                         wrong);
    const char *nearest = str_nearest(key->scalar, names, count);
    if (nearest)
        return conf_fail(r, key, err, "unknown key '%.*s' in %s; did you mean '%s'?",
                         STR_FMT(key->scalar), what, nearest);
    char known[240];
    list_keys(rows, count, known, sizeof(known));
    return conf_fail(r, key, err, "unknown key '%.*s' in %s; known are %s", STR_FMT(key->scalar),
                     what, known);
}

static enum status check_required(const struct conf_reader *r, const struct yaml_tree *node,
                                  const char *what, const struct conf_row *rows, size_t count,
                                  uint64_t seen, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].required && !(seen >> i & 1u))
            return conf_fail(r, node, err, "%s lacks the key '%s'", what, rows[i].key);
    return OK;
}

bool conf_goes_on(const struct conf_reader *r, enum status status)
{
    return status == OK || (r->problems && status == ERR_INPUT);
}

/* Item k of a section; *seen gets the bit of its row also where its value is wrong: it is not missing. */
static enum status read_item(struct conf_reader *r, const struct yaml_tree *node, size_t k,
                             const char *what, const struct conf_row *rows, size_t row_count,
                             void *base, uint64_t *seen, struct error *err)
{
    size_t i = 0;
    while (i < row_count && !str_equal(node->keys[k].scalar, str_from(rows[i].key)))
        i++;
    if (i == row_count)
        return unknown_key(r, &node->keys[k], what, rows, row_count, err);
    *seen |= (uint64_t)1 << i;
    return rows[i].read(r, &rows[i], &node->items[k], (char *)base + rows[i].offset, err);
}

enum status conf_read_map(struct conf_reader *r, const struct yaml_tree *node, const char *what,
                          const struct conf_row *rows, size_t row_count, void *base,
                          uint64_t *ret_seen, struct error *err)
{
    CHECK(row_count <= CONF_ROWS_MAX);
    if (node->kind != TREE_MAP)
        return conf_fail(r, node, err, "%s must be a section of `key: value` lines, not %s", what,
                         yaml_tree_kind_name(node));
    uint64_t seen = 0;
    enum status first = OK;
    for (size_t k = 0; k <= node->count; k++) {
        enum status status = k < node->count
                                 ? read_item(r, node, k, what, rows, row_count, base, &seen, err)
                                 : check_required(r, node, what, rows, row_count, seen, err);
        if (!conf_goes_on(r, status))
            return status;
        first = first == OK ? status : first;
    }
    if (first == OK && ret_seen)
        *ret_seen = seen;
    return first;
}

static enum status need_scalar(const struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, const char *right, struct error *err)
{
    if (value->kind == TREE_SCALAR && value->scalar.len > 0 &&
        !memchr(value->scalar.ptr, '\0', value->scalar.len))
        return OK;
    return conf_fail(r, value, err, "%s must be %s, not %s", row->key, right,
                     value->kind == TREE_SCALAR ? "empty" : yaml_tree_kind_name(value));
}

static enum status not_right(const struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, const char *right, struct error *err)
{
    return conf_fail(r, value, err, "%s must be %s, not '%.*s'", row->key, right,
                     (int)(value->scalar.len < 60 ? value->scalar.len : 60), value->scalar.ptr);
}

enum status conf_read_str(struct conf_reader *r, const struct conf_row *row,
                          const struct yaml_tree *value, void *into, struct error *err)
{
    enum status status = need_scalar(r, row, value, "a text", err);
    if (status == OK)
        *(struct str *)into = value->scalar;
    return status;
}

enum status conf_read_bool(struct conf_reader *r, const struct conf_row *row,
                           const struct yaml_tree *value, void *into, struct error *err)
{
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    enum status status = need_scalar(r, row, value, "true or false", err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (!value->quoted && str_equal_nocase(value->scalar, str_from(yes[i])))
            return *(bool *)into = true, OK;
        else if (!value->quoted && str_equal_nocase(value->scalar, str_from(no[i])))
            return *(bool *)into = false, OK;
    return not_right(r, row, value, "true or false", err);
}

static enum status bounds(const struct conf_reader *r, const struct conf_row *row,
                          const struct yaml_tree *value, double number, const char *unit,
                          struct error *err)
{
    if (number >= row->min && number <= row->max)
        return OK;
    return conf_fail(r, value, err, "%s must be between %.15g and %.15g%s, not '%.*s'", row->key,
                     row->min, row->max, unit, STR_FMT(value->scalar));
}

enum status conf_read_either(const struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, const char *first, const char *second,
                             bool *ret, struct error *err)
{
    bool is_second = value->kind == TREE_SCALAR && str_equal(value->scalar, str_from(second));
    if (!is_second && !(value->kind == TREE_SCALAR && str_equal(value->scalar, str_from(first))))
        return conf_fail(r, value, err, "%s must be %s or %s", row->key, first, second);
    *ret = is_second;
    return OK;
}

enum status conf_read_u32(struct conf_reader *r, const struct conf_row *row,
                          const struct yaml_tree *value, void *into, struct error *err)
{
    int64_t number = 0;
    CHECK(row->min >= 0);
    CHECK(row->max <= UINT32_MAX);
    enum status status = need_scalar(r, row, value, "a whole number", err);
    if (status != OK)
        return status;
    if (str_to_int64(value->scalar, &number) != OK)
        return not_right(r, row, value, "a whole number", err);
    status = bounds(r, row, value, (double)number, "", err);
    if (status == OK)
        *(uint32_t *)into = (uint32_t)number;
    return status;
}

enum status conf_read_real(struct conf_reader *r, const struct conf_row *row,
                           const struct yaml_tree *value, void *into, struct error *err)
{
    double number = 0;
    enum status status = need_scalar(r, row, value, "a number", err);
    if (status != OK)
        return status;
    if (str_to_double(value->scalar, &number) != OK)
        return not_right(r, row, value, "a number", err);
    status = bounds(r, row, value, number, "", err);
    if (status == OK)
        *(double *)into = number;
    return status;
}

enum status conf_read_usd(struct conf_reader *r, const struct conf_row *row,
                          const struct yaml_tree *value, void *into, struct error *err)
{
    static const char right[] = "an amount in USD like 0.6";
    int64_t nano = 0;
    enum status status = need_scalar(r, row, value, right, err);
    if (status != OK)
        return status;
    if (money_parse_usd(value->scalar, &nano) != OK)
        return not_right(r, row, value, right, err);
    if ((double)nano < row->min)
        return conf_fail(r, value, err, "%s must be more than 0; leave it out for no limit",
                         row->key);
    *(int64_t *)into = nano;
    return OK;
}

struct unit {
    const char *suffix;
    double factor;
};

/* A number followed by one of the units (the empty one included, if it is in the table). */
static enum status read_with_unit(struct str s, const struct unit *units, size_t count, double *ret)
{
    size_t digits = 0;
    while (digits < s.len &&
           ((s.ptr[digits] >= '0' && s.ptr[digits] <= '9') || s.ptr[digits] == '.'))
        digits++;
    double number = 0;
    if (str_to_double(str_slice(s, 0, digits), &number) != OK)
        return ERR_INPUT;
    struct str suffix = str_trim(str_slice(s, digits, s.len));
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(suffix, str_from(units[i].suffix)))
            return *ret = number * units[i].factor, OK;
    return ERR_INPUT;
}

enum status conf_read_bytes(struct conf_reader *r, const struct conf_row *row,
                            const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct unit units[] = {{"", 1},          {"b", 1},       {"k", 1024},
                                        {"kib", 1024},    {"kb", 1000},   {"m", 1048576},
                                        {"mib", 1048576}, {"mb", 1000000}};
    static const char right[] = "a size like 64KiB, 10MiB or 1048576 (bytes)";
    double bytes = 0;
    CHECK(row->min >= 0);
    enum status status = need_scalar(r, row, value, right, err);
    if (status != OK)
        return status;
    if (read_with_unit(value->scalar, units, sizeof(units) / sizeof(units[0]), &bytes) != OK)
        return not_right(r, row, value, right, err);
    status = bounds(r, row, value, bytes, " bytes", err);
    if (status == OK)
        *(size_t *)into = (size_t)bytes;
    return status;
}

enum status conf_parse_ms(struct str text, double *ret_ms)
{
    static const struct unit units[] = {
        {"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3.6e6}};
    return read_with_unit(text, units, sizeof(units) / sizeof(units[0]), ret_ms);
}

enum status conf_read_ms(struct conf_reader *r, const struct conf_row *row,
                         const struct yaml_tree *value, void *into, struct error *err)
{
    static const char right[] = "a duration like 30s, 500ms or 1500 (milliseconds)";
    double ms = 0;
    CHECK(row->min >= 0);
    CHECK(row->max <= UINT32_MAX);
    enum status status = need_scalar(r, row, value, right, err);
    if (status != OK)
        return status;
    if (conf_parse_ms(value->scalar, &ms) != OK)
        return not_right(r, row, value, right, err);
    status = bounds(r, row, value, ms, " milliseconds", err);
    if (status == OK)
        *(uint32_t *)into = (uint32_t)ms;
    return status;
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] == 127)
            return false;
    return true;
}

/* A literal key is refused without repeating it, because the message ends up in logs and bug reports. The steps are the
 * ways in which a secret can be wrong, each with its own mend. */
enum status conf_read_secret(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    static const char right[] = "env:NAME, the name of an environment variable that holds the key";
    char name[SECRET_NAME_MAX];
    enum status status = need_scalar(r, row, value, right, err);
    if (status != OK)
        return status;
    if (!str_starts(value->scalar, STR("env:")))
        return conf_fail(r, value, err, "%s must be %s; keys are never written in the file",
                         row->key, right);
    struct str variable = str_slice(value->scalar, 4, value->scalar.len);
    if (variable.len == 0 || variable.len >= sizeof(name) || !is_printable(variable))
        return conf_fail(r, value, err, "%s must be %s", row->key, right);
    if (r->without_secrets)
        return OK;
    snprintf(name, sizeof(name), "%.*s", STR_FMT(variable));
    struct str secret = str_trim(str_from(getenv(name)));
    if (secret.len == 0)
        return conf_fail(r, value, err, "%s: the environment variable %s is not set; export %s=...",
                         row->key, name, name);
    if (!is_printable(secret))
        return conf_fail(r, value, err, "%s: the value of %s holds blanks or control characters",
                         row->key, name);
    struct str copy = arena_copy(r->arena, secret);
    if (!copy.ptr)
        return error_set(err, ERR_MEMORY, "out of memory while reading the configuration");
    *(struct str *)into = copy;
    return OK;
}
