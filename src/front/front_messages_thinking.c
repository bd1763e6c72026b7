/* Thinking of a Messages conversation, and the reasoning of chat experts: there and back. A chat expert's reasoning
 * goes out as a thinking block that is signed with where it came from (dialect/reasoning_mark.h); when the client sends
 * it back it becomes the expert's own words again, in the member under which it came. What Anthropic signed stays what
 * it is. Pure functions of text for any thread; texts stay escaped. */
#include "dialect/reasoning_mark.h"
#include "front/front_members.h"
#include "front/front_messages_int.h"

struct json_value messages_reasoning(struct json_value message, struct str *ret_rest)
{
    struct json_value text = json_get(message, "reasoning_content");
    *ret_rest = STR("");
    if (!messages_has_text(text)) {
        text = json_get(message, "reasoning");
        *ret_rest = REASONING_AS_REASONING;
    }
    return messages_has_text(text) ? text : (struct json_value){0};
}

/* Out */

void messages_write_mark(const struct front_context *c, struct str rest, struct buf *out)
{
    buf_add_char(out, '"');
    if (c->expert.len > 0)
        reasoning_mark_write(out, c->expert, rest);
    else
        buf_add(out, rest);
    buf_add_char(out, '"');
}

/* A copy of the block: with `c` what it is signed with is put behind a mark, without it is `rest`. */
static void copy_signed(struct json_value block, const struct front_context *c, struct str rest,
                        struct buf *out)
{
    struct json_iter it = json_iter_begin(block);
    struct json_value key, item;
    const char *separator = "";
    buf_add_char(out, '{');
    for (; json_object_next(&it, &key, &item); separator = ",") {
        buf_addf(out, "%s%.*s:", separator, STR_FMT(key.raw));
        if (!messages_is(key, "signature") && !messages_is(key, "data"))
            buf_add(out, item.raw);
        else if (c)
            messages_write_mark(c, json_inside(item), out);
        else
            json_write_string(out, rest);
    }
    buf_add_char(out, '}');
}

void messages_write_thinking_block(const struct front_context *c, struct json_value block,
                                   struct buf *out)
{
    if (c->expert.len == 0)
        buf_add(out, block.raw);
    else
        copy_signed(block, c, STR(""), out);
}

bool messages_is_carried(const struct front_context *c, struct json_value value)
{
    bool is_filled =
        value.type == JSON_OBJECT || (value.type == JSON_ARRAY && json_is_filled(value));
    return c->expert.len > 0 && !c->signs && is_filled;
}

void messages_write_carry(const struct front_context *c, const char *name, struct json_value value,
                          struct buf *out)
{
    struct buf object;
    buf_init(&object, out->limit);
    buf_addf(&object, "{\"%s\":", name);
    json_write_line(&object, value);
    buf_add_char(&object, '}');
    buf_add(out, STR("{\"type\":\"redacted_thinking\",\"data\":\""));
    reasoning_mark_write(out, c->expert, STR(""));
    json_write_inside(out, buf_str(&object));
    buf_add_c(out, "\"}");
    if (object.status != OK)
        out->status = ERR_MEMORY;
    buf_done(&object);
}

/* Back */

struct origin {
    bool known;
    struct str expert; /* decoded; "": signed by the vendor */
    struct str rest;   /* likewise */
};

static enum status read_origin(struct messages_reader *x, struct json_value block,
                               struct origin *ret)
{
    struct json_value mark = json_get(block, "signature");
    struct str text = {0};
    struct origin o = {.expert = STR("")};
    if (messages_is(json_get(block, "type"), "redacted_thinking"))
        mark = json_get(block, "data");
    if (mark.type == JSON_STRING && json_string_decode(mark, x->a, &text) != OK)
        return error_set(x->err, ERR_MEMORY, "the request needs more memory than one may have");
    o.known = text.len > 0; /* without a signature nobody takes it back */
    if (!reasoning_mark_read(text, &o.expert, &o.rest))
        o.rest = text;
    *ret = o;
    return OK;
}

/* What is in a block of ours beside what was thought; JSON_NONE: nothing. */
static struct json_value carried(struct json_value block, const struct origin *o)
{
    struct json_value root;
    if (o->expert.len > 0 && messages_is(json_get(block, "type"), "redacted_thinking") &&
        json_parse(o->rest, "data", 1, &root, NULL) == OK && root.type == JSON_OBJECT)
        return root;
    return (struct json_value){0};
}

enum status messages_carry_read(struct messages_reader *x, struct json_value block,
                                struct json_value *ret)
{
    struct origin o;
    *ret = (struct json_value){0};
    if (!messages_is(json_get(block, "type"), "redacted_thinking"))
        return OK;
    enum status status = read_origin(x, block, &o);
    if (status == OK)
        *ret = carried(block, &o);
    return status;
}

static bool is_chat_text(const struct origin *o)
{
    return o->expert.len > 0 && (o->rest.len == 0 || str_equal(o->rest, REASONING_AS_REASONING));
}

bool messages_is_thinking(struct json_value block)
{
    struct json_value type = json_get(block, "type");
    return messages_is(type, "thinking") || messages_is(type, "redacted_thinking");
}

/* Opens the member on its first item, else a gap between two. */
static void open_item(struct messages_reader *x, const struct origin *o, size_t count)
{
    if (count > 0)
        buf_add_c(x->out, is_chat_text(o) ? "\\n" : ",");
    else if (!is_chat_text(o))
        buf_add_c(x->out, ",\"thinking_blocks\":[");
    else
        buf_add_c(x->out, o->rest.len > 0 ? ",\"reasoning\":\"" : ",\"reasoning_content\":\"");
}

/* Details of the origin that stands, or of the first that has any. Whether there was something carried. */
static enum status write_carried(struct messages_reader *x, struct json_value content,
                                 struct origin *first, bool *ret_any)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    struct origin o = {0};
    size_t count = 0;
    *ret_any = false;
    while (json_array_next(&it, &block)) {
        enum status status = messages_is_thinking(block) ? read_origin(x, block, &o) : OK;
        if (status != OK)
            return status;
        struct json_value root = messages_is_thinking(block) ? carried(block, &o) : block;
        struct json_value details = json_get(root, "reasoning_details");
        if (!messages_is_thinking(block) || root.type == JSON_NONE ||
            (first->known && !str_equal(first->expert, o.expert)))
            continue;
        *first = first->known ? *first : o;
        *ret_any = true;
        if (details.type == JSON_ARRAY && json_is_filled(details)) {
            buf_add_c(x->out, count++ > 0 ? "," : ",\"reasoning_details\":[");
            buf_add(x->out, str_slice(details.raw, 1, details.raw.len - 1));
        }
    }
    if (count > 0)
        buf_add_char(x->out, ']');
    return OK;
}

/* Of several origins, which no expert would understand, the first stands. */
enum status messages_thinking_write(struct messages_reader *x, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    struct origin first = {0}, o;
    size_t count = 0;
    while (json_array_next(&it, &block)) {
        if (!messages_is_thinking(block))
            continue;
        enum status status = read_origin(x, block, &o);
        if (status != OK)
            return status;
        if (!o.known || carried(block, &o).type != JSON_NONE ||
            (count > 0 &&
             (!str_equal(o.expert, first.expert) || is_chat_text(&o) != is_chat_text(&first))))
            continue;
        open_item(x, &o, count);
        if (count++ == 0)
            first = o;
        if (is_chat_text(&o))
            buf_add(x->out, json_inside(json_get(block, "thinking")));
        else
            copy_signed(block, NULL, o.rest, x->out); /* as its expert gave it */
    }
    if (count > 0)
        buf_add_c(x->out, is_chat_text(&first) ? "\"" : "]");
    bool any = false;
    enum status status = write_carried(x, content, &first, &any);
    if (status != OK || (count == 0 && !any))
        return status;
    buf_add_c(x->out, ",\"" REASONING_ORIGIN "\":");
    json_write_string(x->out, first.expert);
    return OK;
}
