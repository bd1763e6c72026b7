/* Tools, in the form that Hermes and Qwen were taught: the system message lists them as JSON within <tools>, the
 * model calls one by <tool_call>{"name": ..., "arguments": {...}}</tool_call>, and reads what came of it within
 * <tool_response>. A grammar made of the tools' schemas holds the calls to it, from the first token where a call is
 * demanded, else from the moment when the model has begun one. Private to the reading of requests. */
#include <string.h>

#include "infer/infer_request_int.h"
#include "infer/schema_grammar.h"

#define TOOL_TEXT_BYTES_MAX (4u << 20)

static enum status add_function(struct request_reader *x, struct request_tools *t,
                                struct json_value tool)
{
    struct json_value function = json_get(tool, "function");
    if (!json_string_equal(json_get(tool, "type"), STR("function")) ||
        json_get(function, "name").type != JSON_STRING)
        return request_fail(x, ERR_UNSUPPORTED, "may hold functions with a name only");
    if (t->count == INFER_TOOLS_MAX)
        return request_fail(x, ERR_TOO_LARGE, "holds too many functions");
    t->functions[t->count++] = function;
    return OK;
}

/* Of all functions only the one that is named may be called. */
static enum status choose_named(struct request_reader *x, struct request_tools *t,
                                struct json_value choice)
{
    struct json_value name = json_get(json_get(choice, "function"), "name");
    struct str text;
    if (!json_string_equal(json_get(choice, "type"), STR("function")) || name.type != JSON_STRING)
        return request_fail(x, ERR_UNSUPPORTED,
                            "must be none, auto, required or the name of a function");
    if (json_string_decode(name, x->arena, &text) != OK)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    for (size_t i = 0; i < t->count; i++)
        if (json_string_equal(json_get(t->functions[i], "name"), text)) {
            t->functions[0] = t->functions[i];
            t->count = 1;
            t->choice = REQUEST_TOOLS_REQUIRED;
            return OK;
        }
    return request_fail(x, ERR_INPUT, "names a function that is not among the tools");
}

static enum status read_choice(struct request_reader *x, struct request_tools *t)
{
    struct json_value choice = json_get(x->root, "tool_choice");
    x->param = "tool_choice";
    t->choice = t->count > 0 ? REQUEST_TOOLS_AUTO : REQUEST_TOOLS_NONE;
    if (!json_is_set(choice) || json_string_equal(choice, STR("auto")))
        return OK;
    if (json_string_equal(choice, STR("none"))) {
        t->choice = REQUEST_TOOLS_NONE;
        return OK;
    }
    if (t->count == 0)
        return request_fail(x, ERR_INPUT, "demands a call, but there are no tools");
    if (choice.type == JSON_OBJECT)
        return choose_named(x, t, choice);
    if (!json_string_equal(choice, STR("required")))
        return request_fail(x, ERR_UNSUPPORTED,
                            "must be none, auto, required or the name of a function");
    t->choice = REQUEST_TOOLS_REQUIRED;
    return OK;
}

enum status request_read_tools(struct request_reader *x, struct request_tools *ret)
{
    struct json_value list = json_get(x->root, "tools"), tool;
    struct json_iter it = json_iter_begin(list);
    enum status status = OK;
    x->param = "tools";
    if (json_is_set(list) && list.type != JSON_ARRAY)
        return request_fail(x, ERR_INPUT, "must be a list");
    while (status == OK && json_array_next(&it, &tool))
        status = add_function(x, ret, tool);
    if (status != OK)
        return status;
    if (ret->count > 0)
        ret->all = list;
    ret->once = json_get(x->root, "parallel_tool_calls").type == JSON_FALSE;
    return read_choice(x, ret);
}

/* Texts */

void request_write_tools(const struct request_tools *t, struct buf *out)
{
    struct json_iter it = json_iter_begin(t->all);
    struct json_value tool;
    buf_add_c(out, "# Tools\n\nYou may call one or more functions to assist with the user query.\n"
                   "\nYou are provided with function signatures within <tools></tools> XML tags:\n"
                   "<tools>");
    while (json_array_next(&it, &tool)) {
        buf_add_char(out, '\n');
        json_write_line(out, tool);
    }
    buf_add_c(
        out, "\n</tools>\n\nFor each function call, return a json object with function name "
             "and arguments within " INFER_CALL_BEGIN INFER_CALL_END " XML tags:\n" INFER_CALL_BEGIN
             "\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n" INFER_CALL_END);
}

/* Arguments are a text that holds JSON; what holds none is shown as the text that it is. */
static enum status write_arguments(struct request_reader *x, struct json_value arguments,
                                   struct buf *out)
{
    struct json_value parsed;
    struct error ignored;
    struct str text;
    if (arguments.type != JSON_STRING) {
        json_write_line(out, arguments);
        return OK;
    }
    if (json_string_decode(arguments, x->arena, &text) != OK)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    if (text.len > 0 && json_parse(text, "arguments", 1, &parsed, &ignored) == OK)
        json_write_line(out, parsed);
    else
        buf_add(out, text.len ? arguments.raw : STR("{}"));
    return OK;
}

enum status request_write_calls(struct request_reader *x, struct json_value calls, struct buf *out)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    enum status status = OK;
    while (status == OK && json_array_next(&it, &call)) {
        struct json_value function = json_get(call, "function");
        if (json_get(function, "name").type != JSON_STRING)
            return request_fail(x, ERR_INPUT, "hold a tool call without a function's name");
        buf_add_c(out, out->len ? "\n" INFER_CALL_BEGIN "\n{\"name\": "
                                : INFER_CALL_BEGIN "\n{\"name\": ");
        buf_add(out, json_get(function, "name").raw);
        buf_add_c(out, ", \"arguments\": ");
        status = write_arguments(x, json_get(function, "arguments"), out);
        buf_add_c(out, "}\n" INFER_CALL_END);
    }
    return status;
}

void request_write_result(struct str text, struct buf *out)
{
    if (out->len)
        buf_add_char(out, '\n');
    buf_addf(out, "<tool_response>\n%.*s\n</tool_response>", STR_FMT(text));
}

/* Grammars */

/* "call": what stands behind INFER_CALL_BEGIN, up to the end of that call. */
static enum status add_calls(struct request_reader *x, const struct request_tools *t,
                             struct schema_grammar *g)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < t->count; i++) {
        struct json_value name = json_get(t->functions[i], "name"),
                          parameters = json_get(t->functions[i], "parameters");
        const char *rule = arena_printf(x->arena, "arguments-%zu", i);
        const char *place =
            arena_printf(x->arena, "tools: %.*s: parameters",
                         (int)(name.raw.len < 100 ? name.raw.len : 100), name.raw.ptr);
        if (!rule || !place)
            return error_set(x->err, ERR_MEMORY, "out of memory for a request");
        if (json_is_set(parameters))
            status = schema_grammar_add(g, rule, parameters, place, x->err);
        else
            buf_addf(g->out, "%s ::= object\n", rule);
        buf_addf(g->out, "call-%zu ::= \"\\n{\\\"name\\\": \" ", i);
        schema_literal_write(g->out, name.raw);
        buf_addf(g->out, " \", \\\"arguments\\\": \" %s \"}\\n" INFER_CALL_END "\"\n", rule);
    }
    buf_add_c(g->out, "call ::= ");
    for (size_t i = 0; i < t->count; i++)
        buf_addf(g->out, "%scall-%zu", i ? " | " : "", i);
    buf_addf(g->out, "\ncalls ::= call (\"\\n" INFER_CALL_BEGIN "\" call){0,%d}\n",
             t->once ? 0 : INFER_CALLS_MAX - 1);
    return status;
}

/* The rule "format" of response_format, if it asks for one. */
static enum status add_format(struct request_reader *x, struct schema_grammar *g, bool *ret)
{
    struct json_value format = json_get(x->root, "response_format"),
                      type = json_get(format, "type");
    x->param = "response_format";
    if (!json_is_set(format) || json_string_equal(type, STR("text")))
        return OK;
    *ret = true;
    if (json_string_equal(type, STR("json_object"))) {
        buf_add_c(g->out, "format ::= object\n");
        return OK;
    }
    if (!json_string_equal(type, STR("json_schema")))
        return request_fail(x, ERR_UNSUPPORTED, "must be text, json_object or json_schema");
    struct json_value schema = json_get(json_get(format, "json_schema"), "schema");
    if (schema.type != JSON_OBJECT)
        return request_fail(x, ERR_INPUT, "needs json_schema.schema, an object");
    return schema_grammar_add(g, "format", schema, "response_format: schema", x->err);
}

/* With the rule "root" in front, of which llama.cpp begins. */
static enum status keep_with_root(struct request_reader *x, const char *root,
                                  const struct buf *rules, const char **ret)
{
    struct buf whole;
    buf_init(&whole, SCHEMA_TEXT_BYTES_MAX * 2);
    buf_addf(&whole, "root ::= %s\n", root);
    buf_add(&whole, buf_str(rules));
    enum status status = request_keep(x, &whole, ret);
    buf_done(&whole);
    return status;
}

/* One piece: which of the two grammars there are hangs on tools, their choice and the format together. */
enum status request_read_form(struct request_reader *x, const struct request_tools *t)
{
    struct schema_grammar g;
    struct buf rules;
    bool format = false, calls = t->choice != REQUEST_TOOLS_NONE;
    buf_init(&rules, SCHEMA_TEXT_BYTES_MAX);
    schema_grammar_begin(&g, x->arena, &rules);
    enum status status = OK;
    if (calls) {
        x->param = "tools";
        status = add_calls(x, t, &g);
    }
    if (status == OK && t->choice != REQUEST_TOOLS_REQUIRED)
        status = add_format(x, &g, &format);
    schema_grammar_end(&g);
    if (status == OK)
        status = buf_status(&rules, x->err);
    if (status == OK && calls)
        status = keep_with_root(x, "calls", &rules, &x->r->calls_grammar);
    if (status == OK && t->choice == REQUEST_TOOLS_REQUIRED)
        status = keep_with_root(x, "\"" INFER_CALL_BEGIN "\" calls", &rules, &x->r->grammar);
    else if (status == OK && format)
        status = keep_with_root(x, calls ? "format | \"" INFER_CALL_BEGIN "\" calls" : "format",
                                &rules, &x->r->grammar);
    buf_done(&rules);
    return status;
}
