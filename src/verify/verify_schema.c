/* The schemas that a request brings as a check: its response_format for what is answered in words, its tools for the
 * calls of them. Pure; nothing is mended or read around, because the client's program will not do so either.
 *
 * A schema with a keyword that is not understood (judge/schema.h) makes the check down, by that keyword's name: an
 * answer is never passed by a schema of which a part was not looked at. */
#include <stdio.h>

#include "judge/schema.h"
#include "verify/verify_int.h"

#define SCHEMA_ARENA_BYTES ((size_t)16 << 20)
#define TOLD_BYTES         80 /* of a tool's name */

/* The schema of response_format; JSON_NONE: it has none. */
static struct json_value answer_schema(struct json_value request)
{
    return json_get(json_get(json_get(request, "response_format"), "json_schema"), "schema");
}

static bool wants(struct json_value request, const char *format)
{
    return json_string_equal(json_get(json_get(request, "response_format"), "type"),
                             str_from(format));
}

bool verify_schema_applies(struct json_value request, const char **ret_why)
{
    bool applies = wants(request, "json_schema") || wants(request, "json_object") ||
                   json_is_filled(json_get(request, "tools"));
    if (!applies && ret_why)
        *ret_why = "the request has neither a response_format of JSON nor tools";
    return applies;
}

/* True: it is valid, and nothing is said. `what` names the value in what is said otherwise. */
static bool holds(struct json_value schema, struct json_value value, const char *what,
                  struct arena *arena, struct verify_end *ret)
{
    struct error err = {0};
    bool valid = false;
    enum status status = schema_read(schema, &err);
    if (status == OK)
        status = schema_valid(schema, value, arena, &valid, &err);
    if (status != OK)
        verify_say(ret, VERIFY_DOWN, str_from(err.text));
    else if (!valid)
        verify_sayf(ret, VERIFY_REJECT, "%s: not as its schema says", what);
    return status == OK && valid;
}

/* Words */

static void check_answer(const struct verify_input *input, struct arena *arena,
                         struct verify_end *ret)
{
    const struct json_value schema = answer_schema(input->request);
    struct json_value value;
    struct error err = {0};
    if (json_parse(input->answer, "the answer", 1, &value, &err) != OK) {
        verify_say(ret, VERIFY_REJECT, str_from(err.text));
        return;
    }
    if (wants(input->request, "json_object") && value.type != JSON_OBJECT)
        verify_say(ret, VERIFY_REJECT, STR("the answer is no JSON object"));
    else if (!json_is_set(schema) || holds(schema, value, "the answer", arena, ret))
        verify_say(ret, VERIFY_PASS, STR(""));
}

/* Calls */

/* The function, or the tool of another kind, that is called so; JSON_NONE: there is none. */
static struct json_value find_tool(struct json_value tools, struct str name)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    while (json_array_next(&it, &tool)) {
        const struct json_value function = json_get(tool, "function");
        const struct json_value custom = json_get(tool, "custom");
        if (json_string_equal(json_get(function, "name"), name))
            return function;
        if (json_string_equal(json_get(custom, "name"), name))
            return custom;
    }
    return (struct json_value){JSON_NONE, STR("")};
}

/* Of a call's function: its arguments are a text that holds an object. */
static bool check_arguments(struct json_value tool, struct json_value arguments, const char *what,
                            struct arena *arena, struct verify_end *ret)
{
    const struct json_value schema = json_get(tool, "parameters");
    struct json_value value;
    struct str text;
    if (json_string_decode(arguments, arena, &text) != OK ||
        json_parse(text, "arguments", 1, &value, NULL) != OK || value.type != JSON_OBJECT) {
        verify_sayf(ret, VERIFY_REJECT, "%s: no JSON object", what);
        return false;
    }
    return !json_is_set(schema) || holds(schema, value, what, arena, ret);
}

static bool check_call(struct json_value tools, struct json_value call, struct arena *arena,
                       struct verify_end *ret)
{
    const struct json_value function = json_get(call, "function");
    const bool is_custom = function.type == JSON_NONE;
    struct str name = STR("");
    char what[TOLD_BYTES + 40], told[TOLD_BYTES];
    enum status status = json_string_decode(
        json_get(is_custom ? json_get(call, "custom") : function, "name"), arena, &name);
    utf8_make_printable(told, sizeof(told), name);
    const struct json_value tool = find_tool(tools, name);
    if (status != OK || tool.type != JSON_OBJECT) {
        verify_sayf(ret, VERIFY_REJECT, "the request has no tool called '%s'", told);
        return false;
    }
    if (is_custom)
        return true; /* its input is any text */
    snprintf(what, sizeof(what), "arguments of %s", told);
    return check_arguments(tool, json_get(function, "arguments"), what, arena, ret);
}

static void check_calls(const struct verify_input *input, struct arena *arena,
                        struct verify_end *ret)
{
    const struct json_value tools = json_get(input->request, "tools");
    struct json_iter it = json_iter_begin(input->tool_calls);
    struct json_value call;
    bool fine = true;
    while (fine && json_array_next(&it, &call))
        fine = check_call(tools, call, arena, ret);
    if (fine)
        verify_say(ret, VERIFY_PASS, STR(""));
}

/* Where a call is demanded, words alone are none. */
static bool demands_call(struct json_value request)
{
    const struct json_value choice = json_get(request, "tool_choice");
    return choice.type == JSON_OBJECT || json_string_equal(choice, STR("required"));
}

void verify_schema(const struct verify_input *input, struct verify_end *ret)
{
    const char *why = "";
    struct arena *arena = arena_create(SCHEMA_ARENA_BYTES + 2 * input->tool_calls.raw.len);
    if (!arena)
        verify_say(ret, VERIFY_DOWN, STR("out of memory"));
    else if (!verify_schema_applies(input->request, &why))
        verify_say(ret, VERIFY_DOWN, str_from(why));
    else if (json_is_filled(input->tool_calls))
        check_calls(input, arena, ret);
    else if (demands_call(input->request))
        verify_say(ret, VERIFY_REJECT, STR("a call of a tool was demanded, and there is none"));
    else if (wants(input->request, "json_schema") || wants(input->request, "json_object"))
        check_answer(input, arena, ret);
    else
        verify_say(ret, VERIFY_PASS, STR("no tool was called"));
    arena_free(arena);
}
