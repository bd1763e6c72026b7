/* The conversation of a Messages request as chat's messages: one for each message, and one more for each result of a
 * tool. Pure functions of text for any thread, called by front_messages_request.c alone. What chat cannot express does
 * not fail here: it is noted (messages_native), and then only experts that speak Messages are candidates. What goes
 * wrong is said in Anthropic's words, because the client's library reads them. */
#include "front/front_messages_int.h"

struct conversation {
    size_t count;     /* chat messages so far */
    bool open_answer; /* the last one is an assistant's that says something: to be continued */
};

static void open_message(struct messages_reader *x, struct conversation *c, const char *role)
{
    if (c->count++ > 0)
        buf_add_char(x->out, ',');
    buf_addf(x->out, "{\"role\":\"%s\"", role);
}

static enum status write_result(struct messages_reader *x, struct conversation *c,
                                struct json_value block)
{
    enum { RESULT_TYPE, ID, CONTENT, IS_ERROR, CACHE, COUNT };
    static const char *const names[COUNT] = {"type", "tool_use_id", "content", "is_error",
                                             "cache_control"};
    struct json_value f[COUNT], other;
    messages_members_read(block, names, COUNT, f, &other);
    messages_drop(x, "tool_result", other);
    if (!messages_has_text(f[ID]))
        return messages_bad(x, "messages", "tool_result.tool_use_id: Field required");
    open_message(x, c, "tool");
    messages_write_member(x->out, "tool_call_id", f[ID]);
    buf_add(x->out, STR(",\"content\":"));
    enum status status = messages_result_write(x, f[CONTENT], f[IS_ERROR].type == JSON_TRUE);
    buf_add_char(x->out, '}');
    return status;
}

/* Results come first: in chat they must follow the calls directly. */
static enum status write_user(struct messages_reader *x, struct conversation *c,
                              struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    size_t results = 0, others = 0;
    enum status status = OK;
    while (status == OK && content.type == JSON_ARRAY && json_array_next(&it, &block)) {
        if (!messages_is_result(block)) {
            others++;
            continue;
        }
        results++;
        status = write_result(x, c, block);
    }
    if (status != OK || (results > 0 && others == 0))
        return status;
    open_message(x, c, "user");
    buf_add(x->out, STR(",\"content\":"));
    status = messages_content_write(x, content);
    buf_add_char(x->out, '}');
    return status;
}

/* `extra`: what its expert wants back with it. */
static enum status write_call(struct messages_reader *x, struct json_value block,
                              struct json_value extra, size_t *calls)
{
    enum { CALL_TYPE, ID, NAME, INPUT, CALLER, CACHE, COUNT };
    static const char *const names[COUNT] = {"type",  "id",     "name",
                                             "input", "caller", "cache_control"};
    struct json_value f[COUNT], other;
    messages_members_read(block, names, COUNT, f, &other);
    messages_drop(x, "tool_use", other);
    if (json_is_set(f[CALLER]) && !messages_is(json_get(f[CALLER], "type"), "direct"))
        messages_drop(x, "tool_use", json_get(f[CALLER], "type"));
    if (!messages_has_text(f[ID]) || !messages_has_text(f[NAME]))
        return messages_bad(x, "messages", "tool_use: id and name: Field required");
    buf_add_c(x->out, (*calls)++ == 0 ? ",\"tool_calls\":[" : ",");
    buf_add(x->out, STR("{\"id\":"));
    buf_add(x->out, f[ID].raw);
    buf_add(x->out, STR(",\"type\":\"function\",\"function\":{\"name\":"));
    buf_add(x->out, f[NAME].raw);
    buf_add(x->out, STR(",\"arguments\":"));
    messages_write_arguments(x->out, f[INPUT]);
    buf_add_char(x->out, '}');
    messages_write_member(x->out, "extra_content", extra);
    buf_add_char(x->out, '}');
    return OK;
}

static enum status note_assistant_block(struct messages_reader *x, struct json_value block)
{
    struct json_value type = json_get(block, "type");
    if (type.type != JSON_STRING)
        return messages_bad(x, "messages", "a content block must be an object with a type");
    if (messages_is(type, "text") || messages_is(type, "tool_use") || messages_is_thinking(block))
        return OK;
    if (messages_is(type, "server_tool_use") || str_ends(json_inside(type), STR("_tool_result"))) {
        messages_rather(x, "messages", type);
    } else {
        messages_native_key(x, type);
    }
    return OK;
}

static enum status write_calls(struct messages_reader *x, struct json_value content, size_t *calls)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block, carried = {0};
    enum status status = OK;
    while (status == OK && json_array_next(&it, &block)) {
        if (!messages_is(json_get(block, "type"), "tool_use")) {
            status = messages_carry_read(x, block, &carried);
            continue;
        }
        status = write_call(x, block, json_get(carried, "extra_content"), calls);
        carried = (struct json_value){0};
    }
    return status;
}

/* Joined escaped texts are the escaped joined text. */
static enum status write_assistant_blocks(struct messages_reader *x, struct json_value content,
                                          size_t *texts, size_t *calls)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    enum status status = OK;
    size_t start = x->out->len;
    buf_add(x->out, STR(",\"content\":\""));
    while (status == OK && json_array_next(&it, &block)) {
        status = note_assistant_block(x, block);
        if (!messages_is(json_get(block, "type"), "text"))
            continue;
        buf_add(x->out, json_inside(json_get(block, "text")));
        ++*texts;
    }
    buf_add_char(x->out, '"');
    if (*texts == 0 && x->out->status == OK)
        x->out->len = start;
    return status == OK ? write_calls(x, content, calls) : status;
}

static enum status write_assistant(struct messages_reader *x, struct conversation *c,
                                   struct json_value content)
{
    size_t texts = 0, calls = 0;
    enum status status = OK;
    open_message(x, c, "assistant");
    if (content.type == JSON_ARRAY) {
        status = write_assistant_blocks(x, content, &texts, &calls);
        if (calls > 0)
            buf_add_char(x->out, ']');
        if (texts == 0)
            buf_add_c(x->out, calls > 0 ? ",\"content\":null" : ",\"content\":\"\"");
        if (status == OK)
            status = messages_thinking_write(x, content);
    } else if (content.type == JSON_STRING) {
        messages_write_member(x->out, "content", content);
        texts = messages_has_text(content);
    } else {
        status = messages_bad(x, "messages", "content must be a text or a list of blocks");
    }
    buf_add_char(x->out, '}');
    c->open_answer = texts > 0;
    return status;
}

static enum status write_system(struct messages_reader *x, struct conversation *c,
                                struct json_value system)
{
    if (!json_is_set(system) || (system.type == JSON_STRING && !messages_has_text(system)) ||
        (system.type == JSON_ARRAY && !json_is_filled(system)))
        return OK;
    open_message(x, c, "system");
    buf_add(x->out, STR(",\"content\":"));
    x->in_system = true;
    enum status status = messages_content_write(x, system);
    x->in_system = false;
    buf_add_char(x->out, '}');
    return status;
}

static enum status write_message(struct messages_reader *x, struct conversation *c,
                                 struct json_value message)
{
    enum { ROLE, CONTENT, COUNT };
    static const char *const names[COUNT] = {"role", "content"};
    struct json_value f[COUNT], other;
    messages_members_read(message, names, COUNT, f, &other);
    messages_drop(x, "messages", other);
    c->open_answer = false;
    if (messages_is(f[ROLE], "user"))
        return write_user(x, c, f[CONTENT]);
    if (messages_is(f[ROLE], "assistant"))
        return write_assistant(x, c, f[CONTENT]);
    if (messages_is(f[ROLE], "system"))
        return write_system(x, c, f[CONTENT]);
    return messages_bad(x, "messages", "role: Input should be 'user', 'assistant' or 'system'");
}

enum status messages_input_write(struct messages_reader *x, struct json_value system,
                                 struct json_value messages)
{
    struct conversation c = {0};
    struct json_iter it = json_iter_begin(messages);
    struct json_value message;
    buf_add_char(x->out, '[');
    enum status status = write_system(x, &c, system);
    size_t before = c.count;
    while (status == OK && json_array_next(&it, &message))
        status = write_message(x, &c, message);
    buf_add_char(x->out, ']');
    if (status == OK && c.count == before)
        status = messages_bad(x, "messages", "at least one message is required");
    if (status == OK && c.open_answer)
        messages_native(x, "an answer to be continued (prefill)");
    return status;
}
