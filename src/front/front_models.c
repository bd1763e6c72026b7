/* Writing lists of models. When they were made is not known, which Anthropic's API tells by the epoch, too. */
#include "front/front_models.h"

#include "base/json.h"
#include "base/percent.h"

#define LIMIT_MAX 1000 /* as Anthropic has it */

enum status front_page_read(struct str query, struct arena *a, struct front_page *ret,
                            struct error *err)
{
    struct front_page page = {0};
    while (query.len > 0) {
        struct str value = str_split(&query, '&'), name = str_split(&value, '=');
        int64_t limit = 0;
        if (str_equal(name, STR("after_id")))
            page.after_id = percent_decode(value, a);
        else if (str_equal(name, STR("before_id")))
            page.before_id = percent_decode(value, a);
        if (!str_equal(name, STR("limit")))
            continue;
        if (str_to_int64(value, &limit) != OK || limit < 1 || limit > LIMIT_MAX)
            return error_set(err, ERR_INPUT, "limit: Input should be between 1 and %d", LIMIT_MAX);
        page.limit = (size_t)limit;
    }
    *ret = page;
    return OK;
}

void front_model_write(const struct front_model *m, struct buf *out)
{
    buf_add(out, STR("{\"id\":"));
    json_write_string(out, m->id);
    buf_add(out, STR(",\"object\":\"model\",\"created\":0,\"owned_by\":\"leeroo\","
                     "\"type\":\"model\",\"display_name\":"));
    json_write_string(out, m->id);
    buf_add(out, STR(",\"created_at\":\"1970-01-01T00:00:00Z\",\"max_input_tokens\":"));
    if (m->context_tokens > 0)
        buf_addf(out, "%u", m->context_tokens);
    else
        buf_add(out, STR("null"));
    buf_add(out, STR(",\"max_tokens\":null,\"capabilities\":null,\"lifecycle\":\"active\"}"));
}

/* *ret is untouched where none is given. */
static enum status find(const struct front_model *models, size_t count, const char *param,
                        struct str id, size_t *ret, struct error *err)
{
    if (id.len == 0)
        return OK;
    for (size_t i = 0; i < count; i++)
        if (str_equal(models[i].id, id)) {
            *ret = i;
            return OK;
        }
    return error_set(err, ERR_INPUT, "%s: there is no model '%.*s' in the list", param,
                     (int)(id.len < 100 ? id.len : 100), id.ptr);
}

static void write_id(const char *name, const struct front_model *m, struct buf *out)
{
    buf_addf(out, ",\"%s\":", name);
    if (m)
        json_write_string(out, m->id);
    else
        buf_add(out, STR("null"));
}

enum status front_models_write(const struct front_model *models, size_t count,
                               const struct front_page *page, struct buf *out, struct error *err)
{
    size_t from = SIZE_MAX, to = count;
    enum status status = find(models, count, "after_id", page->after_id, &from, err);
    if (status == OK)
        status = find(models, count, "before_id", page->before_id, &to, err);
    if (status != OK)
        return status;
    from = from == SIZE_MAX ? 0 : from + 1;
    to = to < from ? from : to;
    bool more = page->limit > 0 && to - from > page->limit;
    if (more && page->before_id.len > 0 && page->after_id.len == 0)
        from = to - page->limit; /* backwards */
    else if (more)
        to = from + page->limit;
    buf_add(out, STR("{\"object\":\"list\",\"data\":["));
    for (size_t i = from; i < to; i++) {
        buf_add_c(out, i > from ? "," : "");
        front_model_write(&models[i], out);
    }
    buf_addf(out, "],\"has_more\":%s", more ? "true" : "false");
    write_id("first_id", to > from ? &models[from] : NULL, out);
    write_id("last_id", to > from ? &models[to - 1] : NULL, out);
    buf_add_char(out, '}');
    return buf_status(out, err);
}
