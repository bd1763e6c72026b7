/* What a call says, between the form that its tool has for the client and the arguments of the function that stands for
 * the tool inside. Models hardly ever give a function other arguments than it asks for, but where they do the client
 * must hear of it: free text is taken as it is, and a command or patch that cannot be read is told as the call of a
 * function, which the client refuses by itself. Pure functions of text for any thread; nothing is kept. */
#include "front/front_responses_toolbox.h"

#include <ctype.h>
#include <string.h>

#define SPARE_BYTES (64u << 10)

/* Of the answer */

/* The first text of an object; JSON_NONE where another member is there, too. */
static struct json_value only_text(struct json_value object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item, more;
    if (object.type != JSON_OBJECT || !json_object_next(&it, &key, &item) ||
        json_object_next(&it, &key, &more) || item.type != JSON_STRING)
        return (struct json_value){0};
    return item;
}

/* What stands behind `{"input":"`, up to the quote in front of the last brace, or to the end of what was cut off.
 * No text at all, ptr is NULL: it begins otherwise. */
static struct str find_input(struct str text)
{
    static const struct str steps[] = {STR_INIT("{"), STR_INIT("\"input\""), STR_INIT(":"),
                                       STR_INIT("\"")};
    text = str_trim(text);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (!str_starts(text, steps[i]))
            return (struct str){0};
        text = str_slice(text, steps[i].len, text.len);
        if (i + 1 < sizeof(steps) / sizeof(steps[0]))
            text = str_trim(text);
    }
    struct str whole = str_trim(text);
    if (str_ends(whole, STR("}")))
        whole = str_trim(str_slice(whole, 0, whole.len - 1));
    return str_ends(whole, STR("\"")) ? str_slice(whole, 0, whole.len - 1) : text;
}

/* The length of a whole escape at the begin of `s`; 0: none. */
static size_t escape_length(struct str s)
{
    static const char plain[] = "\"\\/bfnrt";
    if (s.len < 2 || s.ptr[0] != '\\')
        return 0;
    if (s.ptr[1] != 'u')
        return memchr(plain, s.ptr[1], sizeof(plain) - 1) ? 2 : 0;
    for (size_t i = 2; i < 6; i++)
        if (i >= s.len || !isxdigit((unsigned char)s.ptr[i]))
            return 0;
    return 6;
}

/* As the inside of a JSON string, whatever the model forgot to escape. */
static void write_loosely(struct str inside, struct buf *out)
{
    while (inside.len > 0) {
        size_t len = escape_length(inside);
        unsigned char c = (unsigned char)inside.ptr[0];
        if (len > 0)
            buf_add(out, str_slice(inside, 0, len));
        else if (c == '\n')
            buf_add_c(out, "\\n");
        else if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < 0x20)
            buf_addf(out, "\\u%04x", c);
        else
            buf_add_char(out, (char)c);
        inside = str_slice(inside, len > 0 ? len : 1, inside.len);
    }
}

/* Models that write a long text into JSON forget to escape it, and some are cut off; else it is taken as it is. */
static bool write_input(struct json_value root, struct str arguments, struct str text,
                        struct buf *out)
{
    struct json_value input = json_get(root, "input");
    struct str loose = root.type == JSON_NONE ? find_input(text) : (struct str){0};
    if (input.type != JSON_STRING)
        input = root.type == JSON_STRING ? root : only_text(root);
    if (loose.ptr)
        write_loosely(loose, out);
    else
        buf_add(out, input.type == JSON_STRING ? json_inside(input) : arguments);
    return true;
}

/* A command in one text is what a shell is given. */
static bool write_local_shell(struct json_value root, struct buf *out)
{
    static const char *const others[] = {"timeout_ms", "user", "working_directory"};
    struct json_value command = json_get(root, "command");
    if (command.type != JSON_ARRAY && command.type != JSON_STRING)
        return false;
    buf_add_c(out, "{\"type\":\"exec\",\"command\":");
    buf_add_c(out, command.type == JSON_STRING ? "[\"bash\",\"-lc\"," : "");
    json_write_line(out, command);
    buf_add_c(out, command.type == JSON_STRING ? "]" : "");
    front_write_or(out, "env", json_get(root, "env"), "{}");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (json_is_set(json_get(root, others[i])))
            front_write_member(out, others[i], json_get(root, others[i]));
    buf_add_char(out, '}');
    return true;
}

static bool write_shell(struct json_value root, struct buf *out)
{
    struct json_value commands = json_get(root, "commands");
    if (!json_is_set(commands))
        commands = json_get(root, "command");
    if (commands.type != JSON_ARRAY && commands.type != JSON_STRING)
        return false;
    buf_add_c(out, commands.type == JSON_STRING ? "{\"commands\":[" : "{\"commands\":");
    json_write_line(out, commands);
    buf_add_c(out, commands.type == JSON_STRING ? "]" : "");
    front_write_or(out, "timeout_ms", json_get(root, "timeout_ms"), "null");
    front_write_or(out, "max_output_length", json_get(root, "max_output_length"), "null");
    buf_add_char(out, '}');
    return true;
}

static bool write_operation(struct json_value root, struct buf *out)
{
    struct json_value operation = json_get(root, "operation");
    if (operation.type != JSON_OBJECT)
        operation = root;
    if (json_get(operation, "type").type != JSON_STRING ||
        json_get(operation, "path").type != JSON_STRING)
        return false;
    json_write_line(out, operation);
    return true;
}

static bool write_content(enum responses_tool_kind kind, struct json_value root,
                          struct str arguments, struct str text, struct buf *out)
{
    switch (kind) {
    case RESPONSES_TOOL_CUSTOM:
        return write_input(root, arguments, text, out);
    case RESPONSES_TOOL_LOCAL_SHELL:
        return write_local_shell(root, out);
    case RESPONSES_TOOL_SHELL:
        return write_shell(root, out);
    case RESPONSES_TOOL_APPLY_PATCH:
        return write_operation(root, out);
    case RESPONSES_TOOL_SEARCH:
        if (root.type == JSON_OBJECT)
            json_write_line(out, root);
        return root.type == JSON_OBJECT;
    default:
        return false;
    }
}

bool responses_call_content(enum responses_tool_kind kind, struct str arguments, struct buf *out)
{
    struct json_value root = {0};
    struct str text = {0};
    struct buf quoted;
    struct arena *a = arena_create(arguments.len + SPARE_BYTES);
    buf_init(&quoted, arguments.len + 3);
    buf_add_char(&quoted, '"');
    buf_add(&quoted, arguments);
    buf_add_char(&quoted, '"');
    const struct json_value string = {JSON_STRING, buf_str(&quoted)};
    if (!a || quoted.status != OK || json_string_decode(string, a, &text) != OK)
        out->status = ERR_MEMORY;
    else if (json_parse(text, "arguments", 1, &root, NULL) != OK)
        root = (struct json_value){0};
    bool said = write_content(kind, root, arguments, text, out);
    buf_done(&quoted);
    arena_free(a);
    return said;
}

bool responses_call_is_held(const struct responses_item *item)
{
    return item->kind == RESPONSES_CALL && item->tool &&
           item->tool->kind != RESPONSES_TOOL_FUNCTION;
}

void responses_call_end(struct responses_item *item, struct buf *content)
{
    if (!responses_call_is_held(item))
        return;
    buf_clear(content);
    if (responses_call_content(item->tool->kind, item->text, content))
        item->content = buf_str(content);
    else
        item->tool = NULL;
}

/* Of the history */

static enum status lacking(struct front_reader *x, struct json_value item, const char *member)
{
    struct str type = str_slice(json_inside(json_get(item, "type")), 0, FRONT_PARAM_BYTES_MAX);
    x->param = "input";
    return error_set(x->err, ERR_INPUT, "input has an item of type \"%.*s\" without its %s",
                     STR_FMT(type), member);
}

/* One piece: a table of what holds a call's content, and what stands around it. */
enum status responses_call_arguments(struct front_reader *x, enum responses_tool_kind kind,
                                     struct json_value item, struct buf *out)
{
    static const struct {
        const char *member;
        enum json_type type;
        const char *begin, *end;
    } forms[] = {
        [RESPONSES_TOOL_FUNCTION] = {"arguments", JSON_STRING, NULL, NULL},
        [RESPONSES_TOOL_CUSTOM] = {"input", JSON_STRING, "{\"input\":", "}"},
        [RESPONSES_TOOL_LOCAL_SHELL] = {"action", JSON_OBJECT, "", ""},
        [RESPONSES_TOOL_SHELL] = {"action", JSON_OBJECT, "", ""},
        [RESPONSES_TOOL_APPLY_PATCH] = {"operation", JSON_OBJECT, "{\"operation\":", "}"},
        [RESPONSES_TOOL_SEARCH] = {"arguments", JSON_OBJECT, "", ""},
    };
    struct json_value content = json_get(item, forms[kind].member);
    struct buf plain;
    if (content.type == JSON_STRING && (!forms[kind].begin || kind == RESPONSES_TOOL_SEARCH)) {
        buf_add(out, content.raw);
        return OK;
    }
    if (content.type != forms[kind].type)
        return lacking(x, item, forms[kind].member);
    buf_init(&plain, content.raw.len + FRONT_PARAM_BYTES_MAX);
    buf_add_c(&plain, forms[kind].begin);
    json_write_line(&plain, content);
    buf_add_c(&plain, forms[kind].end);
    json_write_string(out, buf_str(&plain));
    if (plain.status != OK)
        out->status = plain.status;
    buf_done(&plain);
    return OK;
}
