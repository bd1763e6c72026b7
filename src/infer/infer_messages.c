/* Messages → texts with a role, as chat templates take them. Tools are told of in the system message, which is made
 * where there is none; results of tools come as what the user says, several in a row as one message. What is no
 * text, such as an image, is refused. All texts are copies in the arena of the call, each ending in NUL, because
 * templates are filled with C texts; nothing here is kept between calls. */
#include <string.h>

#include "dialect/openai_request.h"
#include "infer/infer_request_int.h"

#define TEXT_BYTES_MAX (64u << 20)

struct conversation {
    struct lm_chat_message *list;
    size_t count, room;
    struct buf results; /* of tools, which wait for what follows them */
};

/* C texts end at a NUL, which "\u0000" is. */
static enum status keep_text(struct request_reader *x, struct str text, const char **ret)
{
    struct str copy = arena_copy(x->arena, text);
    if (!copy.ptr)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    char *at = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; i < copy.len; i++)
        if (!at[i])
            at[i] = ' ';
    *ret = at;
    return OK;
}

static enum status add_message(struct request_reader *x, struct conversation *c, const char *role,
                               struct str text)
{
    struct lm_chat_message *m = &c->list[c->count];
    if (c->count == c->room)
        return request_fail(x, ERR_TOO_LARGE, "are too many");
    enum status status = keep_text(x, text, &m->content);
    m->role = role;
    c->count += status == OK;
    return status;
}

static enum status end_results(struct request_reader *x, struct conversation *c)
{
    if (c->results.len == 0)
        return buf_status(&c->results, x->err);
    enum status status = add_message(x, c, "user", buf_str(&c->results));
    buf_clear(&c->results);
    return status;
}

static enum status read_text(struct request_reader *x, struct json_value content, struct str *ret)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    *ret = STR("");
    if (!json_is_set(content))
        return OK;
    if (content.type != JSON_STRING && content.type != JSON_ARRAY)
        return request_fail(x, ERR_INPUT, "hold content that is neither a text nor a list");
    while (content.type == JSON_ARRAY && json_array_next(&it, &part)) {
        struct json_value type = json_get(part, "type");
        if (type.type != JSON_NONE && !json_string_equal(type, STR("text")) &&
            !json_string_equal(type, STR("refusal")))
            return request_fail(x, ERR_UNSUPPORTED, "hold a part that is no text");
    }
    enum status status = openai_content_text(content, x->arena, ret, x->err);
    if (status == OK && !ret->ptr)
        *ret = STR("");
    return status;
}

static enum status add_assistant(struct request_reader *x, struct conversation *c,
                                 struct json_value message, struct str text)
{
    struct buf both;
    buf_init(&both, TEXT_BYTES_MAX);
    buf_add(&both, text);
    enum status status = request_write_calls(x, json_get(message, "tool_calls"), &both);
    if (status == OK)
        status = buf_status(&both, x->err);
    if (status == OK)
        status = add_message(x, c, "assistant", buf_str(&both));
    buf_done(&both);
    return status;
}

/* The system message with the tools behind what it says. */
static enum status add_system(struct request_reader *x, struct conversation *c,
                              const struct request_tools *t, struct str text)
{
    struct buf both;
    buf_init(&both, TEXT_BYTES_MAX);
    buf_add(&both, text);
    if (text.len > 0)
        buf_add_c(&both, "\n\n");
    request_write_tools(t, &both);
    enum status status = buf_status(&both, x->err);
    if (status == OK)
        status = add_message(x, c, "system", buf_str(&both));
    buf_done(&both);
    return status;
}

/* One piece: what a message becomes hangs on what it follows, the tools of the request and its own role together. */
static enum status take_message(struct request_reader *x, struct conversation *c,
                                const struct request_tools *t, struct json_value message)
{
    struct json_value role = json_get(message, "role");
    bool system =
        json_string_equal(role, STR("system")) || json_string_equal(role, STR("developer"));
    bool first = c->count == 0 && c->results.len == 0;
    struct str text;
    enum status status = read_text(x, json_get(message, "content"), &text);
    if (status != OK)
        return status;
    if (json_string_equal(role, STR("tool"))) {
        request_write_result(text, &c->results);
        return OK;
    }
    status = end_results(x, c);
    if (status == OK && first && t->all.type == JSON_ARRAY) {
        status = add_system(x, c, t, system ? text : STR(""));
        if (system)
            return status;
    }
    if (status != OK)
        return status;
    if (system)
        return add_message(x, c, "system", text);
    if (json_string_equal(role, STR("user")))
        return add_message(x, c, "user", text);
    if (json_string_equal(role, STR("assistant")))
        return add_assistant(x, c, message, text);
    return request_fail(x, ERR_INPUT,
                        "hold a role other than system, developer, user, assistant and tool");
}

enum status request_read_messages(struct request_reader *x, const struct request_tools *t)
{
    struct json_value messages = json_get(x->root, "messages"), message;
    struct json_iter it = json_iter_begin(messages);
    struct conversation c = {.room = 2};
    enum status status = OK;
    x->param = "messages";
    if (!json_is_filled(messages))
        return request_fail(x, ERR_INPUT, "must be a list with at least one message");
    for (; json_array_next(&it, &message); c.room++)
        if (c.room > INFER_MESSAGES_MAX)
            return request_fail(x, ERR_TOO_LARGE, "are too many");
    c.list = ARENA_ARRAY(x->arena, c.room, struct lm_chat_message);
    if (!c.list)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    buf_init(&c.results, TEXT_BYTES_MAX);
    it = json_iter_begin(messages);
    while (status == OK && json_array_next(&it, &message))
        status = take_message(x, &c, t, message);
    if (status == OK)
        status = end_results(x, &c);
    buf_done(&c.results);
    x->r->messages = c.list;
    x->r->message_count = c.count;
    return status;
}
