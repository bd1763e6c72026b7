/* The toy dialect. Texts are moved as the escaped bytes between their quotes and never decoded; what is not known is
 * left out rather than made up. */
#include "dialect/toy_dialect.h"

#include <stdlib.h>

#include "dialect/needs.h"

#define CHUNK_BYTES_MAX (1u << 20)

static struct str inside(struct json_value string)
{
    return string.type == JSON_STRING ? str_slice(string.raw, 1, string.raw.len - 1) : STR("");
}

/* Requests */

static const char *toy_lacks(const struct openai_request *chat)
{
    if (chat->needs & EXPERT_TOOLS)
        return "tools";
    if (chat->needs & EXPERT_IMAGES)
        return "images";
    return chat->answers > 1 ? "n above 1" : NULL;
}

/* A text, or the texts of its parts: escaped texts that are joined are the joined text, escaped. */
static void write_said(struct json_value content, struct buf *out)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    buf_add(out, inside(content));
    while (content.type == JSON_ARRAY && json_array_next(&it, &part))
        buf_add(out, inside(json_get(part, "text")));
}

static int64_t words_of(const struct dialect_request *r)
{
    int64_t words = r->chat->output_tokens_max;
    if (words <= 0)
        words = r->output_tokens_default;
    return r->output_tokens_limit > 0 && words > r->output_tokens_limit ? r->output_tokens_limit
                                                                        : words;
}

static enum status toy_write(const struct dialect_request *r, struct arena *scratch,
                             struct buf *out, struct error *err)
{
    struct json_iter it = json_iter_begin(r->chat->messages);
    struct json_value message;
    const char *lack = toy_lacks(r->chat);
    size_t start = out->len, count = 0;
    (void)scratch;
    if (lack)
        return error_set(err, ERR_UNSUPPORTED, "a toy does not offer %s", lack);
    buf_add(out, STR("{\"speaker\":"));
    json_write_string(out, r->model);
    buf_addf(out, ",\"words\":%lld,\"live\":%s,\"lines\":[", (long long)words_of(r),
             r->chat->stream ? "true" : "false");
    while (r->chat->messages.type == JSON_ARRAY && json_array_next(&it, &message)) {
        struct str from = inside(json_get(message, "role"));
        buf_addf(out, "%s{\"from\":\"%.*s\",\"said\":\"", count++ > 0 ? "," : "", STR_FMT(from));
        write_said(json_get(message, "content"), out);
        buf_add(out, STR("\"}"));
    }
    buf_add(out, STR("]}"));
    enum status status = buf_status(out, err);
    if (status != OK && out->len > start)
        out->len = start;
    return status;
}

/* Answers */

static const char *finish_reason(struct json_value why)
{
    return json_string_equal(why, STR("words")) ? "length" : "stop";
}

static void write_usage(struct json_value counted, struct buf *out)
{
    int64_t heard = 0, said = 0;
    if (json_to_int64(json_get(counted, "heard"), &heard) != OK ||
        json_to_int64(json_get(counted, "said"), &said) != OK)
        return; /* it is then estimated */
    buf_addf(out, ",\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld}",
             (long long)heard, (long long)said);
}

static void write_head(const char *object, struct buf *out)
{
    buf_addf(out, "{\"id\":\"toy\",\"object\":\"%s\",\"created\":0,\"model\":\"toy\",\"choices\":[",
             object);
}

static enum status toy_read(struct str answer, struct buf *out, struct error *err)
{
    struct json_value root;
    size_t start = out->len;
    if (json_parse(answer, "answer", 1, &root, NULL) != OK ||
        json_get(root, "said").type != JSON_STRING)
        return error_set(err, ERR_UPSTREAM, "the toy said nothing");
    write_head("chat.completion", out);
    buf_addf(out,
             "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":%.*s},"
             "\"finish_reason\":\"%s\"}]",
             STR_FMT(json_get(root, "said").raw), finish_reason(json_get(root, "why")));
    write_usage(json_get(root, "counted"), out);
    buf_add_char(out, '}');
    enum status status = buf_status(out, err);
    if (status != OK && out->len > start)
        out->len = start;
    return status;
}

/* Streams */

struct toy_stream {
    struct buf chunk; /* the one being made */
    bool over;
    dialect_chunk_fn *on_chunk; /* of the present event */
    void *arg;
};

static void *toy_stream_create(bool collects)
{
    (void)collects; /* it has no lists */
    struct toy_stream *s = calloc(1, sizeof(*s));
    if (s)
        buf_init(&s->chunk, CHUNK_BYTES_MAX);
    return s;
}

static void toy_stream_free(void *stream)
{
    struct toy_stream *s = stream;
    if (s)
        buf_done(&s->chunk);
    free(s);
}

static void tell(struct toy_stream *s)
{
    s->on_chunk(s->chunk.status == OK ? buf_str(&s->chunk)
                                      : STR("{\"error\":{\"message\":\"too long a word\"}}"),
                s->arg);
    buf_clear(&s->chunk);
}

static void on_word(struct toy_stream *s, struct json_value said)
{
    write_head("chat.completion.chunk", &s->chunk);
    buf_addf(&s->chunk, "{\"index\":0,\"delta\":{\"content\":%.*s},\"finish_reason\":null}]}",
             STR_FMT(said.raw));
    tell(s);
}

static void on_end(struct toy_stream *s, struct json_value event)
{
    write_head("chat.completion.chunk", &s->chunk);
    buf_addf(&s->chunk, "{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}",
             finish_reason(json_get(event, "why")));
    tell(s);
    write_head("chat.completion.chunk", &s->chunk);
    buf_add_char(&s->chunk, ']');
    write_usage(json_get(event, "counted"), &s->chunk);
    buf_add_char(&s->chunk, '}');
    tell(s);
    s->on_chunk(STR("[DONE]"), s->arg);
    s->over = true;
}

static void on_trouble(struct toy_stream *s, struct json_value event)
{
    struct json_value message = json_get(event, "message");
    int64_t code = 0;
    if (json_to_int64(json_get(event, "code"), &code) != OK)
        code = 500;
    buf_addf(&s->chunk,
             "{\"error\":{\"message\":%.*s,\"type\":\"toy_error\",\"param\":null,\"code\":%lld}}",
             STR_FMT(message.type == JSON_STRING ? message.raw : STR("\"trouble\"")),
             (long long)code);
    tell(s);
    s->over = true;
}

static void toy_stream_event(void *stream, struct str event, struct str data,
                             dialect_chunk_fn *on_chunk, void *arg)
{
    struct toy_stream *s = stream;
    struct json_value root = {0};
    if (s->over)
        return;
    s->on_chunk = on_chunk;
    s->arg = arg;
    if (json_parse(data, "event", 1, &root, NULL) != OK || str_equal(event, STR("trouble")))
        on_trouble(s, root);
    else if (str_equal(event, STR("word")) && json_get(root, "said").type == JSON_STRING)
        on_word(s, json_get(root, "said"));
    else if (str_equal(event, STR("end")))
        on_end(s, root);
}

const struct dialect dialect_toy = {
    .name = "toy",
    .provider = "toy",
    .path = "/say",
    .key_header = STR_INIT("x-toy-key"),
    .key_prefix = "Toy ",
    .headers = {{STR_INIT("toy-version"), STR_INIT("3")}},
    .version_parameter = "version",
    .errors = DIALECT_ERRORS_OWN,
    .demands_limit = true,
    .lacks = toy_lacks,
    .write = toy_write,
    .read = toy_read,
    .stream_create = toy_stream_create,
    .stream_free = toy_stream_free,
    .stream_event = toy_stream_event,
};
