/* Blocks of a Messages request as the content of a chat's message: a text, or parts. Pure functions of text for any
 * thread, called by front_messages_input.c alone. Blocks that chat has no part for are noted (messages_native) rather
 * than refused, and experts without a part for it are then no candidates. The results of tools are left to the caller,
 * because in chat they are messages of their own. */
#include "front/front_messages_int.h"

struct parts {
    size_t count; /* written so far */
};

static void open_part(struct messages_reader *x, struct parts *p)
{
    if (p->count++ > 0)
        buf_add_char(x->out, ',');
}

static void write_text_part(struct messages_reader *x, struct parts *p, struct json_value text)
{
    open_part(x, p);
    buf_add(x->out, STR("{\"type\":\"text\",\"text\":"));
    buf_add(x->out, text.raw);
    buf_add_char(x->out, '}');
}

/* One piece: whether a source is a URL or data decides what must be there and what is written. */
static enum status write_image(struct messages_reader *x, struct parts *p, struct json_value source)
{
    enum { TYPE, MEDIA_TYPE, DATA, URL, COUNT };
    static const char *const names[COUNT] = {"type", "media_type", "data", "url"};
    struct json_value f[COUNT], other;
    messages_members_read(source, names, COUNT, f, &other);
    bool is_url = messages_is(f[TYPE], "url"), is_data = messages_is(f[TYPE], "base64");
    if (!is_url && !is_data) {
        messages_native(x, "files");
        return OK;
    }
    messages_drop(x, "messages", other);
    if (is_url ? f[URL].type != JSON_STRING
               : f[DATA].type != JSON_STRING || f[MEDIA_TYPE].type != JSON_STRING)
        return messages_bad(x, "messages",
                            "an image's source must have data with a media_type, or "
                            "a url");
    open_part(x, p);
    buf_add(x->out, STR("{\"type\":\"image_url\",\"image_url\":{\"url\":\""));
    if (is_url) {
        buf_add(x->out, json_inside(f[URL]));
    } else {
        buf_add(x->out, STR("data:"));
        buf_add(x->out, json_inside(f[MEDIA_TYPE]));
        buf_add(x->out, STR(";base64,"));
        buf_add(x->out, json_inside(f[DATA]));
    }
    buf_add(x->out, STR("\"}}"));
    return OK;
}

enum { TYPE, TEXT, SOURCE, CITATIONS, CACHE_CONTROL, BLOCK_COUNT };
static const char *const block_names[BLOCK_COUNT] = {"type", "text", "source", "citations",
                                                     "cache_control"};

/* The texts of a search result, one a line. */
static void write_search_result(struct messages_reader *x, struct parts *p, struct json_value block)
{
    struct json_value content = json_get(block, "content"), item;
    struct json_iter it = json_iter_begin(content);
    open_part(x, p);
    buf_add(x->out, STR("{\"type\":\"text\",\"text\":\""));
    buf_add(x->out, json_inside(json_get(block, "title")));
    buf_add(x->out, STR("\\n"));
    buf_add(x->out, json_inside(json_get(block, "source")));
    while (content.type == JSON_ARRAY && json_array_next(&it, &item)) {
        buf_add(x->out, STR("\\n"));
        buf_add(x->out, json_inside(json_get(item, "text")));
    }
    buf_add(x->out, STR("\"}"));
}

/* A document whose source is a text is that text; the bytes of others chat has no part for that most experts take. */
static void write_document(struct messages_reader *x, struct parts *p, const struct json_value *f)
{
    struct json_value data = json_get(f[SOURCE], "data");
    if (!messages_is(json_get(f[SOURCE], "type"), "text") || data.type != JSON_STRING)
        messages_native(x, "documents");
    else
        write_text_part(x, p, data);
    if (json_get(f[CITATIONS], "enabled").type == JSON_TRUE)
        messages_native(x, "citations");
}

/* What chat has no part for, in other words; or else it is noted. */
static void write_foreign(struct messages_reader *x, struct parts *p, struct json_value block,
                          const struct json_value *f)
{
    if (messages_is(f[TYPE], "document"))
        write_document(x, p, f);
    else if (messages_is(f[TYPE], "search_result"))
        write_search_result(x, p, block);
    else if (messages_is(f[TYPE], "tool_reference") &&
             messages_has_text(json_get(block, "tool_name")))
        write_text_part(x, p, json_get(block, "tool_name"));
    else if (messages_is(f[TYPE], "container_upload"))
        messages_native(x, "files");
    else
        messages_native_key(x, f[TYPE]);
}

static enum status write_part(struct messages_reader *x, struct parts *p, struct json_value block)
{
    struct json_value f[BLOCK_COUNT], other;
    messages_members_read(block, block_names, BLOCK_COUNT, f, &other);
    bool is_text = messages_is(f[TYPE], "text"), is_image = messages_is(f[TYPE], "image");
    if (f[TYPE].type != JSON_STRING || (is_text && f[TEXT].type != JSON_STRING))
        return messages_bad(x, "messages",
                            "a content block must be an object with a type, and "
                            "with a text if it is of that type");
    if (is_text || is_image)
        messages_drop(x, "messages", other);
    if (is_text)
        write_text_part(x, p, f[TEXT]);
    else if (is_image)
        return write_image(x, p, f[SOURCE]);
    else
        write_foreign(x, p, block, f);
    return OK;
}

bool messages_is_result(struct json_value block)
{
    return messages_is(json_get(block, "type"), "tool_result");
}

/* Results are messages of their own. Claude Code's label for its bill differs from session to session, so that nothing
 * behind it would be found in a prompt cache, and means nothing to other experts. */
static bool is_passed_over(const struct messages_reader *x, struct json_value block)
{
    return messages_is_result(block) ||
           (x->in_system &&
            str_starts(json_inside(json_get(block, "text")), STR("x-anthropic-billing-header:")));
}

/* The text of the only block that is not a tool's result; JSON_NONE where there are several, none, or another kind. */
static struct json_value only_text(const struct messages_reader *x, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block, other, f[BLOCK_COUNT], only = {0};
    while (json_array_next(&it, &block)) {
        if (is_passed_over(x, block))
            continue;
        messages_members_read(block, block_names, BLOCK_COUNT, f, &other);
        if (only.type != JSON_NONE || !messages_is(f[TYPE], "text") || other.type != JSON_NONE)
            return (struct json_value){0};
        only = f[TEXT];
    }
    return only.type == JSON_STRING ? only : (struct json_value){0};
}

/* A single text stays a text, because some servers know no parts. One piece: three forms, the last of which may turn
 * out to be empty and is then taken back. */
enum status messages_content_write(struct messages_reader *x, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block, only;
    struct parts parts = {0};
    enum status status = OK;
    if (content.type == JSON_STRING) {
        buf_add(x->out, content.raw);
        return OK;
    }
    if (content.type != JSON_ARRAY)
        return messages_bad(x, "messages", "content must be a text or a list of blocks");
    only = only_text(x, content);
    if (only.type == JSON_STRING) {
        buf_add(x->out, only.raw);
        return OK;
    }
    size_t start = x->out->len;
    buf_add_char(x->out, '[');
    while (status == OK && json_array_next(&it, &block))
        if (!is_passed_over(x, block))
            status = write_part(x, &parts, block);
    buf_add_char(x->out, ']');
    if (parts.count == 0 && x->out->status == OK) {
        x->out->len = start;
        buf_add(x->out, STR("\"\""));
    }
    return status;
}

/* Chat has no flag for a result that is an error, so its text says so. One piece: what goes in front depends on the
 * form of the content, and a single block is handled as the text in it. */
enum status messages_result_write(struct messages_reader *x, struct json_value content,
                                  bool is_error)
{
    bool is_text = content.type == JSON_STRING || !json_is_set(content);
    if (!is_text && !is_error)
        return messages_content_write(x, content);
    if (is_text) {
        struct str inside = json_inside(content);
        buf_addf(x->out, "\"%s", is_error && !str_starts(inside, STR("Error")) ? "Error: " : "");
        buf_add(x->out, inside);
        buf_add_char(x->out, '"');
        return OK;
    }
    struct json_value only =
        content.type == JSON_ARRAY ? only_text(x, content) : (struct json_value){0};
    if (only.type == JSON_STRING)
        return messages_result_write(x, only, true);
    if (content.type != JSON_ARRAY)
        return messages_bad(x, "messages", "a tool's result must be a text or a list of blocks");
    struct parts parts = {.count = 1};
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    enum status status = OK;
    buf_add(x->out, STR("[{\"type\":\"text\",\"text\":\"Error:\"}"));
    while (status == OK && json_array_next(&it, &block))
        status = write_part(x, &parts, block);
    buf_add_char(x->out, ']');
    return status;
}
