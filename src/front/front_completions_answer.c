/* Chat answers and chunks as text completions. Both have the same shape here, so one writer serves both: a choice has
 * its text, the finish reason, and token probabilities as parallel lists. The offset of a token counts the characters
 * of its choice's text, from 0. A refusal counts as text; reasoning has no place in this API and is left out. Pure
 * functions of text; a stream's state lives in the request's arena and is its thread's. Not for requests:
 * front_completions.c. */
#include "front/front_completions_int.h"

#include "base/check.h"
#include "dialect/openai.h"
#include "dialect/openai_completion.h"
#include "dialect/token_estimate.h"
#include "front/front_members.h"

struct offsets { /* characters of each choice's text so far */
    uint64_t of[COMPLETIONS_CHOICES_MAX];
};

/* Token probabilities */

static bool has_alternatives(struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value token, first;
    while (json_array_next(&it, &token)) {
        struct json_value list = json_get(token, "top_logprobs");
        struct json_iter inner = json_iter_begin(list);
        if (list.type == JSON_ARRAY && json_array_next(&inner, &first))
            return true;
    }
    return false;
}

/* [{token, logprob}, ...] becomes {token: logprob, ...}. */
static void write_alternatives(struct buf *out, struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    bool first = true;
    buf_add_char(out, '{');
    while (list.type == JSON_ARRAY && json_array_next(&it, &item)) {
        struct json_value token = json_get(item, "token"), logprob = json_get(item, "logprob");
        if (token.type != JSON_STRING || logprob.type != JSON_NUMBER)
            continue;
        buf_addf(out, "%s%.*s:%.*s", first ? "" : ",", STR_FMT(token.raw), STR_FMT(logprob.raw));
        first = false;
    }
    buf_add_char(out, '}');
}

enum column { COLUMN_TOKENS, COLUMN_LOGPROBS, COLUMN_TOP, COLUMN_OFFSETS, COLUMN_COUNT };

static void write_cell(struct buf *out, enum column column, struct json_value token,
                       uint64_t *offset)
{
    struct json_value text = json_get(token, "token");
    switch (column) {
    case COLUMN_TOKENS:
        buf_addf(out, "\"%.*s\"", STR_FMT(json_inside(text)));
        break;
    case COLUMN_LOGPROBS:
        json_write_line(out, json_get(token, "logprob"));
        break;
    case COLUMN_TOP:
        write_alternatives(out, json_get(token, "top_logprobs"));
        break;
    default:
        buf_addf(out, "%llu", (unsigned long long)*offset);
        *offset += tokens_json_characters(text);
    }
}

static void write_column(struct buf *out, enum column column, struct json_value content,
                         uint64_t *offset)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value token;
    buf_add_char(out, '[');
    for (bool first = true; json_array_next(&it, &token); first = false) {
        if (!first)
            buf_add_char(out, ',');
        write_cell(out, column, token, offset);
    }
    buf_add_char(out, ']');
}

static void write_logprobs(struct buf *out, struct json_value logprobs, uint64_t *offset)
{
    static const char *const names[COLUMN_COUNT] = {"tokens", "token_logprobs", "top_logprobs",
                                                    "text_offset"};
    struct json_value content = json_get(logprobs, "content");
    if (content.type != JSON_ARRAY) {
        buf_add_c(out, "null");
        return;
    }
    bool top = has_alternatives(content);
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        buf_addf(out, "%s\"%s\":", column ? "," : "{", names[column]);
        if (column == COLUMN_TOP && !top)
            buf_add_c(out, "null");
        else
            write_column(out, column, content, offset);
    }
    buf_add_char(out, '}');
}

/* Choices */

static struct json_value message_of(struct json_value choice)
{
    struct json_value delta = json_get(choice, "delta");
    return delta.type == JSON_OBJECT ? delta : json_get(choice, "message");
}

static bool is_empty(struct json_value choice)
{
    struct json_value message = message_of(choice), content = json_get(message, "content");
    return !json_is_set(json_get(choice, "finish_reason")) && content.type != JSON_ARRAY &&
           json_inside(content).len == 0 && json_inside(json_get(message, "refusal")).len == 0 &&
           !json_is_set(json_get(json_get(choice, "logprobs"), "content"));
}

static void write_choice(struct buf *out, struct json_value choice, struct offsets *offsets)
{
    struct json_value message = message_of(choice), index = json_get(choice, "index");
    int64_t number = 0;
    uint64_t uncounted = 0;
    if (json_to_int64(index, &number) != OK || number < 0)
        number = 0;
    buf_add_c(out, "{\"text\":\"");
    front_write_content(out, json_get(message, "content"));
    buf_add(out, json_inside(json_get(message, "refusal")));
    buf_addf(out, "\",\"index\":%lld,\"logprobs\":", (long long)number);
    write_logprobs(out, json_get(choice, "logprobs"),
                   number < COMPLETIONS_CHOICES_MAX ? &offsets->of[number] : &uncounted);
    buf_add_c(out, ",\"finish_reason\":");
    json_write_line(out, json_get(choice, "finish_reason"));
    buf_add_char(out, '}');
}

static bool is_written(struct json_value choice, bool all)
{
    return choice.type == JSON_OBJECT && (all || !is_empty(choice));
}

static void write_choices(struct buf *out, struct json_value choices, bool all,
                          struct offsets *offsets)
{
    struct json_iter it = json_iter_begin(choices);
    struct json_value choice;
    bool first = true;
    while (choices.type == JSON_ARRAY && json_array_next(&it, &choice)) {
        if (!is_written(choice, all))
            continue;
        if (!first)
            buf_add_char(out, ',');
        write_choice(out, choice, offsets);
        first = false;
    }
}

static void write_head(struct buf *out, const struct openai_completion *m,
                       const struct front_context *c)
{
    buf_add_c(out, "{\"id\":");
    if (m->id.type == JSON_STRING)
        buf_add(out, m->id.raw);
    else
        json_write_string(out, str_from(c->request_id));
    buf_add_c(out, ",\"object\":\"text_completion\",\"created\":");
    if (m->created.type == JSON_NUMBER)
        buf_add(out, m->created.raw);
    else
        buf_addf(out, "%lld", (long long)c->created_s);
    buf_add_c(out, ",\"model\":");
    json_write_line(out, m->model);
    buf_add_c(out, ",\"choices\":[");
}

static void write_tail(struct buf *out, const struct openai_completion *m)
{
    buf_add_char(out, ']');
    front_write_member(out, "usage", m->usage);
    front_write_member(out, "system_fingerprint", m->system_fingerprint);
    front_write_member(out, "service_tier", m->service_tier);
    front_write_member(out, "leeroo", m->leeroo);
    buf_add_char(out, '}');
}

enum status completions_answer(const struct front_context *c, struct str completion,
                               struct buf *out, struct error *err)
{
    struct json_value root = {0};
    struct openai_completion m = {0};
    struct offsets offsets = {{0}};
    if (json_parse(completion, "answer", 1, &root, NULL) == OK)
        openai_completion_read(root, &m);
    if (json_is_set(m.error) || m.choices.type != JSON_ARRAY)
        return error_set(err, ERR_UPSTREAM, "the answer is not a chat completion");
    write_head(out, &m, c);
    write_choices(out, m.choices, true, &offsets);
    write_tail(out, &m);
    return buf_status(out, err);
}

/* Streams */

struct stream {
    const struct front_context *context;
    struct offsets offsets;
    bool over; /* [DONE] or an error was written: nothing may follow */
};

void *completions_begin(const struct front_context *c, struct arena *a)
{
    struct stream *s = ARENA_NEW(a, struct stream);
    if (s)
        s->context = c;
    return s;
}

/* A chunk without text, finish reason or usage, such as the first one with nothing but the role, becomes no event. */
static bool is_worth_an_event(const struct openai_completion *m)
{
    struct json_iter it = json_iter_begin(m->choices);
    struct json_value choice;
    while (m->choices.type == JSON_ARRAY && json_array_next(&it, &choice))
        if (is_written(choice, false))
            return true;
    return json_is_set(m->usage) || json_is_set(m->leeroo);
}

static void write_chunk(struct stream *s, const struct openai_completion *m, struct buf *out)
{
    CHECK(!s->over);
    if (!is_worth_an_event(m))
        return;
    front_event_begin(out, NULL);
    write_head(out, m, s->context);
    write_choices(out, m->choices, false, &s->offsets);
    write_tail(out, m);
    front_event_end(out);
}

/* An object: an error ends the stream, anything else is a chunk. */
static void take_object(struct stream *s, struct json_value root, struct buf *out)
{
    struct openai_completion m;
    openai_completion_read(root, &m);
    if (!json_is_set(m.error)) {
        write_chunk(s, &m, out);
        return;
    }
    front_event_begin(out, NULL);
    json_write_line(out, root);
    front_event_end(out);
    s->over = true;
}

void completions_event(void *state, struct str data, struct buf *out)
{
    const struct front_error broken = {.http_status = 502,
                                       .message = STR("the expert sent a broken chunk"),
                                       .type = "server_error"};
    struct stream *s = state;
    struct json_value root;
    if (s->over)
        return;
    if (str_equal(str_trim(data), STR("[DONE]"))) {
        front_write_event(out, NULL, STR("[DONE]"));
        s->over = true;
    } else if (json_parse(data, "chunk", 1, &root, NULL) != OK || root.type != JSON_OBJECT) {
        completions_fail(s, &broken, out);
    } else {
        take_object(s, root, out);
    }
}

void completions_end(void *state, struct buf *out)
{
    (void)state, (void)out; /* [DONE] came through as an event */
}

void completions_error(const struct front_error *e, struct buf *out)
{
    openai_error_write(out, e->message, e->type, e->param, e->code);
}

void completions_fail(void *state, const struct front_error *e, struct buf *out)
{
    struct stream *s = state;
    struct buf body;
    if (s->over)
        return;
    s->over = true;
    buf_init(&body, FRONT_ERROR_BYTES_MAX);
    completions_error(e, &body);
    front_write_event(out, NULL, buf_str(&body));
    buf_done(&body);
}
