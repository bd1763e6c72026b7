/* responses/MODEL.jsonl(.gz): the recorded answers of one expert, one at a time. */
#include <stdio.h>

#include "base/gz.h"
#include "base/json.h"
#include "base/name.h"
#include "data/dataset.h"

#define RESPONSE_BYTES_MAX (64u << 20) /* of one line, decoded */

typedef enum status response_fn(const struct response_line *said, void *arg, struct error *err);

static enum status response_parse(struct str line, const struct line_reader *r, struct arena *a,
                                  struct response_line *ret, struct error *err)
{
    const char *place = line_reader_path(r);
    size_t number = line_reader_number(r);
    struct json_value v;
    enum status status = json_parse(line, place, number, &v, err);
    if (status != OK)
        return status;
    struct json_value id_value = json_get(v, "id"), text_value = json_get(v, "text"),
                      certainty = json_get(v, "certainty");
    *ret = (struct response_line){.id = {NULL, 0}};
    if (id_value.type != JSON_STRING || text_value.type != JSON_STRING)
        return error_set_at(err, ERR_INPUT, place, number, 0,
                            "a response is {\"id\": string, \"text\": string}");
    if (json_is_set(certainty) && !certainty_read(certainty, &ret->certainty))
        return error_set_at(err, ERR_INPUT, place, number, 0,
                            "\"certainty\" should be [mean, least, last]: margins from 0 to %.0f, "
                            "none of them below the least",
                            (double)CERTAINTY_MARGIN_MAX);
    if (json_string_decode(id_value, a, &ret->id) != OK ||
        json_string_decode(text_value, a, &ret->text) != OK)
        return error_set_at(err, ERR_MEMORY, place, number, 0, "out of memory");
    return OK;
}

static enum status responses_each(struct line_reader *r, struct arena *a, response_fn *fn,
                                  void *arg, struct error *err)
{
    struct str line;
    struct response_line said;
    enum status status;
    while ((status = line_reader_next(r, &line, err)) == OK) {
        if (str_trim(line).len == 0)
            continue;
        arena_reset(a);
        status = response_parse(line, r, a, &said, err);
        if (status == OK)
            status = fn(&said, arg, err);
        if (status != OK)
            return status;
    }
    return status == CLOSED ? OK : status;
}

/* An expert's name becomes part of a path: "org/model" is a folder, but none may climb out of the data set. */
static bool name_is_safe(struct str name)
{
    return !expert_name_mistake(name) && str_find(name, (struct str){"", 1}, 0) == SIZE_MAX;
}

enum status responses_read(const char *dataset_path, struct str model, response_fn *fn, void *arg,
                           struct error *err)
{
    if (!name_is_safe(model))
        return error_set(err, ERR_NOT_FOUND, "no responses under the name '%.*s'", STR_FMT(model));
    struct arena *a = arena_create(RESPONSE_BYTES_MAX);
    char *path =
        a ? arena_printf(a, "%s/responses/%.*s.jsonl", dataset_path, STR_FMT(model)) : NULL;
    struct line_reader *r = NULL;
    enum status status =
        path ? line_reader_open(path, &r, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = responses_each(r, a, fn, arg, err);
    line_reader_close(r);
    arena_free(a);
    return status;
}
