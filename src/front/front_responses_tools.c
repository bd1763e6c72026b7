/* Tools and formats of a request of the Responses API as chat's, where they are one level deeper. Pure functions of
 * text for any thread, called by front_responses_request.c alone. Which function stands for which tool is said in
 * front_responses_toolbox.h. Tools that OpenAI's service runs itself are left out and said so, unless tool_choice
 * demands one. What fails names the field in the words of the client's own request, not of chat's. */
#include "front/front_responses_toolbox.h"

#define TEXT   FRONT_TYPE(JSON_STRING)
#define OBJECT FRONT_TYPE(JSON_OBJECT)
#define LIST   FRONT_TYPE(JSON_ARRAY)

#define ALLOWED_MAX 128 /* tools of an allowed_tools */

/* `"name":{...}` for the schema of an object with these properties. */
#define SCHEMA(properties, required)                                                               \
    ",\"parameters\":{\"type\":\"object\",\"properties\":{" properties                             \
    "},\"required\":[\"" required "\"],\"additionalProperties\":false}"

#define TEXTS "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"

struct allowed {
    struct json_value type;
    struct str space, name;
};

struct writer {
    struct front_reader *x;
    struct buf *out;
    size_t count;            /* of tools written */
    size_t special;          /* of those that are no plain functions */
    struct allowed *allowed; /* what there may be; NULL: everything */
    size_t allowed_count;
};

/* Definitions */

static void write_name(const struct responses_tool *tool, struct buf *out)
{
    char into[RESPONSES_TOOL_NAME_MAX];
    buf_add_c(out, "{\"type\":\"function\",\"function\":{\"name\":\"");
    buf_add(out, responses_tool_name(tool->space, tool->name, into));
    buf_add_char(out, '"');
}

/* What a namespace is for stands in front of its first tool, as chat has no place for it. */
static void write_description(const struct responses_tool *tool, struct json_value description,
                              struct str more, struct buf *out)
{
    struct str space = tool->space_begins ? json_inside(tool->space_description) : STR("");
    const struct str parts[] = {space, json_inside(description), more};
    bool any = false;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].len == 0)
            continue;
        buf_add_c(out, any ? "\\n\\n" : ",\"description\":\"");
        buf_add(out, parts[i]);
        any = true;
    }
    if (any)
        buf_add_char(out, '"');
}

static enum status write_function(struct writer *w, const struct responses_tool *tool)
{
    enum { NAME, TYPE, DESCRIPTION, PARAMETERS, STRICT, DEFER, CALLERS, SCHEMA_OUT, ASYNC, COUNT };
    static const struct front_member rows[COUNT] = {
        [NAME] = {"name", FRONT_READ, TEXT},
        [TYPE] = {"type", FRONT_READ, TEXT},
        [DESCRIPTION] = {"description", FRONT_READ, TEXT},
        [PARAMETERS] = {"parameters", FRONT_CARRY, OBJECT},
        [STRICT] = {"strict", FRONT_CARRY, FRONT_FLAG},
        [DEFER] = {"defer_loading", FRONT_ACCEPT, 0}, /* the model sees all of them at once */
        [CALLERS] = {"allowed_callers", FRONT_ACCEPT, 0},
        [SCHEMA_OUT] = {"output_schema", FRONT_ACCEPT, 0},
        [ASYNC] = {"async", FRONT_ACCEPT, 0},
    };
    struct json_value fields[COUNT];
    enum status status = front_members_read(w->x, tool->definition, "tools", rows, COUNT, fields);
    if (status != OK)
        return status;
    write_name(tool, w->out);
    write_description(tool, fields[DESCRIPTION], STR(""), w->out);
    front_members_carry(rows, COUNT, fields, w->out);
    buf_add_c(w->out, "}}");
    return OK;
}

/* A grammar cannot be enforced here, but a model that reads it follows it. */
static void write_custom(struct writer *w, const struct responses_tool *tool)
{
    struct json_value format = json_get(tool->definition, "format");
    struct json_value definition = json_get(format, "definition");
    struct buf more;
    buf_init(&more, format.raw.len + FRONT_BODY_SPARE);
    if (definition.type == JSON_STRING) {
        buf_addf(&more, "The input must follow this grammar (%.*s):\\n",
                 STR_FMT(json_inside(json_get(format, "syntax"))));
        buf_add(&more, json_inside(definition));
        dropped_add(&w->x->dropped, "tools", STR("custom.format"));
    }
    write_name(tool, w->out);
    write_description(tool, json_get(tool->definition, "description"), buf_str(&more), w->out);
    buf_add_c(w->out, SCHEMA("\"input\":{\"type\":\"string\",\"description\":"
                             "\"The whole input of the tool, as plain text\"}",
                             "input") "}}");
    if (more.status != OK)
        w->out->status = more.status;
    buf_done(&more);
}

static void write_search(struct writer *w, const struct responses_tool *tool)
{
    struct json_value parameters = json_get(tool->definition, "parameters");
    write_name(tool, w->out);
    write_description(tool, json_get(tool->definition, "description"), STR(""), w->out);
    if (parameters.type == JSON_OBJECT)
        front_write_member(w->out, "parameters", parameters);
    buf_add_c(w->out, "}}");
}

/* One piece: the texts of three tools, which a model reads. */
static void write_builtin(struct writer *w, const struct responses_tool *tool)
{
    static const char *const rests[] = {
        [RESPONSES_TOOL_LOCAL_SHELL] =
            ",\"description\":\"Runs a command on the user's machine and returns its "
            "output\"" SCHEMA("\"command\":" TEXTS ",\"timeout_ms\":{\"type\":\"integer\"},"
                              "\"working_directory\":{\"type\":\"string\"}",
                              "command"),
        [RESPONSES_TOOL_SHELL] =
            ",\"description\":\"Runs shell commands on the user's machine, at the same time, and "
            "returns their output\"" SCHEMA("\"commands\":" TEXTS
                                            ",\"timeout_ms\":{\"type\":\"integer\"},"
                                            "\"max_output_length\":{\"type\":\"integer\"}",
                                            "commands"),
        [RESPONSES_TOOL_APPLY_PATCH] =
            ",\"description\":\"Creates, updates or deletes one file. The diff of update_file has "
            "hunks that begin with @@ and lines that begin with a blank, + or -; that of "
            "create_file has lines that begin with +\"" SCHEMA(
                "\"operation\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\","
                "\"enum\":[\"create_file\",\"update_file\",\"delete_file\"]},\"path\":{\"type\":"
                "\"string\"},\"diff\":{\"type\":\"string\"}},\"required\":[\"type\",\"path\"]}",
                "operation"),
    };
    write_name(tool, w->out);
    buf_add_c(w->out, rests[tool->kind]);
    buf_add_c(w->out, "}}");
}

/* The list */

static bool is_meant(const struct allowed *a, const struct responses_tool *tool)
{
    if (json_string_equal(a->type, STR("namespace")))
        return str_equal(a->name, tool->space);
    return json_string_equal(a->type, json_inside(tool->type)) &&
           (a->name.len == 0 || str_equal(a->name, tool->name)) &&
           (a->space.len == 0 || str_equal(a->space, tool->space));
}

static bool is_allowed(const struct writer *w, const struct responses_tool *tool)
{
    for (size_t i = 0; i < w->allowed_count; i++)
        if (is_meant(&w->allowed[i], tool))
            return true;
    return !w->allowed;
}

/* Optional for a model are tools that the vendor's service runs by itself, so they may be missing. */
static enum status write_tool(void *user, const struct responses_tool *tool)
{
    struct writer *w = user;
    enum status status = OK;
    if (!is_allowed(w, tool))
        return OK;
    if (tool->kind == RESPONSES_TOOL_FOREIGN) {
        dropped_add(&w->x->dropped, "tools", json_inside(tool->type));
        return OK;
    }
    if ((tool->kind != RESPONSES_TOOL_FUNCTION || tool->space.len > 0) &&
        w->special++ == RESPONSES_TOOLS_MAX)
        return front_bad(w->x, "tools", "has too many tools: 1024 may be other than functions");
    buf_add_c(w->out, w->count++ > 0 ? "," : ",\"tools\":[");
    if (tool->kind == RESPONSES_TOOL_FUNCTION)
        status = write_function(w, tool);
    else if (tool->kind == RESPONSES_TOOL_CUSTOM)
        write_custom(w, tool);
    else if (tool->kind == RESPONSES_TOOL_SEARCH)
        write_search(w, tool);
    else
        write_builtin(w, tool);
    return status;
}

/* The choice among them */

static enum status refuse_type(struct front_reader *x, struct json_value object)
{
    struct str type = str_slice(json_inside(json_get(object, "type")), 0, FRONT_PARAM_BYTES_MAX);
    x->param = "tool_choice";
    return error_set(x->err, ERR_UNSUPPORTED,
                     "tool_choice: type \"%.*s\" is not offered here; nobody runs such a tool",
                     STR_FMT(type));
}

struct wanted { /* a tool by the name that tool_choice gives */
    struct str space, name;
    struct str found_in; /* the namespace of the one that is meant */
    bool found;
};

static enum status look_for(void *user, const struct responses_tool *tool)
{
    struct wanted *w = user;
    if (w->found || !str_equal(tool->name, w->name) || tool->kind == RESPONSES_TOOL_FOREIGN ||
        (w->space.len > 0 && !str_equal(tool->space, w->space)))
        return OK;
    w->found_in = tool->space;
    w->found = true;
    return OK;
}

static enum status write_one_choice(struct front_reader *x, const struct json_value *fields,
                                    struct json_value choice, struct buf *out)
{
    enum responses_tool_kind kind = responses_tool_kind_of(json_get(choice, "type"));
    char into[RESPONSES_TOOL_NAME_MAX];
    struct wanted w = {.space = json_inside(json_get(choice, "namespace")),
                       .name = json_inside(json_get(choice, "name"))};
    if (kind == RESPONSES_TOOL_FOREIGN)
        return refuse_type(x, choice);
    w.name = responses_tool_called(kind, w.name);
    if (w.name.len == 0)
        return front_bad(x, "tool_choice", "names no function");
    enum status status = responses_tools_each(x, fields, look_for, &w);
    buf_add_c(out, "{\"type\":\"function\",\"function\":{\"name\":\"");
    buf_add(out, responses_tool_name(w.found ? w.found_in : w.space, w.name, into));
    buf_add_c(out, "\"}}");
    return status;
}

/* Allowed tools are the only ones that the model hears of: few servers know chat's own word for it. */
static enum status read_allowed(struct writer *w, struct json_value choice)
{
    struct json_value tools = json_get(choice, "tools"), tool;
    struct json_iter it = json_iter_begin(tools);
    if (tools.type != JSON_ARRAY || json_get(choice, "mode").type != JSON_STRING)
        return front_bad(w->x, "tool_choice", "of allowed tools wants a mode and a list of tools");
    w->allowed = ARENA_ARRAY(w->x->a, ALLOWED_MAX, struct allowed);
    if (!w->allowed)
        return error_set(w->x->err, ERR_MEMORY, "the request needs more memory than one may have");
    while (json_array_next(&it, &tool)) {
        struct json_value type = json_get(tool, "type");
        if (type.type != JSON_STRING)
            return front_bad(w->x, "tool_choice", "allows a tool without a type");
        if (w->allowed_count == ALLOWED_MAX)
            return front_bad(w->x, "tool_choice", "may allow 128 tools at most");
        w->allowed[w->allowed_count++] = (struct allowed){
            type, json_inside(json_get(tool, "namespace")), json_inside(json_get(tool, "name"))};
    }
    return OK;
}

/* There are no tools for the model, and chat refuses a choice among none; this API accepts it. */
static enum status check_none(struct front_reader *x, struct json_value choice)
{
    bool allowed = json_string_equal(json_get(choice, "type"), STR("allowed_tools"));
    struct json_value mode = allowed ? json_get(choice, "mode") : choice;
    if (choice.type == JSON_OBJECT && !allowed &&
        responses_tool_kind_of(json_get(choice, "type")) == RESPONSES_TOOL_FOREIGN)
        return refuse_type(x, choice);
    if ((choice.type != JSON_OBJECT || allowed) && !json_string_equal(mode, STR("required")))
        return OK;
    if (x->dropped.len == 0)
        return front_bad(x, "tool_choice", "wants a tool, but there are none");
    x->param = "tool_choice";
    return error_set(x->err, ERR_UNSUPPORTED, "tool_choice wants a tool, but nobody here runs %.*s",
                     STR_FMT(dropped_text(&x->dropped)));
}

static enum status write_choice(struct writer *w, const struct json_value *fields)
{
    struct json_value choice = fields[RESPONSES_TOOL_CHOICE];
    if (choice.type == JSON_NONE)
        return OK;
    buf_add_c(w->out, ",\"tool_choice\":");
    if (choice.type == JSON_OBJECT && !w->allowed)
        return write_one_choice(w->x, fields, choice, w->out);
    json_write_line(w->out, w->allowed ? json_get(choice, "mode") : choice);
    return OK;
}

enum status responses_tools_write(struct front_reader *x, const struct json_value *fields,
                                  struct buf *out)
{
    struct json_value choice = fields[RESPONSES_TOOL_CHOICE];
    struct writer w = {.x = x, .out = out};
    enum status status = OK;
    if (json_string_equal(json_get(choice, "type"), STR("allowed_tools")))
        status = read_allowed(&w, choice);
    if (status == OK)
        status = responses_tools_each(x, fields, write_tool, &w);
    if (status != OK || w.count == 0)
        return status == OK ? check_none(x, choice) : status;
    buf_add_char(out, ']');
    status = write_choice(&w, fields);
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
