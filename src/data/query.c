/* Queries: one JSON object a line. The strings of a query are spans of one copy of its line in the arena.
 *
 * query_parse is a pure function of its line and the arena; queries_read reads a file and blocks. Both belong to the
 * thread that owns the arena. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/gz.h"
#include "base/json.h"
#include "base/map.h"
#include "data/dataset_int.h"

/* Where a line came from, to name what is wrong with it. */
struct line {
    const char *place;
    size_t number;
    struct str text;
};

static enum status line_error(const struct line *line, struct json_value at, struct error *err,
                              const char *what)
{
    size_t column = at.type == JSON_NONE ? 0 : (size_t)(at.raw.ptr - line->text.ptr) + 1;
    return error_set_at(err, ERR_INPUT, line->place, line->number, column, "%s", what);
}

/* A string, or a number as it is spelled; null or no member leaves the field empty. */
static enum status field_read(const struct line *line, struct json_value v, const char *key,
                              struct arena *a, struct str *ret, struct error *err)
{
    if (v.type == JSON_NONE || v.type == JSON_NULL)
        return OK;
    if (v.type == JSON_NUMBER) {
        *ret = v.raw;
        return OK;
    }
    if (v.type != JSON_STRING) {
        char what[80];
        snprintf(what, sizeof(what), "\"%s\" must be a string", key);
        return line_error(line, v, err, what);
    }
    if (json_string_decode(v, a, ret) != OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    return OK;
}

enum status query_choices_keep(struct query *q, const struct str *choices, uint32_t count,
                               struct arena *a)
{
    struct str *kept = ARENA_ARRAY(a, count, struct str);
    if (!kept)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        kept[i] = choices[i];
    q->choices = kept;
    q->choice_count = count;
    return OK;
}

static enum status choices_read(const struct line *line, struct json_value list, struct arena *a,
                                struct query *q, struct error *err)
{
    if (list.type == JSON_NONE || list.type == JSON_NULL)
        return OK;
    if (list.type != JSON_ARRAY)
        return line_error(line, list, err, "\"choices\" must be an array of strings");
    struct str choices[QUERY_CHOICES_MAX];
    uint32_t count = 0;
    struct json_iter it = json_iter_begin(list);
    for (struct json_value v; json_array_next(&it, &v); count++) {
        if (v.type != JSON_STRING)
            return line_error(line, v, err, "\"choices\" must be an array of strings");
        if (count == QUERY_CHOICES_MAX)
            return line_error(line, v, err, "more than 26 choices: their letters run out at Z");
        if (json_string_decode(v, a, &choices[count]) != OK)
            return error_set(err, ERR_MEMORY, "out of memory");
    }
    return query_choices_keep(q, choices, count, a) == OK
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status prompt_make(struct query *q, struct arena *a, struct error *err)
{
    q->prompt = q->text;
    if (q->choice_count == 0)
        return OK;
    char *into = arena_alloc(a, query_prompt_bytes(q->text, q->choices, q->choice_count));
    if (!into)
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t bytes = query_prompt_write(q->text, q->choices, q->choice_count, into);
    q->prompt = (struct str){into, bytes};
    return OK;
}

/* The fields that matter, each where it last stood: one pass, since a look-up per key would scan as often. */
enum {
    FIELD_ID,
    FIELD_TEXT,
    FIELD_ANSWER,
    FIELD_TASK,
    FIELD_DOMAIN,
    FIELD_CHOICES,
    FIELD_CHECK,
    FIELD_COUNT
};
static const char *const field_names[FIELD_COUNT] = {"id",     "text",    "answer", "task",
                                                     "domain", "choices", "check"};

static void fields_find(struct json_value object, struct json_value found[FIELD_COUNT])
{
    struct json_iter it = json_iter_begin(object);
    for (struct json_value key, v; json_object_next(&it, &key, &v);)
        for (size_t i = 0; i < FIELD_COUNT; i++)
            if (json_string_equal(key, str_from(field_names[i])))
                found[i] = v;
}

static enum status fields_read(const struct line *line, struct json_value object, struct arena *a,
                               struct query *q, struct error *err)
{
    struct json_value found[FIELD_COUNT] = {0};
    fields_find(object, found);
    if (found[FIELD_TEXT].type == JSON_NONE)
        return line_error(line, object, err, "the query has no \"text\"");
    if (found[FIELD_TEXT].type != JSON_STRING)
        return line_error(line, found[FIELD_TEXT], err, "\"text\" must be a string");
    struct str *const into[] = {&q->id, &q->text, &q->answer, &q->task, &q->domain};
    for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++) {
        enum status status = field_read(line, found[i], field_names[i], a, into[i], err);
        if (status != OK)
            return status;
    }
    if (json_is_set(found[FIELD_CHECK]))
        q->check = found[FIELD_CHECK].raw; /* judge knows what it says */
    return choices_read(line, found[FIELD_CHOICES], a, q, err);
}

/* A line that is no JSON: it may be no text, or a question as it is. */
static enum status mend_json(struct str json_line, struct error *err)
{
    const char *encoding = utf8_mend(json_line);
    struct str trimmed = str_trim(json_line);
    if (encoding)
        return error_mend(err, "%s", encoding);
    if (!str_starts(trimmed, STR("{")))
        return error_mend(err,
                          "each line is one JSON object, like {\"id\": \"q1\", \"text\": \"...\"}");
    return err ? err->status : ERR_INPUT;
}

/* One piece: a line's steps in their order, each of which may be the one to complain. */
enum status query_parse(struct str json_line, const char *place, size_t line_number,
                        struct arena *a, struct query *ret, struct error *err)
{
    if (line_number == 1 && str_starts(json_line, STR("\xEF\xBB\xBF")))
        json_line = str_slice(json_line, 3, json_line.len); /* a byte order mark */
    struct line line = {place, line_number, arena_copy(a, json_line)};
    if (!line.text.ptr)
        return error_set(err, ERR_MEMORY, "%s:%zu: out of memory", place, line_number);
    struct json_value object;
    enum status status = json_parse(line.text, place, line_number, &object, err);
    if (status != OK)
        return mend_json(json_line, err);
    if (object.type != JSON_OBJECT)
        return line_error(
            &line, object, err,
            object.type == JSON_ARRAY
                ? "expected a JSON object like {\"id\",\"text\"} on each line, not an "
                  "array of them; `jq -c '.[]'` makes lines of it"
                : "expected a JSON object like {\"id\",\"text\"}");
    struct query q = {0};
    status = fields_read(&line, object, a, &q, err);
    if (status == OK)
        status = prompt_make(&q, a, err);
    if (status != OK)
        return status;
    q.text_hash = text_hash(q.text);
    *ret = q;
    return OK;
}

bool query_id_fits(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if ((unsigned char)id.ptr[i] < ' ' || id.ptr[i] == '\x7f')
            return false;
    return id.len > 0 && id.len <= QUERY_ID_BYTES_MAX;
}

/* ids: the line of each. */
static enum status id_check(struct map *ids, const struct query *q, const char *place, size_t line,
                            struct error *err)
{
    uint32_t other;
    if (q->id.len == 0)
        return error_set_at(err, ERR_INPUT, place, line, 0, "the query has no \"id\"");
    if (map_get(ids, q->id, &other))
        return error_set_at(err, ERR_INPUT, place, line, 0,
                            "id '%.*s' is there twice (first on line %u); give it another",
                            STR_FMT(q->id), other);
    if (map_put(ids, q->id, (uint32_t)line) != OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    return OK;
}

/* The queries gather in `list`, since their number is not known beforehand. */
static enum status queries_gather(struct dataset *d, struct line_reader *r, struct map *ids,
                                  struct buf *list, struct error *err)
{
    struct str line;
    enum status status;
    while ((status = line_reader_next(r, &line, err)) == OK) {
        if (str_trim(line).len == 0)
            continue;
        const char *place = line_reader_path(r);
        size_t number = line_reader_number(r);
        struct query *q = (struct query *)(void *)buf_reserve(list, sizeof(*q));
        if (!q)
            return buf_status(list, err);
        status = query_parse(line, place, number, d->arena, q, err);
        if (status == OK && ids)
            status = id_check(ids, q, place, number, err);
        if (status != OK)
            return status;
        list->len += sizeof(*q);
    }
    return status == CLOSED ? OK : status;
}

/* Reads a whole file of queries. They gather in a buffer that can grow, and only the final list is copied to the arena,
 * whose memory is never given back; three resources are released at one label. */
enum status queries_read(struct dataset *d, const char *path, bool ids, struct error *err)
{
    struct line_reader *r = NULL;
    struct map *seen = NULL;
    struct buf list;
    buf_init(&list, DATASET_QUERIES_MAX * sizeof(struct query));
    enum status status = line_reader_open(path, &r, err);
    if (status != OK)
        goto out;
    if (ids && !(seen = map_create(1024))) {
        status = error_set(err, ERR_MEMORY, "out of memory");
        goto out;
    }
    status = queries_gather(d, r, seen, &list, err);
    if (status != OK)
        goto out;
    struct str kept = arena_copy(d->arena, buf_str(&list));
    if (!kept.ptr) {
        status = error_set(err, ERR_MEMORY, "out of memory");
        goto out;
    }
    d->queries = (struct query *)(uintptr_t)kept.ptr;
    CHECK(list.len % sizeof(struct query) == 0);
    d->query_count = list.len / sizeof(struct query);
out:
    buf_done(&list);
    map_free(seen);
    line_reader_close(r);
    return status;
}

enum status dataset_load_queries(const char *path, struct dataset **ret, struct error *err)
{
    struct dataset *d = NULL;
    enum status status = dataset_create(path, &d, err);
    if (status != OK)
        return status;
    status = queries_read(d, path, false, err);
    if (status != OK) {
        dataset_free(d);
        return status;
    }
    *ret = d;
    return OK;
}
