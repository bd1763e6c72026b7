/* The fronts as a table of rows, and chat, the front that changes nothing. Pure functions of text for any thread: a
 * stream belongs to one request, lives in its arena and is fed by that request's thread. What a front does is in its
 * own file (front_NAME.c); this one only finds the row, and sees to it that nothing is written behind a stream's end.
 * Fronts do not call each other. */
#include "front/front.h"

#include "base/check.h"
#include "dialect/openai.h"
#include "front/front_int.h"

/* Chat */

static enum status chat_request(struct str body, struct arena *a, struct front_chat *ret,
                                const char **ret_param, struct error *err)
{
    (void)a, (void)ret_param, (void)err;
    *ret = (struct front_chat){.body = body};
    return OK;
}

static enum status chat_answer(const struct front_context *c, struct str completion,
                               struct buf *out, struct error *err)
{
    (void)c;
    buf_add(out, completion);
    return buf_status(out, err);
}

static void chat_event(void *state, struct str data, struct buf *out)
{
    (void)state;
    front_write_event(out, NULL, data);
}

static void chat_end(void *state, struct buf *out)
{
    (void)state, (void)out; /* [DONE] came through as an event */
}

static void chat_error(const struct front_error *e, struct buf *out)
{
    openai_error_write(out, e->message, e->type, e->param, e->code);
}

static void chat_fail(void *state, const struct front_error *e, struct buf *out)
{
    struct buf body;
    (void)state;
    buf_init(&body, FRONT_ERROR_BYTES_MAX);
    chat_error(e, &body);
    front_write_event(out, NULL, buf_str(&body));
    buf_done(&body);
}

static const struct front_row chat_row = {
    .name = "chat",
    .errors = DIALECT_ERRORS_OPENAI,
    .request = chat_request,
    .answer = chat_answer,
    .event = chat_event,
    .end = chat_end,
    .fail = chat_fail,
    .error = chat_error,
};

/* Its requests and answers are no chat, so the row has nothing but a name and errors. */
static const struct front_row embeddings_row = {
    .name = "embeddings", .errors = DIALECT_ERRORS_OPENAI, .error = chat_error};

/* The table */

static const struct front_row *const rows[FRONT_COUNT] = {
    [FRONT_CHAT] = &chat_row,
    [FRONT_COMPLETIONS] = &front_completions,
    [FRONT_RESPONSES] = &front_responses,
    [FRONT_MESSAGES] = &front_messages,
    [FRONT_EMBEDDINGS] = &embeddings_row,
};

struct front_stream {
    const struct front_row *row;
    void *state;
    bool ended;
};

static const struct front_row *row_of(enum front f)
{
    CHECK(f >= 0 && f < FRONT_COUNT);
    return rows[f];
}

const char *front_name(enum front f)
{
    return row_of(f)->name;
}

const struct dialect *front_dialect(enum front f)
{
    return row_of(f)->native;
}

bool front_takes_errors(enum front f, const struct dialect *dialect)
{
    return dialect->errors != DIALECT_ERRORS_OWN && dialect->errors == row_of(f)->errors;
}

enum status front_request(enum front f, struct str body, struct arena *a, struct front_chat *ret,
                          const char **ret_param, struct error *err)
{
    *ret_param = NULL;
    return row_of(f)->request(body, a, ret, ret_param, err);
}

enum status front_answer(const struct front_context *c, struct str completion, struct buf *out,
                         struct error *err)
{
    return row_of(c->front)->answer(c, completion, out, err);
}

/* Claude Code keeps a message's thinking only as long as the message is of the model that it asks for. */
bool front_model_edit(const struct front_context *c, struct json_value root, struct buf *text,
                      struct json_edit *ret)
{
    struct json_value model = json_get(root, "model");
    if (c->front != FRONT_MESSAGES || c->model.len == 0)
        return false;
    if (model.type == JSON_NONE)
        model = json_get(json_get(root, "message"), "model");
    if (model.type != JSON_STRING || json_string_equal(model, c->model))
        return false;
    json_write_string(text, c->model);
    *ret = (struct json_edit){model.raw, buf_str(text)};
    return true;
}

struct front_stream *front_stream_create(const struct front_context *c, struct arena *a)
{
    const struct front_row *row = row_of(c->front);
    CHECK(row->event && row->end && row->fail); /* embeddings are never streamed */
    struct front_stream *s = ARENA_NEW(a, struct front_stream);
    if (!s)
        return NULL;
    s->row = row;
    if (row->begin) {
        s->state = row->begin(c, a);
        if (!s->state)
            return NULL;
    }
    return s;
}

void front_stream_event(struct front_stream *s, struct str data, struct buf *out)
{
    if (!s->ended)
        s->row->event(s->state, data, out);
}

void front_stream_end(struct front_stream *s, struct buf *out)
{
    if (s->ended)
        return;
    s->ended = true;
    s->row->end(s->state, out);
}

/* Errors */

static bool holds(struct str text, const char *words)
{
    return str_find(text, str_from(words), 0) != SIZE_MAX;
}

/* Anthropic's clients know a sentence, OpenAI's a code, and some of them a sentence, too. */
static void write_overflow(const struct front_row *row, const struct front_error *e,
                           struct buf *into)
{
    bool numbers = e->overflow->maximum > 0, anthropic = row->errors == DIALECT_ERRORS_ANTHROPIC;
    if (anthropic && numbers) {
        overflow_write_messages(e->overflow, into);
    } else if (anthropic && !holds(e->message, "prompt is too long")) {
        buf_addf(into, "prompt is too long: %.*s", STR_FMT(e->message));
    } else if (!anthropic && numbers && !holds(e->message, "maximum context length")) {
        overflow_write_chat(e->overflow, into);
        buf_addf(into, " (%.*s)", STR_FMT(e->message));
    } else {
        buf_add(into, e->message);
    }
}

typedef void write_error_fn(void *arg, const struct front_error *e, struct buf *out);

static void write_in_words(const struct front_row *row, const struct front_error *e,
                           write_error_fn *write, void *arg, struct buf *out)
{
    struct buf words;
    struct front_error said = *e;
    buf_init(&words, FRONT_ERROR_BYTES_MAX);
    if (e->overflow) {
        write_overflow(row, e, &words);
        said.message = words.status == OK ? buf_str(&words) : e->message;
    }
    write(arg, &said, out);
    buf_done(&words);
}

bool front_streams_overflow(enum front f)
{
    return row_of(f)->streams_overflow;
}

bool front_says_overflow(enum front f, struct str body)
{
    struct json_value root;
    if (row_of(f)->errors == DIALECT_ERRORS_ANTHROPIC)
        return holds(body, "prompt is too long") || holds(body, "exceed context limit");
    return json_parse(body, "error body", 1, &root, NULL) == OK &&
           json_string_equal(json_get(json_get(root, "error"), "code"), STR(OVERFLOW_CODE));
}

static void write_fail(void *arg, const struct front_error *e, struct buf *out)
{
    const struct front_stream *s = arg;
    s->row->fail(s->state, e, out);
}

void front_stream_fail(struct front_stream *s, const struct front_error *e, struct buf *out)
{
    if (s->ended)
        return;
    s->ended = true;
    write_in_words(s->row, e, write_fail, s, out);
}

static void write_error(void *arg, const struct front_error *e, struct buf *out)
{
    const struct front_row *const *row = arg;
    (*row)->error(e, out);
}

void front_error_write(enum front f, const struct front_error *e, struct buf *out)
{
    const struct front_row *row = row_of(f);
    write_in_words(row, e, write_error, &row, out);
}

void front_write_event(struct buf *out, const char *event, struct str data)
{
    if (event)
        buf_addf(out, "event: %s\n", event);
    buf_add_c(out, "data: ");
    while (data.len > 0) { /* ours is one line of JSON, but an upstream's may have more */
        struct str line = str_split(&data, '\n');
        buf_add(out, line);
        if (data.len > 0)
            buf_add_c(out, "\ndata: ");
    }
    buf_add_c(out, "\n\n");
}
