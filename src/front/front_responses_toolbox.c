/* Which function of chat's stands for which tool of the client's: names there, and the way back for answers. Pure
 * functions of text for any thread. A toolbox owns an arena, is made for one answer or stream and freed with it;
 * whoever reads it must keep the request's bytes. Lists are walked and nothing is searched in them but by the toolbox,
 * whose size is bounded, because an answer may have many calls. */
#include "front/front_responses_toolbox.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define NAME_MARK_LEN 9 /* '_' and eight digits */

struct responses_boxed {
    struct responses_tool tool;
    struct str function;
};

/* Kinds and names */

static const struct {
    const char *type;
    enum responses_tool_kind kind;
} kinds[] = {
    {"function", RESPONSES_TOOL_FUNCTION},       {"custom", RESPONSES_TOOL_CUSTOM},
    {"local_shell", RESPONSES_TOOL_LOCAL_SHELL}, {"shell", RESPONSES_TOOL_SHELL},
    {"apply_patch", RESPONSES_TOOL_APPLY_PATCH}, {"tool_search", RESPONSES_TOOL_SEARCH},
};

enum responses_tool_kind responses_tool_kind_of(struct json_value type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (json_string_equal(type, str_from(kinds[i].type)))
            return kinds[i].kind;
    return RESPONSES_TOOL_FOREIGN;
}

struct str responses_tool_called(enum responses_tool_kind kind, struct str name)
{
    for (size_t i = 2; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == kind)
            return str_from(kinds[i].type);
    return name;
}

static char name_byte(char c)
{
    bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    return plain ? c : '_';
}

/* As vendors take names: letters, digits, '_' and '-', 64 at most. */
struct str responses_tool_name(struct str space, struct str name,
                               char into[RESPONSES_TOOL_NAME_MAX])
{
    const struct str parts[] = {space, str_ends(space, STR("__")) ? STR("") : STR("__"), name};
    size_t len = 0;
    if (space.len == 0)
        return name;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < parts[i].len; j++, len++)
            if (len < RESPONSES_TOOL_NAME_MAX)
                into[len] = name_byte(parts[i].ptr[j]);
    if (len > RESPONSES_TOOL_NAME_MAX) {
        char mark[NAME_MARK_LEN + 1];
        snprintf(mark, sizeof(mark), "_%08x", (unsigned)hash64(name, hash64(space, 0)));
        memcpy(into + RESPONSES_TOOL_NAME_MAX - NAME_MARK_LEN, mark, NAME_MARK_LEN);
        len = RESPONSES_TOOL_NAME_MAX;
    }
    return (struct str){into, len};
}

/* Walking through them */

struct walk {
    struct front_reader *x;
    responses_tool_fn *fn;
    void *user;
};

/* A tool that the service runs itself goes by the type of one that clients run. */
static bool runs_elsewhere(enum responses_tool_kind kind, struct json_value definition)
{
    struct json_value environment = json_get(json_get(definition, "environment"), "type");
    if (kind == RESPONSES_TOOL_SHELL)
        return json_is_set(environment) && !json_string_equal(environment, STR("local"));
    return kind == RESPONSES_TOOL_SEARCH &&
           !json_string_equal(json_get(definition, "execution"), STR("client"));
}

static enum status visit(const struct walk *w, struct json_value definition,
                         struct responses_tool tool)
{
    struct json_value name = json_get(definition, "name");
    if (definition.type != JSON_OBJECT)
        return front_bad(w->x, "tools", "must be a list of objects");
    tool.definition = definition;
    tool.type = json_get(definition, "type");
    tool.kind = responses_tool_kind_of(tool.type);
    if (runs_elsewhere(tool.kind, definition))
        tool.kind = RESPONSES_TOOL_FOREIGN;
    if (tool.kind <= RESPONSES_TOOL_CUSTOM) {
        if (json_inside(name).len == 0)
            return front_bad(w->x, "tools", "has a function without a name");
        tool.name = json_inside(name);
    } else if (tool.kind != RESPONSES_TOOL_FOREIGN) {
        tool.name = responses_tool_called(tool.kind, STR(""));
        tool.space = STR("");
    }
    return w->fn(w->user, &tool);
}

static enum status visit_namespace(const struct walk *w, struct json_value space)
{
    struct json_iter it = json_iter_begin(json_get(space, "tools"));
    struct responses_tool tool = {.space = json_inside(json_get(space, "name")),
                                  .space_description = json_get(space, "description"),
                                  .space_begins = true};
    struct json_value item;
    enum status status = OK;
    if (tool.space.len == 0)
        return front_bad(w->x, "tools", "has a namespace without a name");
    while (status == OK && json_array_next(&it, &item)) {
        status = visit(w, item, tool);
        tool.space_begins = false;
    }
    return status;
}

static enum status visit_list(const struct walk *w, struct json_value tools)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value item;
    enum status status = OK;
    while (status == OK && tools.type == JSON_ARRAY && json_array_next(&it, &item)) {
        if (json_string_equal(json_get(item, "type"), STR("namespace")))
            status = visit_namespace(w, item);
        else
            status = visit(w, item, (struct responses_tool){0});
    }
    return status;
}

/* The names are searched for in the bytes first: hardly any input has such items. */
static enum status visit_input(const struct walk *w, struct json_value input)
{
    struct json_iter it = json_iter_begin(input);
    struct json_value item;
    enum status status = OK;
    if (input.type != JSON_ARRAY || (str_find(input.raw, STR("additional_tools"), 0) == SIZE_MAX &&
                                     str_find(input.raw, STR("tool_search_output"), 0) == SIZE_MAX))
        return OK;
    while (status == OK && json_array_next(&it, &item)) {
        struct json_value type = json_get(item, "type");
        if (json_string_equal(type, STR("additional_tools")) ||
            json_string_equal(type, STR("tool_search_output")))
            status = visit_list(w, json_get(item, "tools"));
    }
    return status;
}

enum status responses_tools_each(struct front_reader *x, const struct json_value *fields,
                                 responses_tool_fn *fn, void *user)
{
    const struct walk w = {x, fn, user};
    enum status status = visit_list(&w, fields[RESPONSES_TOOLS]);
    return status == OK ? visit_input(&w, fields[RESPONSES_INPUT]) : status;
}

/* The way back */

static bool is_boxed(const struct responses_tool *tool)
{
    return tool->kind != RESPONSES_TOOL_FOREIGN &&
           (tool->kind != RESPONSES_TOOL_FUNCTION || tool->space.len > 0);
}

static enum status count_one(void *user, const struct responses_tool *tool)
{
    struct responses_toolbox *box = user;
    box->count += is_boxed(tool);
    return OK;
}

static enum status box_one(void *user, const struct responses_tool *tool)
{
    struct responses_toolbox *box = user;
    char into[RESPONSES_TOOL_NAME_MAX];
    if (!is_boxed(tool) || box->count == RESPONSES_TOOLS_MAX)
        return OK;
    struct str function = responses_tool_name(tool->space, tool->name, into);
    if (tool->space.len > 0)
        function = arena_copy(box->a, function);
    if (!function.ptr)
        return ERR_MEMORY;
    box->tools[box->count++] = (struct responses_boxed){*tool, function};
    return OK;
}

enum status responses_toolbox_read(const struct json_value *fields, struct responses_toolbox *ret,
                                   struct error *err)
{
    struct front_reader x = {.err = err};
    struct responses_toolbox box = {0};
    *ret = box;
    enum status status = responses_tools_each(&x, fields, count_one, &box);
    if (status != OK || box.count == 0)
        return OK;
    size_t count = box.count < RESPONSES_TOOLS_MAX ? box.count : RESPONSES_TOOLS_MAX;
    box = (struct responses_toolbox){.a = arena_create(RESPONSES_TOOLBOX_BYTES_MAX)};
    box.tools = box.a ? ARENA_ARRAY(box.a, count, struct responses_boxed) : NULL;
    status = box.tools ? responses_tools_each(&x, fields, box_one, &box) : ERR_MEMORY;
    if (status == OK)
        *ret = box;
    else
        arena_free(box.a);
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory for the tools");
}

void responses_toolbox_free(struct responses_toolbox *box)
{
    arena_free(box->a);
    *box = (struct responses_toolbox){0};
}

const struct responses_tool *responses_toolbox_find(const struct responses_toolbox *box,
                                                    struct str function)
{
    for (size_t i = 0; i < box->count; i++)
        if (str_equal(box->tools[i].function, function))
            return &box->tools[i].tool;
    return NULL;
}
