/* run.json: see settings.h.
 *
 * One table of rows writes and reads it; what a row does not find keeps its default. One thread, before anything else.
 * Reading takes nothing for granted: the file may have been edited, or be another program's. */
#include "play/settings.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json.h"

enum kind { TEXT, LIST, FLAG, COUNT, WHOLE, SEED };

#define ROW(member, kind, low, high)                                                               \
    {                                                                                              \
#member, kind, offsetof(struct play_settings, member), low, high                           \
    }

static const struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    int64_t low, high; /* of numbers */
} rows[] = {
    ROW(config, TEXT, 0, 0),
    ROW(experts, TEXT, 0, 0),
    ROW(questions, LIST, 0, 0),
    ROW(protect, LIST, 0, 0),
    ROW(generators, LIST, 0, 0),
    ROW(domains, LIST, 0, 0),
    ROW(judges, LIST, 0, 0),
    ROW(teacher, TEXT, 0, 0),
    ROW(allow_commands, FLAG, 0, 0),
    ROW(sandbox, FLAG, 0, 0),
    ROW(from_ledger, FLAG, 0, 0),
    ROW(everything, FLAG, 0, 0),
    ROW(members, COUNT, 0, 256),
    ROW(cost_max_nano_usd, WHOLE, 0, INT64_MAX),
    ROW(rounds, COUNT, 1, 1000),
    ROW(workers, COUNT, 0, 256),
    ROW(round_questions, COUNT, 0, 1000000),
    ROW(spend_nano_usd, WHOLE, 0, INT64_MAX),
    ROW(output_tokens, WHOLE, 0, 1000000000),
    ROW(seed, SEED, 0, 0),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

void play_settings_default(struct play_settings *s)
{
    *s = (struct play_settings){.rounds = PLAY_ROUNDS,
                                .workers = PLAY_WORKERS,
                                .round_questions = PLAY_ROUND_QUESTIONS,
                                .spend_nano_usd = INT64_MAX,
                                .seed = 1};
}

/* Writing */

static void write_list(struct buf *b, const struct play_list *list)
{
    buf_add_char(b, '[');
    for (size_t i = 0; i < list->count; i++) {
        buf_add_c(b, i ? ", " : "");
        json_write_string(b, str_from(list->items[i]));
    }
    buf_add_char(b, ']');
}

/* One piece: a case for each kind of row. */
static void write_row(struct buf *b, const struct row *row, const void *at)
{
    const char *text;
    switch (row->kind) {
    case TEXT:
        text = *(const char *const *)at;
        if (text)
            json_write_string(b, str_from(text));
        else
            buf_add_c(b, "null");
        break;
    case LIST:
        write_list(b, at);
        break;
    case FLAG:
        buf_add_c(b, *(const bool *)at ? "true" : "false");
        break;
    case COUNT:
        buf_addf(b, "%zu", *(const size_t *)at);
        break;
    case WHOLE:
        buf_addf(b, "%" PRId64, *(const int64_t *)at);
        break;
    case SEED: /* beyond what other readers of JSON take for whole */
        buf_addf(b, "\"%" PRIu64 "\"", *(const uint64_t *)at);
        break;
    }
}

enum status play_settings_write(const struct play_settings *s, const char *path, struct error *err)
{
    struct buf b;
    buf_init(&b, PLAY_SETTINGS_BYTES);
    for (size_t i = 0; i < ROWS; i++) {
        buf_addf(&b, "%s  \"%s\": ", i ? ",\n" : "{\n", rows[i].name);
        write_row(&b, &rows[i], (const char *)s + rows[i].offset);
    }
    buf_add_c(&b, "\n}\n");
    enum status status = file_write(path, &b, err);
    buf_done(&b);
    return status;
}

/* Reading */

static bool read_text(struct json_value v, struct arena *a, const char **ret)
{
    struct str text, kept;
    if (json_string_decode(v, a, &text) != OK || str_find(text, (struct str){"", 1}, 0) != SIZE_MAX)
        return false;
    kept = arena_copy(a, text);
    *ret = kept.ptr;
    return kept.ptr;
}

static bool read_list(struct json_value v, struct arena *a, struct play_list *ret)
{
    struct json_value item;
    struct json_iter it = json_iter_begin(v);
    if (v.type != JSON_ARRAY)
        return false;
    for (ret->count = 0; json_array_next(&it, &item); ret->count++)
        if (ret->count == PLAY_LIST_MAX || !read_text(item, a, &ret->items[ret->count]))
            return false;
    return true;
}

static bool read_whole(struct json_value v, const struct row *row, int64_t *ret)
{
    return json_to_int64(v, ret) == OK && *ret >= row->low && *ret <= row->high;
}

static bool read_seed(struct json_value v, uint64_t *ret)
{
    return v.type == JSON_STRING && str_to_uint64(json_inside(v), ret) == OK;
}

static bool read_row(struct json_value v, const struct row *row, struct arena *a, void *at)
{
    int64_t whole;
    switch (row->kind) {
    case TEXT:
        return v.type == JSON_NULL || read_text(v, a, at);
    case LIST:
        return read_list(v, a, at);
    case FLAG:
        *(bool *)at = v.type == JSON_TRUE;
        return v.type == JSON_TRUE || v.type == JSON_FALSE;
    case COUNT:
        if (!read_whole(v, row, &whole))
            return false;
        *(size_t *)at = (size_t)whole;
        return true;
    case WHOLE:
        return read_whole(v, row, at);
    case SEED:
        return read_seed(v, at);
    }
    CHECK(false);
    return false;
}

enum status play_settings_parse(struct str text, const char *place, struct arena *a,
                                struct play_settings *ret, struct error *err)
{
    struct json_value root;
    struct play_settings s;
    play_settings_default(&s);
    enum status status = json_parse(text, place, 1, &root, err);
    if (status != OK)
        return status;
    if (root.type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "%s: expected a JSON object", place);
    for (size_t i = 0; i < ROWS; i++) {
        struct json_value v = json_get(root, rows[i].name);
        if (v.type != JSON_NONE && !read_row(v, &rows[i], a, (char *)&s + rows[i].offset))
            return error_set(err, ERR_INPUT,
                             "%s: \"%s\" is not as `leeroo play` writes it; begin another run",
                             place, rows[i].name);
    }
    *ret = s;
    return OK;
}

enum status play_settings_read(const char *path, struct arena *a, struct play_settings *ret,
                               struct error *err)
{
    struct buf b;
    buf_init(&b, PLAY_SETTINGS_BYTES);
    enum status status = file_read(path, PLAY_SETTINGS_BYTES, &b, err);
    struct str kept = status == OK ? arena_copy(a, buf_str(&b)) : STR("");
    buf_done(&b);
    if (status == OK && !kept.ptr)
        status = error_set(err, ERR_MEMORY, "out of memory");
    return status == OK ? play_settings_parse(kept, path, a, ret, err) : status;
}
