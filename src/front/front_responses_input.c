/* The items of a request's input as chat messages. What an assistant said and the calls it made until their outputs
 * come are one message in chat, so they are gathered; calls of all the client's tools are calls of functions
 * (front_responses_toolbox.h). Pure functions of text for any thread, called by front_responses_request.c alone. An
 * assistant's message stays open until an item comes that does not belong to it, so every other message must be begun
 * with begin_message, which writes it. */
#include <string.h>

#include "base/check.h"
#include "front/front_responses_thought.h"
#include "front/front_responses_toolbox.h"

#define NO_OUTPUT "(no output: the call was interrupted)"

#define WAITING_MAX 64 /* calls of one turn that are looked after */

struct writer {
    struct front_reader *x;
    struct buf *out;
    bool first; /* no message yet */
    /* What the assistant says in one turn, until somebody else speaks. */
    bool open, has_content;
    bool content_first;                     /* it came before the calls */
    struct buf content, calls;              /* a JSON value; items of a list */
    struct json_value waiting[WAITING_MAX]; /* ids of calls whose output has not come */
    size_t waiting_count;
    /* For the message that is open, or the next; forgotten where somebody else speaks. */
    struct responses_thought thought;
};

/* Content */

enum part { PART_TEXT, PART_REFUSAL, PART_IMAGE, PART_FILE, PART_AUDIO, PART_OTHER };

static enum part part_of(struct json_value part)
{
    static const struct {
        const char *type;
        enum part part;
    } known[] = {{"input_text", PART_TEXT},  {"output_text", PART_TEXT},  {"text", PART_TEXT},
                 {"refusal", PART_REFUSAL},  {"input_image", PART_IMAGE}, {"input_file", PART_FILE},
                 {"input_audio", PART_AUDIO}};
    struct json_value type = json_get(part, "type");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (json_string_equal(type, str_from(known[i].type)))
            return known[i].part;
    return PART_OTHER;
}

static enum status write_image(struct writer *w, struct json_value part, struct buf *out)
{
    struct json_value url = json_get(part, "image_url");
    if (json_is_set(json_get(part, "file_id")))
        return front_refuse(w->x, "input",
                            "holds an image by file_id, which is not offered; send an image_url");
    if (url.type != JSON_STRING)
        return front_bad(w->x, "input", "holds an image without an image_url");
    buf_addf(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
    buf_add(out, url.raw);
    if (json_is_set(json_get(part, "detail")))
        front_write_member(out, "detail", json_get(part, "detail"));
    buf_add_c(out, "}}");
    return OK;
}

static enum status write_file(struct writer *w, struct json_value part, struct buf *out)
{
    static const char *const names[] = {"file_data", "file_id", "filename"};
    bool first = true;
    if (json_is_set(json_get(part, "file_url")))
        return front_refuse(w->x, "input",
                            "holds a file by file_url, which is not offered; send its file_data");
    buf_add_c(out, "{\"type\":\"file\",\"file\":{");
    for (size_t i = 0; i < 3; i++) {
        struct json_value value = json_get(part, names[i]);
        if (!json_is_set(value))
            continue;
        buf_addf(out, "%s\"%s\":", first ? "" : ",", names[i]);
        json_write_line(out, value);
        first = false;
    }
    buf_add_c(out, "}}");
    return OK;
}

static enum status write_part(struct writer *w, struct json_value part, struct buf *out)
{
    switch (part_of(part)) {
    case PART_TEXT:
        buf_add_c(out, "{\"type\":\"text\",\"text\":\"");
        buf_add(out, json_inside(json_get(part, "text")));
        buf_add_c(out, "\"}");
        return OK;
    case PART_REFUSAL:
        buf_add_c(out, "{\"type\":\"refusal\",\"refusal\":\"");
        buf_add(out, json_inside(json_get(part, "refusal")));
        buf_add_c(out, "\"}");
        return OK;
    case PART_IMAGE:
        return write_image(w, part, out);
    case PART_FILE:
        return write_file(w, part, out);
    case PART_AUDIO:
        buf_add_c(out, "{\"type\":\"input_audio\",\"input_audio\":");
        json_write_line(out, json_get(part, "input_audio"));
        buf_add_char(out, '}');
        return OK;
    default:
        return front_refuse(w->x, "input", "holds a content part of a type that is not offered");
    }
}

/* One text, as every server of chat takes it. */
static void write_joined(struct json_value parts, struct buf *out)
{
    struct json_iter it = json_iter_begin(parts);
    struct json_value part;
    buf_add_char(out, '"');
    while (json_array_next(&it, &part))
        buf_add(out, json_inside(json_get(part, "text")));
    buf_add_char(out, '"');
}

/* `join`: several texts become one (what a model said, what a tool gave). One piece: the forms from the simplest on,
 * and the last of them needs the count that decides among them. */
static enum status write_content(struct writer *w, struct json_value content, bool join,
                                 struct buf *out)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    size_t count = 0, texts = 0;
    if (content.type == JSON_STRING) {
        buf_add(out, content.raw);
        return OK;
    }
    if (content.type != JSON_ARRAY)
        return front_bad(w->x, "input", "has an item whose text is neither a text nor a list");
    for (; json_array_next(&it, &part); count++)
        texts += part_of(part) == PART_TEXT;
    if (texts == count && (join || count < 2)) {
        write_joined(content, out);
        return OK;
    }
    it = json_iter_begin(content);
    buf_add_char(out, '[');
    for (bool first = true; json_array_next(&it, &part); first = false) {
        if (!first)
            buf_add_char(out, ',');
        enum status status = write_part(w, part, out);
        if (status != OK)
            return status;
    }
    buf_add_char(out, ']');
    return OK;
}

/* Messages */

static void begin_item(struct writer *w, const char *role)
{
    buf_addf(w->out, "%s{\"role\":\"%s\"", w->first ? "" : ",", role);
    w->first = false;
}

static void write_said(struct writer *w)
{
    buf_add_c(w->out, ",\"content\":");
    buf_add(w->out, w->has_content ? buf_str(&w->content) : STR("null"));
}

static void close_assistant(struct writer *w)
{
    CHECK(w->open || !(w->has_content || w->calls.len > 0));
    if (!w->open)
        return;
    begin_item(w, "assistant");
    if (w->content_first)
        write_said(w);
    if (w->calls.len > 0) {
        buf_add_c(w->out, ",\"tool_calls\":[");
        buf_add(w->out, buf_str(&w->calls));
        buf_add_char(w->out, ']');
    }
    if (!w->content_first)
        write_said(w);
    responses_thought_write(&w->thought, w->out);
    buf_add_char(w->out, '}');
    if (w->content.status != OK || w->calls.status != OK)
        w->out->status = ERR_MEMORY;
    buf_clear(&w->content);
    buf_clear(&w->calls);
    w->open = w->has_content = w->content_first = false;
}

static void begin_message(struct writer *w, const char *role)
{
    close_assistant(w);
    begin_item(w, role);
}

/* Somebody goes on speaking: calls that were interrupted have no output, without which servers refuse them. */
static void end_calls(struct writer *w)
{
    close_assistant(w);
    for (size_t i = 0; i < w->waiting_count; i++) {
        begin_item(w, "tool");
        buf_add_c(w->out, ",\"tool_call_id\":");
        buf_add(w->out, w->waiting[i].raw);
        buf_add_c(w->out, ",\"content\":\"" NO_OUTPUT "\"}");
    }
    w->waiting_count = 0;
}

static void wait_for(struct writer *w, struct json_value id)
{
    if (w->waiting_count < WAITING_MAX)
        w->waiting[w->waiting_count++] = id;
}

static void note_output(struct writer *w, struct json_value id)
{
    for (size_t i = 0; i < w->waiting_count; i++)
        if (str_equal(w->waiting[i].raw, id.raw)) {
            memmove(&w->waiting[i], &w->waiting[i + 1],
                    (w->waiting_count - i - 1) * sizeof(w->waiting[0]));
            w->waiting_count--;
            return;
        }
}

/* Whether the text of an open message took another one in. */
static bool join_text(struct writer *w, struct str value)
{
    struct buf *content = &w->content;
    if (w->calls.len == 0 || content->len < 2 || content->ptr[0] != '"' || value.ptr[0] != '"')
        return false;
    content->len--; /* the quote at its end */
    buf_add_c(content, content->len > 1 && value.len > 2 ? "\\n\\n" : "");
    buf_add(content, str_slice(value, 1, value.len));
    return true;
}

/* Texts around the calls of one turn are one text: the calls must stay together, as their outputs follow them. */
static enum status write_assistant(struct writer *w, struct json_value content)
{
    struct buf value;
    buf_init(&value, w->out->limit);
    enum status status = write_content(w, content, true, &value);
    if (status == OK && value.status == OK && !(w->has_content && join_text(w, buf_str(&value)))) {
        if (!w->open)
            end_calls(w);
        if (w->has_content)
            close_assistant(w);
        w->open = w->has_content = true;
        w->content_first = w->calls.len == 0;
        buf_add(&w->content, buf_str(&value));
    }
    if (value.status != OK)
        w->out->status = value.status;
    buf_done(&value);
    return status;
}

static enum status write_message(struct writer *w, struct json_value item)
{
    struct json_value role = json_get(item, "role"), content = json_get(item, "content");
    const char *name = NULL;
    if (json_string_equal(role, STR("assistant")))
        return write_assistant(w, content);
    if (json_string_equal(role, STR("user")))
        name = "user";
    else if (json_string_equal(role, STR("system")) || json_string_equal(role, STR("developer")))
        name = "system"; /* which every chat template knows; to OpenAI both are one */
    if (!name)
        return front_bad(w->x, "input",
                         "has a message with a role other than user, assistant, "
                         "system and developer");
    if (json_string_equal(role, STR("user")))
        end_calls(w);
    begin_message(w, name);
    responses_thought_clear(&w->thought);
    buf_add_c(w->out, ",\"content\":");
    enum status status = write_content(w, content, false, w->out);
    buf_add_char(w->out, '}');
    return status;
}

/* Calls and their outputs */

static enum status write_call(struct writer *w, struct json_value item,
                              enum responses_tool_kind kind)
{
    struct json_value id = json_get(item, "call_id");
    if (kind == RESPONSES_TOOL_SEARCH && !json_is_set(id))
        return OK; /* the vendor searched */
    struct str name = responses_tool_called(kind, json_inside(json_get(item, "name")));
    char into[RESPONSES_TOOL_NAME_MAX];
    if (id.type != JSON_STRING || name.len == 0)
        return front_bad(w->x, "input", "has a call without call_id and name as texts");
    struct buf *out = &w->calls;
    if (!w->open)
        end_calls(w);
    w->open = true;
    wait_for(w, id);
    buf_add_c(out, out->len > 0 ? ",{\"id\":" : "{\"id\":");
    buf_add(out, id.raw);
    buf_add_c(out, ",\"type\":\"function\",\"function\":{\"name\":\"");
    buf_add(out, responses_tool_name(json_inside(json_get(item, "namespace")), name, into));
    buf_add_c(out, "\",\"arguments\":");
    enum status status = responses_call_arguments(w->x, kind, item, out);
    buf_add_char(out, '}');
    front_write_member(out, "extra_content", w->thought.extra);
    w->thought.extra = (struct json_value){0};
    buf_add_char(out, '}');
    return status;
}

/* A call's output is a text or parts, but that of some tools has members of its own: those are told as JSON. */
static enum status write_output(struct writer *w, struct json_value item, bool as_json)
{
    struct json_value output = json_get(item, "output"), status_of = json_get(item, "status");
    struct buf plain;
    if (!as_json || output.type == JSON_STRING)
        return write_content(w, output, true, w->out);
    buf_init(&plain, item.raw.len + FRONT_PARAM_BYTES_MAX);
    if (output.type != JSON_NONE) {
        json_write_line(&plain, output);
    } else {
        buf_add_c(&plain, "{\"status\":");
        json_write_line(&plain, status_of);
        buf_add_char(&plain, '}');
    }
    json_write_string(w->out, buf_str(&plain));
    if (plain.status != OK)
        w->out->status = plain.status;
    buf_done(&plain);
    return OK;
}

/* The tools themselves are in the request's list of tools from now on. */
static void write_found(struct writer *w, struct json_value tools)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    buf_add_c(w->out, "\"Found:");
    while (tools.type == JSON_ARRAY && json_array_next(&it, &tool)) {
        buf_add_char(w->out, ' ');
        buf_add(w->out, json_inside(json_get(tool, "name")));
    }
    buf_add_char(w->out, '"');
}

static enum status write_call_output(struct writer *w, struct json_value item,
                                     enum responses_tool_kind kind)
{
    struct json_value id = json_get(item, "call_id");
    if (!json_is_set(id) && kind == RESPONSES_TOOL_LOCAL_SHELL)
        id = json_get(item, "id"); /* where this tool's API has it */
    if (kind == RESPONSES_TOOL_SEARCH && !json_is_set(id))
        return OK;
    if (id.type != JSON_STRING)
        return front_bad(w->x, "input", "has a call's output without a call_id");
    begin_message(w, "tool");
    note_output(w, id);
    responses_thought_clear(&w->thought);
    buf_add_c(w->out, ",\"tool_call_id\":");
    buf_add(w->out, id.raw);
    buf_add_c(w->out, ",\"content\":");
    enum status status = OK;
    if (kind == RESPONSES_TOOL_SEARCH)
        write_found(w, json_get(item, "tools"));
    else
        status = write_output(w, item,
                              kind == RESPONSES_TOOL_SHELL || kind == RESPONSES_TOOL_APPLY_PATCH);
    buf_add_char(w->out, '}');
    return status;
}

static enum status refuse_item(struct writer *w, struct json_value type)
{
    struct str name = str_slice(json_inside(type), 0, FRONT_PARAM_BYTES_MAX);
    w->x->param = "input";
    return error_set(w->x->err, ERR_UNSUPPORTED,
                     "input has an item of type \"%.*s\", which is not offered here",
                     STR_FMT(name));
}

/* What an item is called says what it is. OTHER: nobody here knows it, or it is of no use to an expert. */
enum item {
    ITEM_MESSAGE,
    ITEM_CALL,
    ITEM_OUTPUT,
    ITEM_THOUGHT,
    ITEM_SILENT,
    ITEM_REFUSED,
    ITEM_OTHER
};

/* One piece: it is a table, and the look into it. */
static enum item item_of(struct json_value type, enum responses_tool_kind *ret_kind)
{
    static const struct {
        const char *type;
        enum item item;
        enum responses_tool_kind kind;
    } known[] = {
        {"message", ITEM_MESSAGE, 0},
        {"function_call", ITEM_CALL, RESPONSES_TOOL_FUNCTION},
        {"function_call_output", ITEM_OUTPUT, RESPONSES_TOOL_FUNCTION},
        {"reasoning", ITEM_THOUGHT, 0},
        {"custom_tool_call", ITEM_CALL, RESPONSES_TOOL_CUSTOM},
        {"custom_tool_call_output", ITEM_OUTPUT, RESPONSES_TOOL_CUSTOM},
        {"local_shell_call", ITEM_CALL, RESPONSES_TOOL_LOCAL_SHELL},
        {"local_shell_call_output", ITEM_OUTPUT, RESPONSES_TOOL_LOCAL_SHELL},
        {"shell_call", ITEM_CALL, RESPONSES_TOOL_SHELL},
        {"shell_call_output", ITEM_OUTPUT, RESPONSES_TOOL_SHELL},
        {"apply_patch_call", ITEM_CALL, RESPONSES_TOOL_APPLY_PATCH},
        {"apply_patch_call_output", ITEM_OUTPUT, RESPONSES_TOOL_APPLY_PATCH},
        {"tool_search_call", ITEM_CALL, RESPONSES_TOOL_SEARCH},
        {"tool_search_output", ITEM_OUTPUT, RESPONSES_TOOL_SEARCH},
        {"additional_tools", ITEM_SILENT, 0}, /* responses_tools_each has read it */
        {"item_reference", ITEM_REFUSED, 0},  /* what they stand for is with the vendor */
        {"compaction", ITEM_REFUSED, 0},
        {"compaction_trigger", ITEM_REFUSED, 0},
    };
    *ret_kind = RESPONSES_TOOL_FUNCTION;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (json_string_equal(type, str_from(known[i].type))) {
            *ret_kind = known[i].kind;
            return known[i].item;
        }
    return type.type == JSON_NONE ? ITEM_MESSAGE : ITEM_OTHER;
}

/* Records of what a vendor's service did by itself (web_search_call, mcp_list_tools, ...) are no use to an expert: what
 * came of it was said by the assistant. Items of a later day are left out alike, and named. */
static enum status write_item(struct writer *w, struct json_value item)
{
    struct json_value type = json_get(item, "type");
    enum responses_tool_kind kind;
    if (item.type != JSON_OBJECT)
        return front_bad(w->x, "input", "must be a text or a list of items");
    switch (item_of(type, &kind)) {
    case ITEM_MESSAGE:
        return write_message(w, item);
    case ITEM_CALL:
        return write_call(w, item, kind);
    case ITEM_OUTPUT:
        return write_call_output(w, item, kind);
    case ITEM_THOUGHT:
        return responses_thought_read(w->x, item, &w->thought);
    case ITEM_REFUSED:
        return refuse_item(w, type);
    case ITEM_OTHER:
        dropped_add(&w->x->dropped, "input", json_inside(type));
        return OK;
    default:
        return OK;
    }
}

static enum status write_items(struct writer *w, struct json_value input)
{
    struct json_iter it = json_iter_begin(input);
    struct json_value item;
    size_t count = 0;
    for (; json_array_next(&it, &item); count++) {
        enum status status = write_item(w, item);
        if (status != OK)
            return status;
    }
    close_assistant(w);
    return count > 0 ? OK : front_bad(w->x, "input", "must not be empty");
}

enum status responses_input_write(struct front_reader *x, struct json_value input, bool first,
                                  struct buf *out)
{
    struct writer w = {.x = x, .out = out, .first = first};
    if (input.type == JSON_STRING) {
        begin_message(&w, "user");
        buf_add_c(out, ",\"content\":");
        buf_add(out, input.raw);
        buf_add_char(out, '}');
        return OK;
    }
    buf_init(&w.content, out->limit);
    buf_init(&w.calls, out->limit);
    responses_thought_init(&w.thought, out->limit);
    enum status status = write_items(&w, input);
    responses_thought_done(&w.thought);
    buf_done(&w.calls);
    buf_done(&w.content);
    return status;
}
