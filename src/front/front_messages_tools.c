/* Tools of a Messages request as chat's functions. Tools that the client runs, but whose form Anthropic's models know
 * by heart, are functions with that form. Tools that Anthropic's service runs are optional for a model: they are left
 * out and named, unless tool_choice demands one; while there is an expert that speaks Messages, it is asked instead.
 * Pure functions of text for any thread, called by front_messages_request.c alone. */
#include "front/front_messages_int.h"

struct tools {
    size_t count;              /* functions written */
    struct json_value dropped; /* the name of the first tool that was left out; NONE: none was */
};

/* What the client runs itself. Types end in a date, and the form has stayed the same. */
// clang-format off
static const struct {
    const char *type, *description, *parameters;
} client_tools[] = {
    {"bash_", "Runs a command in a bash shell that stays open between calls.",
     "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\",\"description\":\"The "
     "command to run. Required unless restart is true.\"},\"restart\":{\"type\":\"boolean\","
     "\"description\":\"Starts the shell anew.\"}}}"},
    {"text_editor_", "Views, creates and edits text files.",
     "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\",\"enum\":[\"view\","
     "\"create\",\"str_replace\",\"insert\"]},\"path\":{\"type\":\"string\","
     "\"description\":\"Absolute path of a file or folder.\"},\"file_text\":{\"type\":\"string\","
     "\"description\":\"Of create: the whole content.\"},\"old_str\":{\"type\":\"string\","
     "\"description\":\"Of str_replace: a text that occurs once.\"},\"new_str\":{"
     "\"type\":\"string\",\"description\":\"Of str_replace: what takes its place.\"},"
     "\"insert_line\":{\"type\":\"integer\",\"description\":\"Of insert: the line behind which "
     "the text goes; 0: at the beginning.\"},\"insert_text\":{\"type\":\"string\"},"
     "\"view_range\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"description\":\"Of "
     "view: first and last line; -1: the end.\"}},\"required\":[\"command\",\"path\"]}"},
    {"memory_", "Reads and writes files under /memories, which outlive the conversation.",
     "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\",\"enum\":[\"view\","
     "\"create\",\"str_replace\",\"insert\",\"delete\",\"rename\"]},\"path\":{"
     "\"type\":\"string\"},\"file_text\":{\"type\":\"string\"},\"old_str\":{\"type\":\"string\"},"
     "\"new_str\":{\"type\":\"string\"},\"insert_line\":{\"type\":\"integer\"},\"insert_text\":{"
     "\"type\":\"string\"},\"old_path\":{\"type\":\"string\"},\"new_path\":{\"type\":\"string\"},"
     "\"view_range\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},"
     "\"required\":[\"command\"]}"},
    {"computer_", "Moves the mouse, types and takes screenshots.",
     "{\"type\":\"object\",\"properties\":{\"action\":{\"type\":\"string\","
     "\"description\":\"screenshot, left_click, right_click, middle_click, double_click, "
     "triple_click, mouse_move, left_click_drag, left_mouse_down, left_mouse_up, key, hold_key, "
     "type, scroll, wait, zoom or cursor_position\"},\"coordinate\":{\"type\":\"array\","
     "\"items\":{\"type\":\"integer\"}},\"start_coordinate\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"integer\"}},\"text\":{\"type\":\"string\"},\"duration\":{\"type\":\"number\"},"
     "\"scroll_direction\":{\"type\":\"string\"},\"scroll_amount\":{\"type\":\"integer\"},"
     "\"region\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},\"required\":[\"action\"]}"},
};
// clang-format on

enum { TYPE, NAME, DESCRIPTION, SCHEMA, STRICT, CACHE_CONTROL, EAGER, DEFER, CALLERS, TOOL_COUNT };
static const char *const tool_names[TOOL_COUNT] = {
    "type",           "name",          "description",           "input_schema",
    "strict",         "cache_control", "eager_input_streaming", "defer_loading",
    "allowed_callers"};

static void open_function(struct messages_reader *x, struct tools *t, struct json_value name)
{
    buf_add_c(x->out, t->count++ == 0 ? ",\"tools\":[" : ",");
    buf_add(x->out, STR("{\"type\":\"function\",\"function\":{\"name\":"));
    buf_add(x->out, name.raw);
}

/* A tool that has a type: one that the client runs, or one that is left out. */
static enum status write_typed(struct messages_reader *x, struct tools *t,
                               const struct json_value *f)
{
    for (size_t i = 0; i < sizeof(client_tools) / sizeof(client_tools[0]); i++) {
        if (!messages_has_text(f[NAME]) ||
            !str_starts(json_inside(f[TYPE]), str_from(client_tools[i].type)))
            continue;
        open_function(x, t, f[NAME]);
        buf_addf(x->out, ",\"description\":\"%s\",\"parameters\":%s}}", client_tools[i].description,
                 client_tools[i].parameters);
        return OK;
    }
    messages_rather(x, "tools", f[TYPE]);
    if (t->dropped.type == JSON_NONE)
        t->dropped = messages_has_text(f[NAME]) ? f[NAME] : f[TYPE];
    return OK;
}

/* One piece: a tool's members are all checked before the first byte of it is written. */
static enum status write_tool(struct messages_reader *x, struct json_value tool, struct tools *t)
{
    struct json_value f[TOOL_COUNT], other;
    if (tool.type != JSON_OBJECT)
        return messages_bad(x, "tools", "Input should be a list of objects");
    messages_members_read(tool, tool_names, TOOL_COUNT, f, &other);
    if (f[TYPE].type == JSON_STRING && !messages_is(f[TYPE], "custom"))
        return write_typed(x, t, f);
    if (!messages_has_text(f[NAME]))
        return messages_bad(x, "tools.name", "Field required");
    if (f[SCHEMA].type != JSON_OBJECT)
        return messages_bad(x, "tools.input_schema", "Field required");
    messages_drop(x, "tools", other);
    open_function(x, t, f[NAME]);
    messages_write_member(x->out, "description", f[DESCRIPTION]);
    messages_write_member(x->out, "parameters", f[SCHEMA]);
    if (f[STRICT].type == JSON_TRUE)
        buf_add(x->out, STR(",\"strict\":true"));
    buf_add(x->out, STR("}}"));
    return OK;
}

enum { CHOICE_TYPE, CHOICE_NAME, DISABLE_PARALLEL, CHOICE_COUNT };
static const char *const choice_names[CHOICE_COUNT] = {"type", "name", "disable_parallel_tool_use"};

/* A choice that demands a tool which was left out, by name or because there is no other. */
static bool demands_dropped(const struct tools *t, const struct json_value *f)
{
    if (t->dropped.type == JSON_NONE)
        return false;
    if (messages_is(f[CHOICE_TYPE], "any"))
        return t->count == 0;
    return messages_is(f[CHOICE_TYPE], "tool") &&
           str_equal(json_inside(f[CHOICE_NAME]), json_inside(t->dropped));
}

static enum status write_choice(struct messages_reader *x, const struct tools *t,
                                const struct json_value *f)
{
    static const char *const pairs[][2] = {
        {"auto", "\"auto\""}, {"any", "\"required\""}, {"none", "\"none\""}};
    if (t->count == 0)
        return OK;
    if (f[DISABLE_PARALLEL].type == JSON_TRUE)
        buf_add(x->out, STR(",\"parallel_tool_calls\":false"));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (messages_is(f[CHOICE_TYPE], pairs[i][0])) {
            buf_addf(x->out, ",\"tool_choice\":%s", pairs[i][1]);
            return OK;
        }
    if (!messages_is(f[CHOICE_TYPE], "tool") || !messages_has_text(f[CHOICE_NAME]))
        return messages_bad(x, "tool_choice",
                            "Input should be of the type 'auto', 'any', 'none', or 'tool' with a "
                            "name");
    buf_addf(x->out, ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":%.*s}}",
             STR_FMT(f[CHOICE_NAME].raw));
    return OK;
}

static enum status read_choice(struct messages_reader *x, const struct tools *t,
                               struct json_value choice)
{
    struct json_value f[CHOICE_COUNT], other;
    if (!json_is_set(choice))
        return OK;
    messages_members_read(choice, choice_names, CHOICE_COUNT, f, &other);
    messages_drop(x, "tool_choice", other);
    if (!demands_dropped(t, f))
        return write_choice(x, t, f);
    messages_native_key(x, t->dropped);
    return OK;
}

enum status messages_tools_write(struct messages_reader *x, struct json_value tools,
                                 struct json_value tool_choice)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    struct tools t = {0};
    enum status status = OK;
    if (json_is_set(tools) && tools.type != JSON_ARRAY)
        return messages_bad(x, "tools", "Input should be a valid list");
    while (status == OK && tools.type == JSON_ARRAY && json_array_next(&it, &tool))
        status = write_tool(x, tool, &t);
    if (t.count > 0)
        buf_add_char(x->out, ']');
    return status == OK ? read_choice(x, &t, tool_choice) : status;
}
