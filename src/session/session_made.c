/* Where calls and opaque state stand: in chat's messages and deltas, with the extensions of those who need it, and in
 * Messages' blocks and events. */
#include "session/session_int.h"

static bool is_type(struct json_value object, struct str type)
{
    return json_string_equal(json_get(object, "type"), type);
}

bool session_is_thinking(struct json_value block)
{
    return is_type(block, STR("thinking")) || is_type(block, STR("redacted_thinking"));
}

static void tell(enum session_made kind, struct json_value text, session_made_fn *fn, void *arg)
{
    if (text.type == JSON_STRING && text.raw.len > 2)
        fn(kind, text, arg);
}

/* Gemini's, beside what it belongs to. */
static void tell_extra(struct json_value object, session_made_fn *fn, void *arg)
{
    struct json_value google = json_get(json_get(object, "extra_content"), "google");
    tell(SESSION_STATE, json_get(google, "thought_signature"), fn, arg);
}

/* A block of thinking, or one of OpenRouter's reasoning_details. */
static void tell_opaque(struct json_value block, session_made_fn *fn, void *arg)
{
    tell(SESSION_STATE, json_get(block, "signature"), fn, arg);
    tell(SESSION_STATE, json_get(block, "data"), fn, arg);
}

static void tell_block(struct json_value block, session_made_fn *fn, void *arg)
{
    if (is_type(block, STR("tool_use")))
        tell(SESSION_CALL, json_get(block, "id"), fn, arg);
    else if (session_is_thinking(block))
        tell_opaque(block, fn, arg);
}

static void tell_each(struct json_value list,
                      void (*tell_one)(struct json_value, session_made_fn *, void *),
                      session_made_fn *fn, void *arg)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    while (list.type == JSON_ARRAY && json_array_next(&it, &item))
        tell_one(item, fn, arg);
}

/* Some servers give no ids; then the function's name has to do, in its conversation. */
static void tell_call(struct json_value call, session_made_fn *fn, void *arg)
{
    struct json_value id = json_get(call, "id");
    bool has_id = id.type == JSON_STRING && id.raw.len > 2;
    tell(SESSION_CALL, has_id ? id : json_get(json_get(call, "function"), "name"), fn, arg);
    tell_extra(call, fn, arg);
}

void session_each_made(struct json_value message, session_made_fn *fn, void *arg)
{
    enum { CALLS, CALL, THINKING, DETAILS, EXTRA, CONTENT, BLOCK, DELTA, COUNT };
    static const struct str names[COUNT] = {
        STR_INIT("tool_calls"),        STR_INIT("function_call"), STR_INIT("thinking_blocks"),
        STR_INIT("reasoning_details"), STR_INIT("extra_content"), STR_INIT("content"),
        STR_INIT("content_block"),     STR_INIT("delta")};
    struct json_value f[COUNT];
    if (message.type != JSON_OBJECT)
        return;
    json_members(message, names, COUNT, f);
    tell_each(f[CALLS], tell_call, fn, arg);
    if (f[CALL].type == JSON_OBJECT)
        tell(SESSION_CALL, json_get(f[CALL], "name"), fn, arg);
    tell_each(f[THINKING], tell_opaque, fn, arg);
    tell_each(f[DETAILS], tell_opaque, fn, arg);
    if (f[EXTRA].type == JSON_OBJECT)
        tell_extra(message, fn, arg);
    tell_each(f[CONTENT], tell_block, fn, arg);
    if (f[BLOCK].type == JSON_OBJECT)
        tell_block(f[BLOCK], fn, arg);
    if (f[DELTA].type == JSON_OBJECT)
        tell(SESSION_STATE, json_get(f[DELTA], "signature"), fn, arg);
}
