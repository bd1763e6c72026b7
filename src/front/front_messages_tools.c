/* Tools of a Messages request as chat's functions. Tools that Anthropic runs itself, or has trained its models for, can
 * be served only by experts that speak Messages. */
#include "front/front_messages_int.h"

/* One piece: a tool's members are all checked before the first byte of it is written. */
static enum status write_tool(struct messages_reader *x, struct json_value tool, size_t *count)
{
    enum { TYPE, NAME, DESCRIPTION, SCHEMA, STRICT, CACHE_CONTROL, EAGER, COUNT };
    static const char *const names[COUNT] = {
        "type",   "name",          "description",          "input_schema",
        "strict", "cache_control", "eager_input_streaming"};
    struct json_value f[COUNT], other;
    if (tool.type != JSON_OBJECT)
        return messages_bad(x, "tools", "Input should be a list of objects");
    messages_members_read(tool, names, COUNT, f, &other);
    if (messages_is_set(f[TYPE]) && !messages_is(f[TYPE], "custom")) {
        messages_native(x, "server tools");
        return OK;
    }
    if (!messages_has_text(f[NAME]))
        return messages_bad(x, "tools.name", "Field required");
    if (f[SCHEMA].type != JSON_OBJECT)
        return messages_bad(x, "tools.input_schema", "Field required");
    messages_native_key(x, other);
    buf_add_c(x->out, (*count)++ == 0 ? ",\"tools\":[" : ",");
    buf_add(x->out, STR("{\"type\":\"function\",\"function\":{\"name\":"));
    buf_add(x->out, f[NAME].raw);
    messages_write_member(x->out, "description", f[DESCRIPTION]);
    messages_write_member(x->out, "parameters", f[SCHEMA]);
    if (f[STRICT].type == JSON_TRUE)
        buf_add(x->out, STR(",\"strict\":true"));
    buf_add(x->out, STR("}}"));
    return OK;
}

static enum status write_choice(struct messages_reader *x, struct json_value choice)
{
    enum { TYPE, NAME, DISABLE_PARALLEL, COUNT };
    static const char *const names[COUNT] = {"type", "name", "disable_parallel_tool_use"};
    static const char *const pairs[][2] = {
        {"auto", "\"auto\""}, {"any", "\"required\""}, {"none", "\"none\""}};
    struct json_value f[COUNT], other;
    if (!messages_is_set(choice))
        return OK;
    messages_members_read(choice, names, COUNT, f, &other);
    messages_native_key(x, other);
    if (f[DISABLE_PARALLEL].type == JSON_TRUE)
        buf_add(x->out, STR(",\"parallel_tool_calls\":false"));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (messages_is(f[TYPE], pairs[i][0])) {
            buf_addf(x->out, ",\"tool_choice\":%s", pairs[i][1]);
            return OK;
        }
    if (!messages_is(f[TYPE], "tool") || !messages_has_text(f[NAME]))
        return messages_bad(x, "tool_choice",
                            "Input should be of the type 'auto', 'any', 'none', or 'tool' with a "
                            "name");
    buf_addf(x->out, ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":%.*s}}",
             STR_FMT(f[NAME].raw));
    return OK;
}

enum status messages_tools_write(struct messages_reader *x, struct json_value tools,
                                 struct json_value tool_choice)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    size_t count = 0;
    enum status status = OK;
    if (messages_is_set(tools) && tools.type != JSON_ARRAY)
        return messages_bad(x, "tools", "Input should be a valid list");
    while (status == OK && tools.type == JSON_ARRAY && json_array_next(&it, &tool))
        status = write_tool(x, tool, &count);
    if (count > 0)
        buf_add_char(x->out, ']');
    if (status == OK && count > 0)
        status = write_choice(x, tool_choice);
    return status;
}
