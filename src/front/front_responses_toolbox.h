/* Private to front_responses*.c: what the client's tools are to an expert. Experts know functions with an object of
 * arguments, so each tool that the client runs itself becomes one:
 *
 *     function                  itself
 *     custom                    a function with one text, `input`; its grammar stands in the description
 *     namespace                 each of its tools, by the name SPACE__NAME
 *     local_shell, shell        functions of that name, whose arguments are the call's `action`
 *     apply_patch               the same with `operation`
 *     tool_search               a function of that name, where the client searches
 *
 * Calls are told to the client as calls of its own tools. What a tool is called inside depends on nothing but the tool,
 * so that the history of a conversation and its answers agree without memory. */
#pragma once

#include "front/front_responses_int.h"

#define RESPONSES_TOOLS_MAX         1024 /* that are no plain functions */
#define RESPONSES_TOOL_NAME_MAX     64   /* of a function; longer ones are cut and made distinct */
#define RESPONSES_TOOLBOX_BYTES_MAX (512u << 10)

enum responses_tool_kind {
    RESPONSES_TOOL_FUNCTION,
    RESPONSES_TOOL_CUSTOM,
    RESPONSES_TOOL_LOCAL_SHELL,
    RESPONSES_TOOL_SHELL,
    RESPONSES_TOOL_APPLY_PATCH,
    RESPONSES_TOOL_SEARCH,
    RESPONSES_TOOL_FOREIGN, /* nobody here runs it: web_search, code_interpreter, ... */
};

struct responses_tool {
    enum responses_tool_kind kind;
    struct json_value type;
    struct str space,
        name; /* insides of JSON strings; space may be empty, and name where it goes by its type */
    struct json_value definition, space_description;
    bool space_begins; /* the first of its namespace */
};

/* The type's name, as tool_choice has it, too: "custom". RESPONSES_TOOL_FOREIGN: any other. */
enum responses_tool_kind responses_tool_kind_of(struct json_value type);
/* What the function is called inside: the inside of a JSON string, written into `into`, or `name` itself. */
struct str responses_tool_name(struct str space, struct str name,
                               char into[RESPONSES_TOOL_NAME_MAX]);
/* The name of tools that go by their type ("shell"), or else `name`. */
struct str responses_tool_called(enum responses_tool_kind kind, struct str name);

typedef enum status responses_tool_fn(void *user, const struct responses_tool *tool);
/* All tools of a request: those of `tools`, of its namespaces, and those that the input brings (additional_tools,
 * tool_search_output). Ends with the first status that is not OK, which it returns. ERR_INPUT: what is no tool. */
NODISCARD enum status responses_tools_each(struct front_reader *x, const struct json_value *fields,
                                           responses_tool_fn *fn, void *user);

/* The tools of a request that answers must be turned back into. */
struct responses_toolbox {
    struct arena *a; /* its own; NULL: there are none */
    size_t count;
    struct responses_boxed *tools;
};

/* Empty for a request that is refused. ERR_MEMORY. */
NODISCARD enum status responses_toolbox_read(const struct json_value *fields,
                                             struct responses_toolbox *ret, struct error *err);
void responses_toolbox_free(struct responses_toolbox *box);
/* NULL: a function that the client calls so, too. */
const struct responses_tool *responses_toolbox_find(const struct responses_toolbox *box,
                                                    struct str function);

/* Calls: the arguments of the function (the inside of a JSON string) and the call's own content. */

/* What a call of this tool holds, for the client: of `custom` its input (the inside of a JSON string), of others the
 * object of its action, operation or arguments. False: they are not what the tool takes, and the client hears of a
 * function. The result lives in `out`. */
bool responses_call_content(enum responses_tool_kind kind, struct str arguments, struct buf *out);
/* Whether a call is told whole at its end, because its arguments are not what the client is given. */
bool responses_call_is_held(const struct responses_item *item);
/* A call that is over: fills item->content, or makes it the call of a function where its arguments are not what the
 * tool takes. `content` holds the bytes. */
void responses_call_end(struct responses_item *item, struct buf *content);
/* Of an item of the input, the arguments as a JSON string. ERR_INPUT: it lacks its content. */
NODISCARD enum status responses_call_arguments(struct front_reader *x,
                                               enum responses_tool_kind kind,
                                               struct json_value item, struct buf *out);
