/* One walk over the members of one object; what stays keeps its bytes. */
#include "expert/member_edit.h"

static const struct member_edit *find(const struct member_edit *edits, size_t count,
                                      struct json_value key)
{
    for (size_t i = 0; i < count; i++)
        if (json_string_equal(key, edits[i].name))
            return &edits[i];
    return NULL;
}

static bool has(struct json_value object, struct str name)
{
    struct json_value value;
    json_members(object, &name, 1, &value);
    return value.type != JSON_NONE;
}

static void write_member(struct json_value root, struct json_value key, struct json_value value,
                         const struct member_edit *edit, struct buf *out)
{
    if (edit && (!edit->as.ptr || has(root, edit->as)))
        return;
    if (out->len > 1)
        buf_add_char(out, ',');
    if (edit)
        json_write_string(out, edit->as);
    else
        buf_add(out, key.raw);
    buf_add_char(out, ':');
    buf_add(out, value.raw);
}

enum status member_edit_body(const struct member_edit *edits, size_t count, struct str body,
                             struct buf *out, struct error *err)
{
    struct json_value root, key, value;
    enum status status = json_parse(body, "request", 1, &root, err);
    if (status == OK && root.type != JSON_OBJECT)
        status = error_set(err, ERR_INPUT, "the request is not a JSON object");
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(root);
    buf_add_char(out, '{');
    while (json_object_next(&it, &key, &value))
        write_member(root, key, value, find(edits, count, key), out);
    buf_add_char(out, '}');
    return buf_status(out, err);
}

void member_edit_dropped(const struct member_edit *edits, size_t count, struct json_value object,
                         struct dropped *d)
{
    for (size_t i = 0; i < count; i++)
        if (!edits[i].as.ptr && has(object, edits[i].name))
            dropped_add(d, NULL, edits[i].name);
}
