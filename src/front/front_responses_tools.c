/* Tools and formats of a request of the Responses API as chat's, where they are one level deeper. Pure functions of
 * text for any thread, called by front_responses_request.c alone. Tools that OpenAI's service runs itself are left
 * out and said so, unless tool_choice demands one. What fails names the field in the words of the client's own request,
 * not of chat's. */
#include "front/front_responses_int.h"

#define TEXT   FRONT_TYPE(JSON_STRING)
#define OBJECT FRONT_TYPE(JSON_OBJECT)
#define LIST   FRONT_TYPE(JSON_ARRAY)

static bool is_function(struct json_value tool)
{
    return json_string_equal(json_get(tool, "type"), STR("function"));
}

static enum status refuse_type(struct front_reader *x, const char *param, struct json_value object)
{
    struct str type = str_slice(front_inside(json_get(object, "type")), 0, FRONT_PARAM_BYTES_MAX);
    x->param = param;
    return error_set(x->err, ERR_UNSUPPORTED,
                     "%s: type \"%.*s\" is not offered here; \"function\" is", param,
                     STR_FMT(type));
}

static enum status write_tool(struct front_reader *x, struct json_value tool, struct buf *out)
{
    static const struct front_member rows[] = {
        {"name", FRONT_READ, TEXT},          {"type", FRONT_READ, TEXT},
        {"description", FRONT_CARRY, TEXT},  {"parameters", FRONT_CARRY, OBJECT},
        {"strict", FRONT_CARRY, FRONT_FLAG},
    };
    struct json_value fields[5];
    if (tool.type != JSON_OBJECT)
        return front_bad(x, "tools", "must be a list of objects");
    enum status status = front_members_read(x, tool, "tools", rows, 5, fields);
    if (status == OK && fields[0].type == JSON_NONE)
        status = front_bad(x, "tools", "has a function without a name");
    if (status != OK)
        return status;
    buf_add_c(out, "{\"type\":\"function\",\"function\":{\"name\":");
    buf_add(out, fields[0].raw);
    front_members_carry(rows, 5, fields, out);
    buf_add_c(out, "}}");
    return OK;
}

/* The tools that an expert can be given. Those that OpenAI's service runs by itself (web_search, file_search, ...) are
 * optional for a model, so they are left out, and the client hears of it. */
static enum status write_tools(struct front_reader *x, struct json_value tools, struct buf *out,
                               size_t *ret_count)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    enum status status = OK;
    *ret_count = 0;
    while (status == OK && json_array_next(&it, &tool)) {
        if (tool.type == JSON_OBJECT && !is_function(tool)) {
            dropped_add(&x->dropped, "tools", front_inside(json_get(tool, "type")));
            continue;
        }
        buf_add_c(out, *ret_count > 0 ? "," : ",\"tools\":[");
        status = write_tool(x, tool, out);
        ++*ret_count;
    }
    if (*ret_count > 0)
        buf_add_char(out, ']');
    return status;
}

typedef enum status write_item_fn(struct front_reader *x, struct json_value item, struct buf *out);

static enum status write_list(struct front_reader *x, struct json_value list, write_item_fn *write,
                              struct buf *out)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    buf_add_char(out, '[');
    for (bool first = true; json_array_next(&it, &item); first = false) {
        if (!first)
            buf_add_char(out, ',');
        enum status status = write(x, item, out);
        if (status != OK)
            return status;
    }
    buf_add_char(out, ']');
    return OK;
}

static enum status write_function_choice(struct front_reader *x, struct json_value choice,
                                         struct buf *out)
{
    struct json_value name = json_get(choice, "name");
    if (!is_function(choice))
        return refuse_type(x, "tool_choice", choice);
    if (name.type != JSON_STRING)
        return front_bad(x, "tool_choice", "names no function");
    buf_add_c(out, "{\"type\":\"function\",\"function\":{\"name\":");
    buf_add(out, name.raw);
    buf_add_c(out, "}}");
    return OK;
}

static enum status write_allowed_tools(struct front_reader *x, struct json_value choice,
                                       struct buf *out)
{
    struct json_value tools = json_get(choice, "tools"), mode = json_get(choice, "mode");
    if (tools.type != JSON_ARRAY || mode.type != JSON_STRING)
        return front_bad(x, "tool_choice", "of allowed tools wants a mode and a list of tools");
    buf_add_c(out, "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":");
    buf_add(out, mode.raw);
    buf_add_c(out, ",\"tools\":");
    enum status status = write_list(x, tools, write_function_choice, out);
    buf_add_c(out, "}}");
    return status;
}

static enum status write_tool_choice(struct front_reader *x, struct json_value choice,
                                     struct buf *out)
{
    buf_add_c(out, ",\"tool_choice\":");
    if (json_string_equal(json_get(choice, "type"), STR("allowed_tools")))
        return write_allowed_tools(x, choice, out);
    if (choice.type == JSON_OBJECT)
        return write_function_choice(x, choice, out);
    buf_add(out, choice.raw);
    return OK;
}

/* Chat refuses a tool_choice when there are no tools; this API accepts it, so it is left out. */
enum status responses_tools_write(struct front_reader *x, const struct json_value *fields,
                                  struct buf *out)
{
    struct json_value choice = fields[RESPONSES_TOOL_CHOICE];
    size_t count = 0;
    enum status status = write_tools(x, fields[RESPONSES_TOOLS], out, &count);
    if (status != OK)
        return status;
    if (choice.type == JSON_OBJECT && count == 0 && json_get(choice, "type").type == JSON_STRING &&
        !is_function(choice))
        return refuse_type(x, "tool_choice", choice);
    if (count == 0 && (choice.type == JSON_OBJECT || json_string_equal(choice, STR("required"))))
        return front_bad(x, "tool_choice",
                         "wants a tool, but there are none that are offered here");
    if (count == 0)
        return OK;
    if (choice.type != JSON_NONE)
        status = write_tool_choice(x, choice, out);
    front_write_member(out, "parallel_tool_calls", fields[RESPONSES_PARALLEL]);
    return status;
}

/* Formats */

static enum status write_schema(struct front_reader *x, struct json_value format, struct buf *out)
{
    static const struct front_member rows[] = {
        {"type", FRONT_READ, TEXT},          {"name", FRONT_READ, TEXT},
        {"description", FRONT_CARRY, TEXT},  {"schema", FRONT_CARRY, OBJECT},
        {"strict", FRONT_CARRY, FRONT_FLAG},
    };
    struct json_value fields[5];
    enum status status = front_members_read(x, format, "text.format", rows, 5, fields);
    if (status == OK && (fields[1].type == JSON_NONE || fields[3].type == JSON_NONE))
        status = front_bad(x, "text.format", "wants a name and a schema");
    if (status != OK)
        return status;
    buf_add_c(out, ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":");
    buf_add(out, fields[1].raw);
    front_members_carry(rows, 5, fields, out);
    buf_add_c(out, "}}");
    return OK;
}

static enum status write_format(struct front_reader *x, struct json_value format, struct buf *out)
{
    struct json_value type = json_get(format, "type");
    if (format.type == JSON_NONE || json_string_equal(type, STR("text")))
        return OK;
    if (json_string_equal(type, STR("json_schema")))
        return write_schema(x, format, out);
    if (!json_string_equal(type, STR("json_object")))
        return front_refuse(x, "text.format",
                            "may be of type text, json_object or json_schema only, here");
    buf_add_c(out, ",\"response_format\":{\"type\":\"json_object\"}");
    return OK;
}

enum status responses_text_write(struct front_reader *x, struct json_value text, struct buf *out)
{
    static const struct front_member rows[] = {
        {"format", FRONT_READ, OBJECT},
        {"verbosity", FRONT_CARRY, TEXT},
    };
    struct json_value fields[2];
    if (text.type == JSON_NONE)
        return OK;
    enum status status = front_members_read(x, text, "text", rows, 2, fields);
    if (status == OK)
        status = write_format(x, fields[0], out);
    front_members_carry(rows, 2, fields, out);
    return status;
}
