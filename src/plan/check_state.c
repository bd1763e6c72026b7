/* The file of what checks have said: one JSON object, whose numbers are the rows of one table that writer and reader
 * both walk. Pure functions of texts and records; any thread. Nothing here touches a disk: whoever keeps the file
 * writes it beside the old one and renames it (serve/budget_file.c). What is read is held to what some stream of
 * answers can have led to, before any of it is taken up. */
#include <math.h>
#include <stddef.h>

#include "base/json.h"
#include "plan/check_record.h"

#define FORMAT  "leeroo-checks"
#define VERSION 1
#define SUM_MAX 1e9

static const struct number {
    const char *key;
    size_t offset;
} numbers[] = {
    {"passed_good", offsetof(struct check_record, passed_good)},
    {"passed_bad", offsetof(struct check_record, passed_bad)},
    {"rejected_good", offsetof(struct check_record, rejected_good)},
    {"rejected_bad", offsetof(struct check_record, rejected_bad)},
};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static double *number_at(struct check_record *r, size_t i)
{
    return (double *)(void *)((char *)r + numbers[i].offset);
}

static void write_record(struct buf *out, const struct check_named *n)
{
    struct check_record *r = n->record;
    json_write_string(out, n->policy);
    buf_addf(out, ": {\"answers\": %llu", (unsigned long long)r->answers);
    for (size_t i = 0; i < NUMBERS; i++) {
        buf_addf(out, ", \"%s\": ", numbers[i].key);
        json_write_double(out, *number_at(r, i));
    }
    buf_add_c(out, ", \"experts\": {");
    for (size_t i = 0; i < r->count; i++) {
        const struct check_tally *t = &r->experts[i];
        buf_add_c(out, i ? ", " : "");
        json_write_string(out, r->names[i]);
        buf_add_c(out, ": [");
        json_write_double(out, t->checks);
        buf_add_c(out, ", ");
        json_write_double(out, t->passes);
        buf_add_c(out, ", ");
        json_write_double(out, t->right);
        buf_add_char(out, ']');
    }
    buf_add_c(out, "}}");
}

void check_state_write(struct buf *out, const struct check_named *records, size_t count)
{
    buf_addf(out, "{\"format\": \"" FORMAT "\", \"version\": %d, \"policies\": {", VERSION);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, i ? ",\n  " : "\n  ");
        write_record(out, &records[i]);
    }
    buf_add_c(out, "}}\n");
}

static enum status bad(const char *place, struct str policy, const char *what, struct error *err)
{
    return error_set(err, ERR_INPUT, "%s: policy %.*s: %s", place, STR_FMT(policy), what);
}

static bool read_sum(struct json_value v, double *ret)
{
    return v.type == JSON_NUMBER && json_to_double(v, ret) == OK && *ret >= 0 && *ret <= SUM_MAX;
}

static bool read_tally(struct json_value list, struct check_tally *ret)
{
    double sums[3];
    size_t n = 0;
    struct json_value item;
    struct json_iter it = json_iter_begin(list);
    if (list.type != JSON_ARRAY)
        return false;
    for (; json_array_next(&it, &item); n++)
        if (n == 3 || !read_sum(item, &sums[n]))
            return false;
    if (n != 3 || sums[1] > sums[0] + 1e-9 || sums[2] > sums[0] + 1e-9)
        return false;
    *ret = (struct check_tally){sums[0], sums[1], sums[2]};
    return true;
}

static enum status read_experts(struct json_value object, const char *place, struct str policy,
                                struct check_record *r, bool fill, struct error *err)
{
    struct json_value key, value;
    struct json_iter it = json_iter_begin(object);
    if (object.type != JSON_OBJECT)
        return bad(place, policy, "experts must be an object", err);
    while (json_object_next(&it, &key, &value)) {
        struct check_tally tally;
        if (!read_tally(value, &tally))
            return bad(place, policy, "an expert must have checks, and passes no more than those",
                       err);
        for (size_t i = 0; fill && i < r->count; i++)
            if (json_string_equal(key, r->names[i]))
                r->experts[i] = tally;
    }
    return OK;
}

static enum status read_record(struct json_value object, const char *place, struct str policy,
                               struct check_record *r, bool fill, struct error *err)
{
    int64_t answers = -1;
    struct check_record made = *r;
    if (object.type != JSON_OBJECT)
        return bad(place, policy, "must be an object", err);
    struct json_value count = json_get(object, "answers");
    if (count.type != JSON_NUMBER || json_to_int64(count, &answers) != OK || answers < 0)
        return bad(place, policy, "answers must be a whole number, not negative", err);
    made.answers = (uint64_t)answers;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!read_sum(json_get(object, numbers[i].key), number_at(&made, i)))
            return bad(place, policy, "a sum is missing or damaged", err);
    enum status status = read_experts(json_get(object, "experts"), place, policy, r, fill, err);
    if (status == OK && fill)
        *r = made;
    return status;
}

static enum status read_all(struct json_value root, const char *place,
                            const struct check_named *records, size_t count, bool fill,
                            struct error *err)
{
    struct json_value key, item;
    struct json_iter it = json_iter_begin(json_get(root, "policies"));
    while (json_object_next(&it, &key, &item)) {
        struct check_record other = {0}, *r = &other;
        for (size_t i = 0; i < count; i++)
            if (json_string_equal(key, records[i].policy))
                r = records[i].record;
        enum status status = read_record(item, place, key.raw, r, fill && r != &other, err);
        if (status != OK)
            return status;
    }
    return OK;
}

/* Two passes, so that nothing is filled from a file that is damaged further on. */
enum status check_state_parse(struct str text, const char *place, const struct check_named *records,
                              size_t count, struct error *err)
{
    struct json_value root;
    int64_t version = 0;
    enum status status = json_parse(text, place, 1, &root, err);
    if (status != OK)
        return status;
    struct json_value number = json_get(root, "version");
    if (!json_string_equal(json_get(root, "format"), STR(FORMAT)))
        return error_set(err, ERR_INPUT, "%s is not a file of what checks have said", place);
    if (number.type != JSON_NUMBER || json_to_int64(number, &version) != OK || version != VERSION)
        return error_set(err, ERR_UNSUPPORTED, "%s has another version than %d", place, VERSION);
    if (json_get(root, "policies").type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "%s: policies must be an object", place);
    status = read_all(root, place, records, count, false, err);
    return status == OK ? read_all(root, place, records, count, true, err) : status;
}
