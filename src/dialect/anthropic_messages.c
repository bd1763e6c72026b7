/* A chat's messages as Anthropic's: system texts go to `system`, what tools gave back is said by the user, and messages
 * of one role in a row become one. Pure functions of text for any thread; the arena is for the ids of calls and strings
 * that must be decoded (data URLs), and may be reset afterwards. Called by anthropic_request.c alone. What Messages
 * cannot express is refused here too, so that no caller can forget to ask anthropic_lacks. */
#include "dialect/anthropic_int.h"

#include <string.h>

#include "base/hash.h"
#include "dialect/openai_mend.h"
#include "dialect/reasoning_mark.h"

const char *const anthropic_message_names[ANTHROPIC_MESSAGE_FIELD_COUNT] = {
    "role",          "content",       "name",         "refusal",         "audio",
    "tool_calls",    "function_call", "tool_call_id", "thinking_blocks", "cache_control",
    REASONING_ORIGIN};

enum anthropic_role anthropic_role_of(struct json_value role)
{
    static const struct {
        const char *name;
        enum anthropic_role role;
    } known[] = {
        {"user", ANTHROPIC_OF_USER},     {"assistant", ANTHROPIC_OF_ASSISTANT},
        {"tool", ANTHROPIC_OF_USER},     {"system", ANTHROPIC_SYSTEM},
        {"developer", ANTHROPIC_SYSTEM},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (messages_is(role, known[i].name))
            return known[i].role;
    return ANTHROPIC_NONE;
}

#define IDS_MIN 64

/* Of a tool call, as it is written. */
struct used_id {
    uint64_t hash;            /* 0: nobody's */
    uint32_t calls, answered; /* results answer the calls of their turn in order */
    size_t message;           /* of the last call */
};

struct writer {
    struct arena *arena;
    struct used_id *ids; /* a table of ids_size, a power of two; at most half of it is used */
    size_t ids_size, ids_count;
    struct buf *out;
    struct error *err;
    enum anthropic_role role; /* of the message that is open */
    size_t messages, blocks;  /* so far; blocks of the open message or list */
};

static enum status refuse(struct writer *w, const char *what)
{
    return error_set(w->err, ERR_INPUT, "messages %s", what);
}

static enum status lacking(struct writer *w, const char *lack)
{
    return error_set(w->err, ERR_UNSUPPORTED, "an Anthropic expert does not offer %s", lack);
}

/* A block begins: the message of its role is opened first, unless it is. */
static void open_block(struct writer *w, enum anthropic_role role)
{
    if (role != w->role && role != ANTHROPIC_SYSTEM) {
        if (w->role != ANTHROPIC_NONE)
            buf_add(w->out, STR("]}"));
        if (w->messages++ > 0)
            buf_add_char(w->out, ',');
        buf_add_c(w->out, role == ANTHROPIC_OF_USER ? "{\"role\":\"user\",\"content\":["
                                                    : "{\"role\":\"assistant\",\"content\":[");
        w->role = role;
        w->blocks = 0;
    }
    if (w->blocks++ > 0)
        buf_add_char(w->out, ',');
}

static void close_block(struct writer *w, struct json_value cache_control)
{
    messages_write_member(w->out, "cache_control", cache_control);
    buf_add_char(w->out, '}');
}

/* Anthropic takes no text that is empty or blank. */
static void write_text(struct writer *w, enum anthropic_role role, struct json_value text,
                       struct json_value cache_control)
{
    if (!messages_says(text))
        return;
    open_block(w, role);
    buf_add(w->out, STR("{\"type\":\"text\",\"text\":"));
    buf_add(w->out, text.raw);
    close_block(w, cache_control);
}

/* Parts */

enum status anthropic_data_url_write(struct str url, struct buf *out)
{
    static const struct str prefix = {"data:", 5}, mark = {";base64", 7};
    size_t comma = str_find(url, STR(","), 0);
    if (!str_starts(url, prefix) || comma == SIZE_MAX)
        return ERR_INPUT;
    struct str head = str_slice(url, prefix.len, comma);
    if (!str_ends(head, mark))
        return ERR_INPUT;
    struct str type = str_split(&head, ';');
    if (str_equal_nocase(type, STR("image/jpg")))
        type = STR("image/jpeg");
    buf_add(out, STR("\"type\":\"base64\",\"media_type\":"));
    json_write_string(out, type);
    buf_add(out, STR(",\"data\":"));
    json_write_string(out, str_slice(url, comma + 1, url.len));
    return OK;
}

static enum status write_source(struct writer *w, enum anthropic_role role, const char *type,
                                struct json_value url, struct json_value cache_control)
{
    struct str text = {0};
    if (url.type != JSON_STRING)
        return refuse(w, "have an image or file without a URL or data");
    if (json_string_decode(url, w->arena, &text) != OK)
        return error_set(w->err, ERR_MEMORY, "the request needs more memory than one may have");
    open_block(w, role);
    buf_addf(w->out, "{\"type\":\"%s\",\"source\":{", type);
    if (!str_starts(text, STR("data:"))) {
        buf_add(w->out, STR("\"type\":\"url\",\"url\":"));
        buf_add(w->out, url.raw);
    } else if (anthropic_data_url_write(text, w->out) != OK) {
        return refuse(w, "have a data URL that is not in base64");
    }
    buf_add_char(w->out, '}');
    close_block(w, cache_control);
    return OK;
}

static enum status write_part(struct writer *w, enum anthropic_role role, struct json_value part)
{
    enum { TYPE, TEXT, REFUSAL, IMAGE_URL, FILE_PART, CACHE_CONTROL, COUNT };
    static const char *const names[COUNT] = {"type",      "text", "refusal",
                                             "image_url", "file", "cache_control"};
    struct json_value f[COUNT];
    messages_members_read(part, names, COUNT, f, NULL);
    const char *lack = anthropic_part_lacks(f[TYPE], f[IMAGE_URL], f[FILE_PART]);
    if (lack)
        return lacking(w, lack);
    if (messages_is(f[TYPE], "text"))
        write_text(w, role, f[TEXT], f[CACHE_CONTROL]);
    else if (messages_is(f[TYPE], "refusal"))
        write_text(w, role, f[REFUSAL], f[CACHE_CONTROL]);
    else if (messages_is(f[TYPE], "image_url") && role != ANTHROPIC_SYSTEM)
        return write_source(w, role, "image",
                            f[IMAGE_URL].type == JSON_STRING ? f[IMAGE_URL]
                                                             : json_get(f[IMAGE_URL], "url"),
                            f[CACHE_CONTROL]);
    else if (messages_is(f[TYPE], "file") && role != ANTHROPIC_SYSTEM)
        return write_source(w, role, "document", json_get(f[FILE_PART], "file_data"),
                            f[CACHE_CONTROL]);
    else
        return refuse(w, "have a system text with images or files");
    return OK;
}

static enum status write_content(struct writer *w, enum anthropic_role role,
                                 struct json_value content, struct json_value cache_control)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    enum status status = OK;
    if (content.type != JSON_ARRAY)
        write_text(w, role, content, cache_control);
    else
        while (status == OK && json_array_next(&it, &part))
            status = write_part(w, role, part);
    return status;
}

/* Ids of tool calls */

static struct used_id *find_id(struct used_id *ids, size_t size, uint64_t hash)
{
    size_t at = hash & (size - 1);
    while (ids[at].hash && ids[at].hash != hash)
        at = (at + 1) & (size - 1);
    return &ids[at];
}

static bool grow_ids(struct writer *w)
{
    size_t size = w->ids_size > 0 ? 2 * w->ids_size : IDS_MIN;
    struct used_id *ids = arena_array(w->arena, size, sizeof(*ids));
    if (!ids)
        return false;
    memset(ids, 0, size * sizeof(*ids));
    for (size_t i = 0; i < w->ids_size; i++)
        if (w->ids[i].hash)
            *find_id(ids, size, w->ids[i].hash) = w->ids[i];
    w->ids = ids;
    w->ids_size = size;
    return true;
}

static uint32_t number_of_call(const struct writer *w, struct used_id *id)
{
    if (id->message != w->messages) {
        id->message = w->messages;
        id->answered = id->calls;
    }
    return ++id->calls;
}

/* Anthropic takes each id once in a conversation. Some servers begin anew in every turn, or have one for two calls, and
 * ids may become the same where their bytes are replaced: the second and later ones get a number. */
static void write_id(struct writer *w, struct json_value given, bool is_call)
{
    size_t start = w->out->len;
    messages_write_tool_id(w->out, given);
    uint64_t hash = hash64(str_slice(buf_str(w->out), start, w->out->len), 0) | 1;
    if (2 * w->ids_count >= w->ids_size && !grow_ids(w))
        w->out->status = ERR_MEMORY;
    if (w->out->status != OK)
        return;
    struct used_id *id = find_id(w->ids, w->ids_size, hash);
    w->ids_count += id->hash == 0;
    id->hash = hash;
    if (!is_call && id->answered < id->calls)
        id->answered++;
    uint32_t number = is_call ? number_of_call(w, id) : id->answered;
    if (number > 1) {
        w->out->len--;
        buf_addf(w->out, "_%u\"", (unsigned)number);
    }
}

/* Messages */

static enum status write_tool_calls(struct writer *w, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call)) {
        struct json_value function = json_get(call, "function"), id = json_get(call, "id");
        struct json_value name = json_get(function, "name");
        if (!messages_has_text(id) || name.type != JSON_STRING)
            return refuse(w, "have a tool call without an id or a function's name");
        open_block(w, ANTHROPIC_OF_ASSISTANT);
        buf_add(w->out, STR("{\"type\":\"tool_use\",\"id\":"));
        write_id(w, id, true);
        buf_add(w->out, STR(",\"name\":"));
        buf_add(w->out, name.raw);
        buf_add(w->out, STR(",\"input\":"));
        messages_write_input_or_note(w->out, json_get(function, "arguments"));
        close_block(w, json_get(call, "cache_control"));
    }
    return OK;
}

/* `text`: the insides of the pieces before this one, which bears the signature. */
static void write_signed(struct writer *w, struct json_value block, const struct buf *text)
{
    struct json_value index = json_get(block, "index");
    open_block(w, ANTHROPIC_OF_ASSISTANT);
    if (text->len == 0 && index.type == JSON_NONE) {
        buf_add(w->out, block.raw);
        return;
    }
    buf_add(w->out, STR("{\"type\":\"thinking\",\"thinking\":\""));
    buf_add(w->out, buf_str(text));
    buf_add(w->out, json_inside(json_get(block, "thinking")));
    buf_add(w->out, STR("\",\"signature\":"));
    buf_add(w->out, json_get(block, "signature").raw);
    buf_add_char(w->out, '}');
}

/* Only what Anthropic signed itself: it refuses all other thinking. Clients that put the pieces of a stream one behind
 * the other send text without a signature, and then the signature: one block. */
static void write_thinking(struct writer *w, struct json_value origin, struct json_value blocks)
{
    struct json_iter it = json_iter_begin(blocks);
    struct json_value block;
    struct buf text;
    if (messages_has_text(origin)) /* by way of an expert of another dialect */
        return;
    buf_init(&text, blocks.raw.len);
    while (blocks.type == JSON_ARRAY && json_array_next(&it, &block)) {
        if (messages_is(json_get(block, "type"), "redacted_thinking")) {
            open_block(w, ANTHROPIC_OF_ASSISTANT);
            buf_add(w->out, block.raw);
        } else if (messages_has_text(json_get(block, "signature"))) {
            write_signed(w, block, &text);
            buf_clear(&text);
        } else {
            buf_add(&text, json_inside(json_get(block, "thinking")));
        }
    }
    if (text.status != OK)
        w->out->status = text.status;
    buf_done(&text);
}

static enum status write_assistant(struct writer *w, const struct json_value *m)
{
    const struct json_value cache = m[ANTHROPIC_MESSAGE_CACHE_CONTROL];
    write_thinking(w, m[ANTHROPIC_MESSAGE_ORIGIN], m[ANTHROPIC_MESSAGE_THINKING_BLOCKS]);
    enum status status =
        write_content(w, ANTHROPIC_OF_ASSISTANT, m[ANTHROPIC_MESSAGE_CONTENT], cache);
    write_text(w, ANTHROPIC_OF_ASSISTANT, m[ANTHROPIC_MESSAGE_REFUSAL], cache);
    return status == OK ? write_tool_calls(w, m[ANTHROPIC_MESSAGE_TOOL_CALLS]) : status;
}

static enum status write_tool_result(struct writer *w, const struct json_value *m)
{
    struct json_value content = m[ANTHROPIC_MESSAGE_CONTENT];
    if (!messages_has_text(m[ANTHROPIC_MESSAGE_TOOL_CALL_ID]))
        return refuse(w, "have a tool's answer without tool_call_id");
    open_block(w, ANTHROPIC_OF_USER);
    buf_add(w->out, STR("{\"type\":\"tool_result\",\"tool_use_id\":"));
    write_id(w, m[ANTHROPIC_MESSAGE_TOOL_CALL_ID], false);
    if (content.type == JSON_ARRAY) {
        size_t blocks = w->blocks;
        w->blocks = 0; /* those of the inner list */
        buf_add(w->out, STR(",\"content\":["));
        enum status status = write_content(w, ANTHROPIC_OF_USER, content, (struct json_value){0});
        if (status != OK)
            return status;
        buf_add_char(w->out, ']');
        w->blocks = blocks;
    } else {
        messages_write_member(w->out, "content", content);
    }
    close_block(w, m[ANTHROPIC_MESSAGE_CACHE_CONTROL]);
    return OK;
}

static enum status write_message(struct writer *w, const struct json_value *m)
{
    enum anthropic_role role = anthropic_role_of(m[ANTHROPIC_MESSAGE_ROLE]);
    const char *lack = anthropic_message_lacks(m);
    if (lack)
        return lacking(w, lack);
    if (role == ANTHROPIC_OF_ASSISTANT)
        return write_assistant(w, m);
    if (messages_is(m[ANTHROPIC_MESSAGE_ROLE], "tool"))
        return write_tool_result(w, m);
    return write_content(w, role, m[ANTHROPIC_MESSAGE_CONTENT], m[ANTHROPIC_MESSAGE_CACHE_CONTROL]);
}

/* Parts that are no text. */
static enum status write_others(struct writer *w, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    enum status status = OK;
    while (status == OK && content.type == JSON_ARRAY && json_array_next(&it, &part))
        if (!messages_is(json_get(part, "type"), "text"))
            status = write_part(w, ANTHROPIC_OF_USER, part);
    return status;
}

/* What a system message says behind the beginning is said by the user at its place, so that what stands in front of it
 * stays in the prompt cache. */
static enum status write_reminder(struct writer *w, struct json_value content)
{
    struct buf text;
    buf_init(&text, w->out->limit);
    openai_system_inside(content, &text);
    if (text.len > 0) {
        open_block(w, ANTHROPIC_OF_USER);
        buf_add(w->out, STR("{\"type\":\"text\",\"text\":\""));
        buf_add(w->out, OPENAI_REMINDER_BEGIN);
        buf_add(w->out, buf_str(&text));
        buf_add(w->out, OPENAI_REMINDER_END);
        buf_add(w->out, STR("\"}"));
    }
    enum status status = buf_status(&text, w->err);
    buf_done(&text);
    return status == OK ? write_others(w, content) : status;
}

enum which { ALL, SYSTEM_ONLY, RESULTS_ONLY };

/* `count` messages from `it` on, of them which are wanted. */
static enum status write_some(struct json_iter it, size_t count, enum which which,
                              struct writer *said)
{
    struct json_value m[ANTHROPIC_MESSAGE_FIELD_COUNT], message;
    enum status status = OK;
    for (; status == OK && count > 0 && json_array_next(&it, &message); count--) {
        messages_members_read(message, anthropic_message_names, ANTHROPIC_MESSAGE_FIELD_COUNT, m,
                              NULL);
        bool is_system = openai_is_system(m[ANTHROPIC_MESSAGE_ROLE]);
        if (is_system && which != RESULTS_ONLY)
            status = write_reminder(said, m[ANTHROPIC_MESSAGE_CONTENT]);
        else if (!is_system && which != SYSTEM_ONLY)
            status = write_message(said, m);
    }
    return status;
}

/* Results first: they must follow the calls directly. */
static enum status write_results(struct json_iter *it, size_t count, struct writer *said)
{
    struct json_value message;
    enum status status = write_some(*it, count, RESULTS_ONLY, said);
    if (status == OK)
        status = write_some(*it, count, SYSTEM_ONLY, said);
    while (count-- > 0 && json_array_next(it, &message))
        continue;
    return status;
}

/* The system messages that come first go to `system`, all others to `said`. */
static enum status write_all(struct json_value messages, struct writer *system, struct writer *said)
{
    struct json_value m[ANTHROPIC_MESSAGE_FIELD_COUNT], message;
    struct json_iter it = json_iter_begin(messages), rest = it;
    enum status status = messages.type == JSON_ARRAY ? OK : refuse(said, "must be a list");
    while (status == OK && json_array_next(&it, &message)) {
        messages_members_read(message, anthropic_message_names, ANTHROPIC_MESSAGE_FIELD_COUNT, m,
                              NULL);
        if (!openai_is_system(m[ANTHROPIC_MESSAGE_ROLE]))
            break;
        status = write_message(system, m);
        rest = it;
    }
    for (bool more = true; status == OK && more;) {
        size_t results = openai_results_count(rest);
        if (results > 0) {
            status = write_results(&rest, results, said);
            continue;
        }
        status = write_some(rest, 1, ALL, said);
        more = json_array_next(&rest, &message);
    }
    if (status == OK && said->messages == 0)
        return refuse(said, "say nothing that could be answered");
    return status;
}

enum status anthropic_messages_write(struct json_value messages, struct arena *a, struct buf *out,
                                     struct error *err)
{
    struct buf rest;
    struct writer system = {.arena = a, .out = out, .err = err};
    struct writer said = {.arena = a, .out = &rest, .err = err};
    size_t start = out->len;
    buf_init(&rest, out->limit);
    buf_add(out, STR("\"system\":["));
    enum status status = write_all(messages, &system, &said);
    if (system.blocks > 0)
        buf_add(out, STR("],"));
    else if (out->status == OK)
        out->len = start; /* no empty list */
    buf_add(out, STR("\"messages\":["));
    buf_add(out, buf_str(&rest));
    buf_add(out, STR("]}]"));
    if (rest.status != OK)
        out->status = rest.status;
    buf_done(&rest);
    return status;
}
