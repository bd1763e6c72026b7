/* Reasoning on its way to the client and back (front_responses_thought.h). Pure functions of text for any thread, whose
 * callers release the buffers. Texts stay escaped, but for marks, which clients may escape in their own way: they are
 * decoded into the request's arena, and what is read out of them lives there. Only what was checked to be JSON of the
 * right type goes on to an expert, and no mark of a client's may be trusted for more than that. */
#include "front/front_responses_thought.h"

#include "dialect/json_grow.h"
#include "dialect/reasoning_mark.h"

/* Out */

void responses_carry_init(struct responses_carry *c, size_t limit)
{
    *c = (struct responses_carry){0};
    buf_init(&c->blocks, limit);
    buf_init(&c->details, limit);
}

void responses_carry_done(struct responses_carry *c)
{
    buf_done(&c->blocks);
    buf_done(&c->details);
}

static void add_item(struct buf *list, struct json_value item)
{
    if (list->len > 0)
        buf_add_char(list, ',');
    json_write_line(list, item);
}

/* A signature that follows its text, as in streams, is given that text. */
static void add_signed(struct responses_carry *c, struct json_value signature, struct str text)
{
    if (c->blocks.len > 0)
        buf_add_char(&c->blocks, ',');
    buf_add_c(&c->blocks, "{\"type\":\"thinking\",\"thinking\":\"");
    buf_add(&c->blocks, str_slice(text, c->blocks_text, text.len));
    buf_add_c(&c->blocks, "\",\"signature\":");
    buf_add(&c->blocks, signature.raw);
    buf_add_char(&c->blocks, '}');
    c->blocks_text = text.len;
}

static void read_blocks(struct responses_carry *c, struct json_value blocks, struct str text)
{
    struct json_iter it = json_iter_begin(blocks);
    struct json_value block;
    while (blocks.type == JSON_ARRAY && json_array_next(&it, &block)) {
        struct json_value type = json_get(block, "type"), signature = json_get(block, "signature");
        bool has_text = json_inside(json_get(block, "thinking")).len > 0;
        if (json_string_equal(type, STR("redacted_thinking")))
            add_item(&c->blocks, block);
        else if (json_inside(signature).len > 0 && !has_text)
            add_signed(c, signature, text);
        else if (json_inside(signature).len > 0)
            add_item(&c->blocks, block);
    }
}

void responses_carry_read(struct responses_carry *c, struct json_value message, struct str text)
{
    struct json_value details = json_get(message, "reasoning_details"), item;
    struct json_iter it = json_iter_begin(details);
    if (json_inside(json_get(message, "reasoning_content")).len == 0 &&
        json_inside(json_get(message, "reasoning")).len > 0)
        c->as_reasoning = true;
    read_blocks(c, json_get(message, "thinking_blocks"), text);
    while (details.type == JSON_ARRAY && json_array_next(&it, &item))
        add_item(&c->details, item);
}

bool responses_carry_is_filled(const struct responses_carry *c)
{
    return c->blocks.len + c->details.len > 0 || c->extra.type == JSON_OBJECT;
}

static void write_list(struct buf *out, const char *name, const struct buf *items)
{
    if (items->len == 0)
        return;
    buf_addf(out, "%s\"%s\":[", out->len > 1 ? "," : "", name);
    buf_add(out, buf_str(items));
    buf_add_char(out, ']');
    if (items->status != OK)
        out->status = items->status;
}

/* A stream brings them in pieces; what goes back is what a whole answer has. */
static void write_details(const struct buf *items, struct buf *out)
{
    if (items->len == 0)
        return;
    buf_add_c(out, out->len > 1 ? ",\"reasoning_details\":" : "\"reasoning_details\":");
    grown_write_joined(buf_str(items), out);
    if (items->status != OK)
        out->status = ERR_MEMORY;
}

/* As the inside of a string. */
static void write_object(const struct responses_carry *c, struct buf *out)
{
    struct buf object;
    buf_init(&object, out->limit);
    buf_add_char(&object, '{');
    if (c->as_reasoning)
        buf_add_c(&object, "\"as\":\"reasoning\"");
    write_list(&object, "thinking_blocks", &c->blocks);
    write_details(&c->details, &object);
    if (c->extra.type == JSON_OBJECT) {
        buf_add_c(&object, object.len > 1 ? ",\"extra_content\":" : "\"extra_content\":");
        json_write_line(&object, c->extra);
    }
    buf_add_char(&object, '}');
    json_write_inside(out, buf_str(&object));
    if (object.status != OK)
        out->status = ERR_MEMORY;
    buf_done(&object);
}

void responses_carry_write(const struct front_context *context, const struct responses_carry *c,
                           struct buf *out)
{
    bool is_filled = responses_carry_is_filled(c);
    struct str rest = c->as_reasoning && !is_filled ? REASONING_AS_REASONING : STR("");
    if (context->expert.len == 0)
        return;
    reasoning_mark_write(out, context->signs ? STR("") : context->expert, rest);
    if (is_filled)
        write_object(c, out);
}

/* Back */

void responses_thought_init(struct responses_thought *t, size_t limit)
{
    *t = (struct responses_thought){0};
    buf_init(&t->text, limit);
    buf_init(&t->blocks, limit);
    buf_init(&t->details, limit);
}

void responses_thought_done(struct responses_thought *t)
{
    buf_done(&t->text);
    buf_done(&t->blocks);
    buf_done(&t->details);
}

void responses_thought_clear(struct responses_thought *t)
{
    buf_clear(&t->text);
    buf_clear(&t->blocks);
    buf_clear(&t->details);
    t->known = t->as_reasoning = false;
    t->extra = (struct json_value){0};
}

/* The texts of `summary` or `content`, whichever the client sent. */
static void read_text(struct json_value item, struct buf *out)
{
    static const char *const members[] = {"summary", "content"};
    size_t start = out->len;
    for (size_t i = 0; i < 2 && out->len == start; i++) {
        struct json_value list = json_get(item, members[i]), part;
        struct json_iter it = json_iter_begin(list);
        while (list.type == JSON_ARRAY && json_array_next(&it, &part)) {
            struct str text = json_inside(json_get(part, "text"));
            if (text.len > 0 && out->len > 0)
                buf_add_c(out, "\\n");
            buf_add(out, text);
        }
    }
}

static void read_list(struct json_value list, struct buf *out)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    while (list.type == JSON_ARRAY && json_array_next(&it, &item))
        if (item.type == JSON_OBJECT)
            add_item(out, item);
}

static void read_rest(struct responses_thought *t, struct json_value rest)
{
    struct json_value extra = json_get(rest, "extra_content");
    t->as_reasoning |= json_string_equal(json_get(rest, "as"), STR("reasoning"));
    read_list(json_get(rest, "thinking_blocks"), &t->blocks);
    read_list(json_get(rest, "reasoning_details"), &t->details);
    if (extra.type == JSON_OBJECT)
        t->extra = extra;
}

/* False: the mark is none of ours, or was damaged. */
static bool read_mark(struct str text, struct str *ret_origin, struct str *ret_rest,
                      struct json_value *ret_object)
{
    if (!reasoning_mark_read(text, ret_origin, ret_rest))
        return false;
    if (ret_rest->len == 0 || str_equal(*ret_rest, REASONING_AS_REASONING))
        return true;
    return json_parse(*ret_rest, "mark", 1, ret_object, NULL) == OK &&
           ret_object->type == JSON_OBJECT;
}

enum status responses_thought_read(struct front_reader *x, struct json_value item,
                                   struct responses_thought *t)
{
    struct json_value mark = json_get(item, "encrypted_content"), object = {0};
    struct str text = {0}, origin = {0}, rest = {0};
    if (mark.type == JSON_STRING && json_string_decode(mark, x->a, &text) != OK)
        return error_set(x->err, ERR_MEMORY, "the request needs more memory than one may have");
    if (!read_mark(text, &origin, &rest, &object)) {
        dropped_add(&x->dropped, "input", STR("reasoning"));
        return OK;
    }
    if (t->known && !str_equal(t->origin, origin))
        return OK;
    t->known = true;
    t->origin = origin;
    t->as_reasoning |= str_equal(rest, REASONING_AS_REASONING);
    read_text(item, &t->text);
    read_rest(t, object);
    return OK;
}

static void write_members(struct buf *out, const char *name, char begin, const struct buf *inside,
                          char end)
{
    if (inside->len == 0)
        return;
    buf_addf(out, ",\"%s\":%c", name, begin);
    buf_add(out, buf_str(inside));
    buf_add_char(out, end);
    if (inside->status != OK)
        out->status = inside->status;
}

void responses_thought_write(struct responses_thought *t, struct buf *out)
{
    if (!t->known)
        return;
    write_members(out, t->as_reasoning ? "reasoning" : "reasoning_content", '"', &t->text, '"');
    write_members(out, "thinking_blocks", '[', &t->blocks, ']');
    write_members(out, "reasoning_details", '[', &t->details, ']');
    buf_add_c(out, ",\"" REASONING_ORIGIN "\":");
    json_write_string(out, t->origin);
    responses_thought_clear(t);
}
