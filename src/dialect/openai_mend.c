/* A chat's messages and tools in the form that all servers of OpenAI's dialect take. Pure functions of text for any
 * thread. What is to be done is found while a request is read, so that one which needs nothing costs a look at each
 * message; written anew is only the list that needs it, message by message, and what is not touched stays the bytes it
 * is. Called by openai_request.c alone; what clients of other APIs sent has become such a list before. */
#include "dialect/openai_mend.h"

#include "dialect/messages_text.h"
#include "dialect/reasoning_mark.h"

static const char *const no_properties = "{\"type\":\"object\",\"properties\":{}}";

bool openai_is_system(struct json_value role)
{
    return messages_is(role, "system") || messages_is(role, "developer");
}

/* What needs it */

static bool calls_need_mending(struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call)) {
        struct json_value function = json_get(call, "function");
        if (function.type == JSON_OBJECT && !messages_is_input(json_get(function, "arguments")))
            return true;
    }
    return false;
}

static bool is_text_part(struct json_value part)
{
    struct json_value type = json_get(part, "type");
    return messages_is(type, "text") || messages_is(type, "refusal");
}

static size_t count_parts(struct json_value content, bool text)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    size_t count = 0;
    while (content.type == JSON_ARRAY && json_array_next(&it, &part))
        count += is_text_part(part) == text;
    return count;
}

unsigned openai_message_mends(struct json_value role, struct json_value content,
                              struct json_value tool_calls, size_t index)
{
    if (messages_is(role, "system"))
        return index > 0 ? OPENAI_MEND_SYSTEM : 0;
    if (messages_is(role, "developer"))
        return OPENAI_MEND_SYSTEM;
    if (messages_is(role, "tool"))
        return count_parts(content, false) > 0 ? OPENAI_MEND_RESULTS : 0;
    return calls_need_mending(tool_calls) ? OPENAI_MEND_CALLS : 0;
}

/* How many of the next messages are results of tools, with system messages between. */
size_t openai_results_count(struct json_iter it)
{
    struct json_value message;
    size_t count = 0, seen = 0;
    while (json_array_next(&it, &message)) {
        struct json_value role = json_get(message, "role");
        bool is_result = messages_is(role, "tool");
        if (!is_result && !openai_is_system(role))
            break;
        seen++;
        if (is_result)
            count = seen;
    }
    return count;
}

/* Messages */

struct list {
    struct buf *out;
    size_t count;
    unsigned mends;
    const struct openai_target *target;
};

static void open_item(struct list *l)
{
    if (l->count++ > 0)
        buf_add_char(l->out, ',');
}

static void write_raw(struct list *l, struct json_value message)
{
    open_item(l);
    buf_add(l->out, message.raw);
}

/* A member of an object that is written anew. */
static void open_member(struct buf *out, struct json_value key, size_t *count)
{
    if ((*count)++ > 0)
        buf_add_char(out, ',');
    buf_add(out, key.raw);
    buf_add_char(out, ':');
}

static void write_arguments(struct buf *out, struct json_value arguments)
{
    struct buf object;
    if (arguments.type == JSON_STRING && messages_is_input(arguments)) {
        buf_add(out, arguments.raw);
        return;
    }
    buf_init(&object, out->limit);
    messages_write_input_or_note(&object, arguments);
    json_write_string(out, buf_str(&object));
    if (object.status != OK)
        out->status = object.status;
    buf_done(&object);
}

static void write_function(struct buf *out, struct json_value function)
{
    struct json_iter it = json_iter_begin(function);
    struct json_value key, item;
    size_t count = 0;
    bool seen = false;
    buf_add_char(out, '{');
    while (json_object_next(&it, &key, &item)) {
        open_member(out, key, &count);
        bool is_arguments = messages_is(key, "arguments");
        seen |= is_arguments;
        if (is_arguments)
            write_arguments(out, item);
        else
            buf_add(out, item.raw);
    }
    if (!seen)
        buf_add_c(out, count > 0 ? ",\"arguments\":\"{}\"" : "\"arguments\":\"{}\"");
    buf_add_char(out, '}');
}

/* `keeps`: with what must come back with it, the thought signature of Gemini's. */
static void write_call(struct buf *out, struct json_value call, bool keeps)
{
    struct json_iter it = json_iter_begin(call);
    struct json_value key, item;
    size_t count = 0;
    buf_add_char(out, '{');
    while (json_object_next(&it, &key, &item)) {
        if (messages_is(key, "extra_content") && !keeps)
            continue;
        open_member(out, key, &count);
        if (messages_is(key, "function") && item.type == JSON_OBJECT)
            write_function(out, item);
        else
            buf_add(out, item.raw);
    }
    buf_add_char(out, '}');
}

static void write_calls(struct buf *out, struct json_value calls, bool keeps)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    size_t count = 0;
    buf_add_char(out, '[');
    while (json_array_next(&it, &call)) {
        if (count++ > 0)
            buf_add_char(out, ',');
        if (call.type == JSON_OBJECT)
            write_call(out, call, keeps);
        else
            buf_add(out, call.raw);
    }
    buf_add_char(out, ']');
}

static bool is_reasoning(struct json_value key)
{
    return messages_is(key, "reasoning_content") || messages_is(key, "reasoning") ||
           messages_is(key, "thinking_blocks") || messages_is(key, "reasoning_details");
}

/* Reasoning whose origin is known goes to that expert alone, and only with the calls that it led to: DeepSeek demands
 * it there, and its older models refuse it elsewhere. */
static bool keeps_reasoning(const struct list *l, struct json_value message)
{
    struct json_value origin = json_get(message, REASONING_ORIGIN);
    struct json_value calls = json_get(message, "tool_calls"), call;
    struct json_iter it = json_iter_begin(calls);
    if (origin.type == JSON_NONE)
        return true;
    return json_string_equal(origin, l->target->expert) && calls.type == JSON_ARRAY &&
           json_array_next(&it, &call);
}

static void write_assistant(struct list *l, struct json_value message)
{
    struct json_iter it = json_iter_begin(message);
    struct json_value key, item;
    bool keeps = keeps_reasoning(l, message);
    size_t count = 0;
    open_item(l);
    buf_add_char(l->out, '{');
    while (json_object_next(&it, &key, &item)) {
        if (messages_is(key, REASONING_ORIGIN) || (!keeps && is_reasoning(key)))
            continue;
        open_member(l->out, key, &count);
        if (messages_is(key, "tool_calls") && item.type == JSON_ARRAY)
            write_calls(l->out, item, keeps);
        else
            buf_add(l->out, item.raw);
    }
    buf_add_char(l->out, '}');
}

static void write_other(struct list *l, struct json_value message)
{
    bool calls =
        (l->mends & OPENAI_MEND_CALLS) != 0 && calls_need_mending(json_get(message, "tool_calls"));
    if (calls || json_get(message, REASONING_ORIGIN).type != JSON_NONE)
        write_assistant(l, message);
    else
        write_raw(l, message);
}

/* Results of tools */

#define UNSEEN STR("\"(an image, which you cannot see)\"")

/* It has no place in a result, and is no image that the expert would not see. */
static bool is_said_behind(const struct list *l, struct json_value part)
{
    return !is_text_part(part) &&
           !(l->target->is_blind && messages_is(json_get(part, "type"), "image_url"));
}

static size_t count_behind(const struct list *l, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    size_t count = 0;
    while (content.type == JSON_ARRAY && json_array_next(&it, &part))
        count += is_said_behind(l, part);
    return count;
}

static void write_text_part(const struct json_value part, bool alone, struct buf *out)
{
    bool is_text = is_text_part(part);
    struct json_value text = json_get(part, "text");
    if (is_text && !alone) {
        buf_add(out, part.raw);
        return;
    }
    buf_add_c(out, alone ? "" : "{\"type\":\"text\",\"text\":");
    buf_add(out, !is_text ? UNSEEN : text.type == JSON_STRING ? text.raw : STR("\"\""));
    buf_add_c(out, alone ? "" : "}");
}

/* What stays in the result: a text where it is only one. */
static void write_texts(const struct list *l, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    size_t all = count_parts(content, true) + count_parts(content, false), count = 0;
    size_t texts = all - count_behind(l, content);
    if (texts != 1)
        buf_add_c(l->out, texts > 0 ? "[" : "\"(in the next message)\"");
    while (json_array_next(&it, &part)) {
        if (is_said_behind(l, part))
            continue;
        buf_add_c(l->out, count++ > 0 ? "," : "");
        write_text_part(part, texts == 1, l->out);
    }
    if (texts > 1)
        buf_add_char(l->out, ']');
}

static void write_result(struct list *l, struct json_value message)
{
    struct json_iter it = json_iter_begin(message);
    struct json_value key, item;
    size_t count = 0;
    if (!(l->mends & OPENAI_MEND_RESULTS) ||
        count_parts(json_get(message, "content"), false) == 0) {
        write_raw(l, message);
        return;
    }
    open_item(l);
    buf_add_char(l->out, '{');
    while (json_object_next(&it, &key, &item)) {
        open_member(l->out, key, &count);
        if (messages_is(key, "content"))
            write_texts(l, item);
        else
            buf_add(l->out, item.raw);
    }
    buf_add_char(l->out, '}');
}

/* What the user says, out of several messages: one text, or parts where some of it is in parts. */

struct said {
    struct buf *out;
    bool parts;
    size_t count;
};

static void open_said(struct said *s)
{
    if (s->count++ > 0)
        buf_add_c(s->out, s->parts ? "," : "\\n\\n");
}

/* `inside` is escaped. */
static void say(struct said *s, struct str before, struct str inside, struct str after)
{
    open_said(s);
    buf_add_c(s->out, s->parts ? "{\"type\":\"text\",\"text\":\"" : "");
    buf_add(s->out, before);
    buf_add(s->out, inside);
    buf_add(s->out, after);
    buf_add_c(s->out, s->parts ? "\"}" : "");
}

static void say_content(struct said *s, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    if (content.type == JSON_STRING)
        say(s, STR(""), json_inside(content), STR(""));
    while (content.type == JSON_ARRAY && json_array_next(&it, &part)) {
        open_said(s);
        buf_add(s->out, part.raw);
    }
}

static void say_reminder(struct said *s, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    struct buf text;
    buf_init(&text, s->out->limit);
    openai_system_inside(content, &text);
    if (text.len > 0)
        say(s, OPENAI_REMINDER_BEGIN, buf_str(&text), OPENAI_REMINDER_END);
    while (content.type == JSON_ARRAY && json_array_next(&it, &part)) {
        if (is_text_part(part))
            continue;
        open_said(s);
        buf_add(s->out, part.raw);
    }
    if (text.status != OK)
        s->out->status = text.status;
    buf_done(&text);
}

void openai_system_inside(struct json_value content, struct buf *out)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    size_t count = 0;
    if (content.type == JSON_STRING)
        buf_add(out, json_inside(content));
    while (content.type == JSON_ARRAY && json_array_next(&it, &part)) {
        struct json_value text = json_get(part, "text");
        if (!messages_has_text(text))
            continue;
        buf_add_c(out, count++ > 0 ? "\\n" : "");
        buf_add(out, json_inside(text));
    }
}

static void say_others(const struct list *l, struct said *s, struct json_value message)
{
    struct json_iter it = json_iter_begin(json_get(message, "content"));
    struct json_value part, id = json_get(message, "tool_call_id");
    if (count_behind(l, json_get(message, "content")) == 0)
        return;
    say(s, STR("What the tool call "), json_inside(id), STR(" gave back:"));
    while (json_array_next(&it, &part)) {
        if (!is_said_behind(l, part))
            continue;
        open_said(s);
        buf_add(s->out, part.raw);
    }
}

/* Segments: results of tools, and what user and system say next. */

struct segment {
    struct json_iter from;
    size_t results, count; /* the results are the first of them, with system messages between */
    bool has_parts, has_system, has_others; /* others: what is said behind the results */
};

/* A user's message that has nothing but a content may be joined to others. */
static bool is_joinable(struct json_value message)
{
    static const char *const names[] = {"role", "content"};
    struct json_value f[2];
    return messages_members_read(message, names, 2, f, NULL) == 0 && messages_is(f[0], "user") &&
           (f[1].type == JSON_STRING || f[1].type == JSON_ARRAY);
}

static void note(const struct list *l, struct segment *s, struct json_value message)
{
    struct json_value role = json_get(message, "role"), content = json_get(message, "content");
    if (messages_is(role, "tool")) {
        s->has_others |= (l->mends & OPENAI_MEND_RESULTS) != 0 && count_behind(l, content) > 0;
    } else if (openai_is_system(role)) {
        s->has_system = true;
        s->has_parts |= count_parts(content, false) > 0;
    } else {
        s->has_parts |= content.type == JSON_ARRAY;
    }
}

static struct segment find_segment(const struct list *l, struct json_iter it)
{
    struct segment s = {.from = it, .results = openai_results_count(it)};
    struct json_value message;
    if (!(l->mends & OPENAI_MEND_SYSTEM))
        s.results = 0;
    while (json_array_next(&it, &message)) {
        bool result = s.count < s.results;
        struct json_value role = json_get(message, "role");
        bool is_tool = messages_is(role, "tool");
        bool is_system = openai_is_system(role) && (l->mends & OPENAI_MEND_SYSTEM);
        if (!result && !is_system && !is_joinable(message) && !(is_tool && s.count == s.results))
            break;
        if (!result && is_tool)
            s.results++;
        note(l, &s, message);
        s.count++;
    }
    return s;
}

/* One piece: results first, then one message of the user with all that is not a result, in its order. */
static void write_joined(struct list *l, const struct segment *s)
{
    struct json_iter it = s->from;
    struct json_value message;
    struct said said = {.out = l->out, .parts = s->has_parts || s->has_others};
    for (size_t i = 0; i < s->results && json_array_next(&it, &message); i++)
        if (messages_is(json_get(message, "role"), "tool"))
            write_result(l, message);
    size_t start = l->out->len, count = l->count;
    open_item(l);
    buf_add_c(l->out, "{\"role\":\"user\",\"content\":");
    buf_add_char(l->out, said.parts ? '[' : '"');
    it = s->from;
    for (size_t i = 0; i < s->count && json_array_next(&it, &message); i++) {
        struct json_value role = json_get(message, "role");
        if (messages_is(role, "tool"))
            say_others(l, &said, message);
        else if (openai_is_system(role))
            say_reminder(&said, json_get(message, "content"));
        else
            say_content(&said, json_get(message, "content"));
    }
    buf_add_c(l->out, said.parts ? "]}" : "\"}");
    if (said.count == 0 && l->out->status == OK) { /* an empty system message, alone */
        l->out->len = start;
        l->count = count;
    }
}

static void write_segment(struct list *l, const struct segment *s)
{
    struct json_iter it = s->from;
    struct json_value message;
    if (s->has_system || s->has_others) {
        write_joined(l, s);
        return;
    }
    for (size_t i = 0; i < s->count && json_array_next(&it, &message); i++) {
        if (messages_is(json_get(message, "role"), "tool"))
            write_result(l, message);
        else
            write_raw(l, message);
    }
}

/* The system messages that come first, as one. */
static void write_system(struct list *l, struct json_iter it, size_t count)
{
    struct json_iter again = it;
    struct json_value message;
    struct said said = {.out = l->out};
    for (size_t i = 0; i < count && json_array_next(&again, &message); i++)
        said.parts |= json_get(message, "content").type == JSON_ARRAY;
    open_item(l);
    buf_add_c(l->out, "{\"role\":\"system\",\"content\":");
    buf_add_char(l->out, said.parts ? '[' : '"');
    for (size_t i = 0; i < count && json_array_next(&it, &message); i++)
        say_content(&said, json_get(message, "content"));
    buf_add_c(l->out, said.parts ? "]}" : "\"}");
}

static size_t count_leading(struct json_iter it, struct json_value *ret_first)
{
    struct json_value message;
    size_t count = 0;
    while (json_array_next(&it, &message) && openai_is_system(json_get(message, "role")))
        if (count++ == 0)
            *ret_first = message;
    return count;
}

static void skip(struct json_iter *it, size_t count)
{
    struct json_value message;
    while (count-- > 0 && json_array_next(it, &message))
        continue;
}

void openai_messages_write(struct json_value messages, unsigned mends,
                           const struct openai_target *target, struct buf *out)
{
    struct list l = {.out = out, .mends = mends, .target = target};
    struct json_iter it = json_iter_begin(messages);
    struct json_value message, first = {0};
    size_t leading = mends & OPENAI_MEND_SYSTEM ? count_leading(it, &first) : 0;
    buf_add_char(out, '[');
    if (leading > 1 || messages_is(json_get(first, "role"), "developer"))
        write_system(&l, it, leading);
    else if (leading == 1)
        write_raw(&l, first);
    skip(&it, leading);
    for (;;) {
        struct segment s = find_segment(&l, it);
        if (s.count > 0)
            write_segment(&l, &s);
        skip(&it, s.count);
        if (s.count == 0 && !json_array_next(&it, &message))
            break;
        if (s.count == 0)
            write_other(&l, message);
    }
    buf_add_char(out, ']');
}

/* Tools */

static bool is_schema_bare(struct json_value schema)
{
    static const char *const names[] = {"type", "properties"};
    struct json_value f[2];
    if (!json_is_set(schema))
        return true;
    size_t others = messages_members_read(schema, names, 2, f, NULL);
    if (schema.type != JSON_OBJECT || json_is_set(f[1]))
        return false;
    return messages_is(f[0], "object") || (f[0].type == JSON_NONE && others == 0);
}

static bool needs_properties(struct json_value tool)
{
    struct json_value function = json_get(tool, "function");
    return function.type == JSON_OBJECT && is_schema_bare(json_get(function, "parameters"));
}

bool openai_tools_mend(struct json_value tools)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    while (tools.type == JSON_ARRAY && json_array_next(&it, &tool))
        if (needs_properties(tool))
            return true;
    return false;
}

void openai_schema_write(struct json_value schema, struct buf *out)
{
    struct json_iter it = json_iter_begin(schema);
    struct json_value key, item;
    size_t count = 0;
    if (!is_schema_bare(schema)) {
        buf_add(out, schema.raw);
    } else if (schema.type != JSON_OBJECT || !json_object_next(&it, &key, &item)) {
        buf_add_c(out, no_properties);
    } else {
        it = json_iter_begin(schema);
        buf_add_char(out, '{');
        while (json_object_next(&it, &key, &item)) {
            if (messages_is(key, "properties"))
                continue;
            open_member(out, key, &count);
            buf_add(out, item.raw);
        }
        buf_add_c(out, count > 0 ? ",\"properties\":{}}" : "\"properties\":{}}");
    }
}

static void write_declaration(struct buf *out, struct json_value function)
{
    struct json_iter it = json_iter_begin(function);
    struct json_value key, item;
    size_t count = 0;
    buf_add_char(out, '{');
    while (json_object_next(&it, &key, &item)) {
        if (messages_is(key, "parameters"))
            continue;
        open_member(out, key, &count);
        buf_add(out, item.raw);
    }
    buf_add_c(out, count > 0 ? ",\"parameters\":" : "\"parameters\":");
    openai_schema_write(json_get(function, "parameters"), out);
    buf_add_char(out, '}');
}

static void write_tool(struct buf *out, struct json_value tool)
{
    struct json_iter it = json_iter_begin(tool);
    struct json_value key, item;
    size_t count = 0;
    if (!needs_properties(tool)) {
        buf_add(out, tool.raw);
        return;
    }
    buf_add_char(out, '{');
    while (json_object_next(&it, &key, &item)) {
        open_member(out, key, &count);
        if (messages_is(key, "function"))
            write_declaration(out, item);
        else
            buf_add(out, item.raw);
    }
    buf_add_char(out, '}');
}

void openai_tools_write(struct json_value tools, struct buf *out)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    size_t count = 0;
    buf_add_char(out, '[');
    while (json_array_next(&it, &tool)) {
        if (count++ > 0)
            buf_add_char(out, ',');
        write_tool(out, tool);
    }
    buf_add_char(out, ']');
}
