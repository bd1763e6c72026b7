/* The file of budget states: one JSON object, whose numbers are the rows of one table that reader and writer both walk.
 * Nothing is shared and nothing is kept, so any thread may call these, one for each file at a time. They read and write
 * a disk: never from an event loop (serve/budget_file.c has a thread for it). A file is written beside the old one and
 * renamed, so that a reader never sees half of one. */
#include "plan/budget_state.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"

#define FORMAT         "leeroo-budgets"
#define VERSION        1
#define PATH_BYTES_MAX 4096

static const struct number {
    const char *key;
    size_t offset;
} numbers[] = {
    {"usd_per_1k", offsetof(struct budget_named, usd_per_1k)},
    {"spent_usd", offsetof(struct budget_named, state.spent_usd)},
    {"debt", offsetof(struct budget_named, state.debt)},
    {"mix", offsetof(struct budget_named, state.mix)},
    {"mix_squares", offsetof(struct budget_named, state.mix_squares)},
    {"run", offsetof(struct budget_named, state.run)},
    {"run_squares", offsetof(struct budget_named, state.run_squares)},
};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static double *number_at(struct budget_named *b, size_t i)
{
    return (double *)(void *)((char *)b + numbers[i].offset);
}

static void write_budget(struct buf *out, struct budget_named b)
{
    json_write_string(out, b.name);
    buf_addf(out, ": {\"queries\": %llu", (unsigned long long)b.state.queries);
    for (size_t i = 0; i < NUMBERS; i++) {
        buf_addf(out, ", \"%s\": ", numbers[i].key);
        json_write_double(out, *number_at(&b, i));
    }
    buf_add_char(out, '}');
}

void budget_state_write(struct buf *out, const struct budget_named *budgets, size_t count)
{
    buf_addf(out, "{\"format\": \"" FORMAT "\", \"version\": %d, \"budgets\": {", VERSION);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, i ? ",\n  " : "\n  ");
        write_budget(out, budgets[i]);
    }
    buf_add_c(out, "}}\n");
}

static enum status bad(const char *place, struct str name, const char *what, struct error *err)
{
    return error_set(err, ERR_INPUT, "%s: budget %.*s: %s", place, STR_FMT(name), what);
}

static enum status read_budget(struct json_value object, const char *place, struct str raw_name,
                               struct budget_named *ret, struct error *err)
{
    struct budget_named b = *ret;
    int64_t queries = -1;
    if (object.type != JSON_OBJECT)
        return bad(place, raw_name, "must be an object", err);
    struct json_value count = json_get(object, "queries");
    if (count.type != JSON_NUMBER || json_to_int64(count, &queries) != OK || queries < 0)
        return bad(place, raw_name, "queries must be a whole number, not negative", err);
    b.state.queries = (uint64_t)queries;
    for (size_t i = 0; i < NUMBERS; i++) {
        struct json_value value = json_get(object, numbers[i].key);
        if (value.type != JSON_NUMBER || json_to_double(value, number_at(&b, i)) != OK)
            return bad(place, raw_name, "a number is missing or damaged", err);
    }
    if (!budget_state_possible(&b.state))
        return bad(place, raw_name, "no stream can have led to these numbers", err);
    *ret = b;
    return OK;
}

static enum status check_header(struct json_value root, const char *place, struct error *err)
{
    int64_t version = 0;
    struct json_value number = json_get(root, "version");
    if (!json_string_equal(json_get(root, "format"), STR(FORMAT)))
        return error_set(err, ERR_INPUT, "%s is not a file of budget states", place);
    if (number.type != JSON_NUMBER || json_to_int64(number, &version) != OK || version != VERSION)
        return error_set(err, ERR_UNSUPPORTED, "%s has another version than %d", place, VERSION);
    if (json_get(root, "budgets").type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "%s: budgets must be an object", place);
    return OK;
}

/* Two passes, so that nothing is filled from a file that is damaged further on. */
static enum status read_all(struct json_value root, const char *place, struct budget_named *budgets,
                            bool *found, size_t count, bool fill, struct error *err)
{
    struct json_value key, item;
    struct json_iter it = json_iter_begin(json_get(root, "budgets"));
    while (json_object_next(&it, &key, &item)) {
        struct budget_named b = {0};
        enum status status = read_budget(item, place, key.raw, &b, err);
        if (status != OK)
            return status;
        for (size_t i = 0; fill && i < count; i++)
            if (json_string_equal(key, budgets[i].name) && b.usd_per_1k == budgets[i].usd_per_1k) {
                budgets[i].state = b.state;
                found[i] = true;
            }
    }
    return OK;
}

enum status budget_state_parse(struct str text, const char *place, struct budget_named *budgets,
                               bool *found, size_t count, struct error *err)
{
    struct json_value root;
    enum status status = json_parse(text, place, 1, &root, err);
    if (status == OK)
        status = check_header(root, place, err);
    if (status == OK)
        status = read_all(root, place, budgets, found, count, false, err);
    if (status == OK)
        status = read_all(root, place, budgets, found, count, true, err);
    return status;
}

enum status budget_state_load(const char *path, struct budget_named *budgets, bool *found,
                              size_t count, struct error *err)
{
    struct buf text;
    buf_init(&text, BUDGET_STATE_BYTES_MAX);
    enum status status = file_read(path, BUDGET_STATE_BYTES_MAX, &text, err);
    if (status == OK)
        status = budget_state_parse(buf_str(&text), path, budgets, found, count, err);
    else if (status == ERR_NOT_FOUND)
        status = OK;
    buf_done(&text);
    return status;
}

enum status budget_state_save(const char *path, const struct budget_named *budgets, size_t count,
                              struct error *err)
{
    struct buf text;
    buf_init(&text, BUDGET_STATE_BYTES_MAX);
    budget_state_write(&text, budgets, count);
    enum status status = file_write(path, &text, err);
    buf_done(&text);
    return status;
}

enum status budget_state_set_aside(const char *path, struct error *err)
{
    char aside[PATH_BYTES_MAX];
    int n = snprintf(aside, sizeof(aside), "%s.damaged", path);
    if (n < 0 || (size_t)n >= sizeof(aside))
        return error_set(err, ERR_TOO_LARGE, "%s: the name is too long", path);
    if (rename(path, aside) != 0)
        return error_set_errno(err, ERR_IO, errno, "cannot rename %s", path);
    return OK;
}
