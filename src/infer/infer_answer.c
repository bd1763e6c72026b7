/* Writing answers. A stream's chunks go to `out` as they come; of a whole answer the parts are gathered and written
 * at its end. Log-probabilities wait for the text of their tokens, because a token that waits in the splitter may
 * yet turn out to belong to a stop string; those of calls are left out, as OpenAI does. Runs on the model's own
 * thread; who takes `out` to the client is another's matter. */
#include "infer/infer_answer.h"

#include <stdlib.h>

#include "dialect/overflow.h"

#define TOKEN_BYTES_MAX 512

struct infer_entry {
    size_t begin; /* the token's first byte in all that the model wrote */
    size_t len;   /* in `entries` */
};

static void on_text(void *user, struct str text);
static void on_call(void *user, struct str call);

void infer_answer_init(struct infer_answer *a)
{
    const struct infer_request *r = a->request;
    a->split = (struct text_split){.stop_count = r->stop_count,
                                   .calls = r->calls_grammar != NULL,
                                   .user = a,
                                   .on_text = on_text,
                                   .on_call = on_call};
    for (size_t i = 0; i < r->stop_count; i++)
        a->split.stops[i] = r->stops[i];
    text_split_init(&a->split);
    buf_init(&a->out, INFER_ANSWER_BYTES_MAX);
    buf_init(&a->content, INFER_ANSWER_BYTES_MAX);
    buf_init(&a->calls, INFER_ANSWER_BYTES_MAX);
    buf_init(&a->entries, INFER_ANSWER_BYTES_MAX);
    buf_init(&a->told, INFER_ANSWER_BYTES_MAX);
}

void infer_answer_done(struct infer_answer *a)
{
    text_split_done(&a->split);
    buf_done(&a->out);
    buf_done(&a->content);
    buf_done(&a->calls);
    buf_done(&a->entries);
    buf_done(&a->told);
    free(a->list);
}

/* Pieces of JSON */

static void write_head(struct infer_answer *a, const char *object)
{
    buf_addf(&a->out, "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%lld,\"model\":", a->id, object,
             (long long)a->created_s);
    json_write_string(&a->out, a->request->model);
    buf_addf(&a->out, ",\"system_fingerprint\":\"%s\",", a->fingerprint);
}

static void begin_chunk(struct infer_answer *a)
{
    buf_add_c(&a->out, "data: ");
    write_head(a, "chat.completion.chunk");
}

static void begin_delta(struct infer_answer *a)
{
    begin_chunk(a);
    buf_add_c(&a->out, "\"choices\":[{\"index\":0,\"delta\":{");
}

static void write_logprobs(struct infer_answer *a)
{
    if (a->request->logprobs)
        buf_addf(&a->out, ",\"logprobs\":{\"content\":[%.*s],\"refusal\":null}",
                 STR_FMT(buf_str(&a->told)));
    else
        buf_add_c(&a->out, ",\"logprobs\":null");
}

static void end_delta(struct infer_answer *a, bool logprobs)
{
    buf_add_char(&a->out, '}');
    if (logprobs)
        write_logprobs(a);
    buf_add_c(&a->out, ",\"finish_reason\":null}]}\n\n");
}

/* Which stop string it was chat completions do not tell, but Messages do: by the name that vLLM has for it. */
static void write_finish(struct infer_answer *a, const char *finish)
{
    buf_addf(&a->out, ",\"finish_reason\":\"%s\"", finish);
    if (!a->split.stopped_by)
        return;
    buf_add_c(&a->out, ",\"stop_reason\":");
    json_write_string(&a->out, *a->split.stopped_by);
}

static void write_usage(struct buf *out, const struct infer_usage *u)
{
    buf_addf(out,
             "\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu,"
             "\"prompt_tokens_details\":{\"cached_tokens\":%zu}}",
             u->prompt_tokens, u->completion_tokens, u->prompt_tokens + u->completion_tokens,
             u->cached_tokens);
}

/* Log-probabilities */

static void add_entry(struct infer_answer *a, struct str entry)
{
    if (a->entry_count == a->entry_room) {
        size_t room = a->entry_room ? 2 * a->entry_room : 16;
        struct infer_entry *more = realloc(a->list, room * sizeof(*more));
        if (!more) {
            a->out.status = ERR_MEMORY;
            return;
        }
        a->list = more;
        a->entry_room = room;
    }
    a->list[a->entry_count++] = (struct infer_entry){a->written, entry.len};
    buf_add(&a->entries, entry);
}

/* Those of tokens that begin before `to`: into `told`, or away. */
static void move_entries(struct infer_answer *a, size_t to, bool tell)
{
    size_t count = 0, bytes = 0;
    for (; count < a->entry_count && a->list[count].begin < to; count++) {
        struct str entry = str_slice(buf_str(&a->entries), bytes, bytes + a->list[count].len);
        if (tell && a->told.len > 0)
            buf_add_char(&a->told, ',');
        if (tell)
            buf_add(&a->told, entry);
        bytes += entry.len;
    }
    if (count == 0)
        return;
    struct str rest = str_slice(buf_str(&a->entries), bytes, a->entries.len);
    for (size_t i = count; i < a->entry_count; i++)
        a->list[i - count] = a->list[i];
    a->entry_count -= count;
    for (size_t i = 0; i < rest.len; i++)
        a->entries.ptr[i] = rest.ptr[i];
    a->entries.len = rest.len;
}

static void write_token(const struct lm *lm, const struct lm_likely *t, struct buf *out)
{
    char bytes[TOKEN_BYTES_MAX];
    struct str text = {bytes, lm_token_bytes(lm, t->token, true, bytes, sizeof(bytes))};
    buf_add_c(out, "{\"token\":");
    json_write_string(out, text);
    buf_add_c(out, ",\"logprob\":");
    json_write_double(out, (double)t->logprob < -9999 ? -9999 : (double)t->logprob);
    buf_add_c(out, ",\"bytes\":[");
    for (size_t i = 0; i < text.len; i++)
        buf_addf(out, "%s%u", i ? "," : "", (unsigned)(unsigned char)bytes[i]);
    buf_add_char(out, ']');
}

void infer_entry_write(const struct lm *lm, const struct lm_likely *token,
                       const struct lm_likely *likely, size_t count, struct buf *out)
{
    write_token(lm, token, out);
    buf_add_c(out, ",\"top_logprobs\":[");
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, i ? "," : "");
        write_token(lm, &likely[i], out);
        buf_add_char(out, '}');
    }
    buf_add_c(out, "]}");
}

/* What the splitter finds */

static void on_text(void *user, struct str text)
{
    struct infer_answer *a = user;
    move_entries(a, a->split.passed + text.len, true);
    if (!a->request->stream) {
        buf_add(&a->content, text);
        return;
    }
    begin_delta(a);
    buf_add_c(&a->out, "\"content\":");
    json_write_string(&a->out, text);
    end_delta(a, true);
    buf_clear(&a->told);
}

/* The object between the marks, by the grammar: {"name": ..., "arguments": {...}}. */
static void write_call(struct infer_answer *a, struct json_value call, struct buf *out)
{
    struct buf arguments;
    if (a->request->stream)
        buf_addf(out, "\"index\":%u,", a->call_count);
    buf_init(&arguments, TEXT_HELD_BYTES_MAX);
    json_write_line(&arguments, json_get(call, "arguments"));
    buf_addf(out, "\"id\":\"call_%s_%u\",\"type\":\"function\",\"function\":{\"name\":",
             a->id + sizeof("chatcmpl-") - 1, a->call_count);
    buf_add(out, json_get(call, "name").raw);
    buf_add_c(out, ",\"arguments\":");
    json_write_string(out, buf_str(&arguments));
    buf_add_c(out, "}}");
    buf_done(&arguments);
}

static void on_call(void *user, struct str text)
{
    struct infer_answer *a = user;
    struct json_value call;
    struct error ignored;
    move_entries(a, a->split.passed + text.len, false);
    if (json_parse(text, "call", 1, &call, &ignored) != OK ||
        json_get(call, "name").type != JSON_STRING) {
        on_text(a, STR(INFER_CALL_BEGIN));
        on_text(a, text);
        on_text(a, STR(INFER_CALL_END));
        return;
    }
    if (!a->request->stream) {
        buf_add_c(&a->calls, a->call_count ? ",{" : "{");
        write_call(a, call, &a->calls);
    } else {
        begin_delta(a);
        buf_add_c(&a->out, "\"tool_calls\":[{");
        write_call(a, call, &a->out);
        buf_add_char(&a->out, ']');
        end_delta(a, false);
    }
    a->call_count++;
}

/* The life of an answer */

void infer_answer_begin(struct infer_answer *a)
{
    if (!a->request->stream)
        return;
    begin_delta(a);
    buf_add_c(&a->out, "\"role\":\"assistant\",\"content\":\"\"");
    end_delta(a, false);
}

bool infer_answer_add(struct infer_answer *a, struct str bytes, struct str entry)
{
    if (entry.len > 0)
        add_entry(a, entry);
    a->written += bytes.len;
    return text_split_add(&a->split, bytes);
}

bool infer_answer_calls(struct infer_answer *a, size_t *ret_behind)
{
    if (!a->split.in_call)
        return false;
    *ret_behind = text_split_behind_mark(&a->split);
    text_split_take_back(&a->split, *ret_behind);
    a->written -= *ret_behind;
    return true;
}

static void end_stream(struct infer_answer *a, const char *finish, const struct infer_usage *usage)
{
    begin_delta(a);
    buf_add_char(&a->out, '}');
    write_finish(a, finish);
    buf_add_c(&a->out, "}]}\n\n");
    if (a->request->wants_usage) {
        begin_chunk(a);
        buf_add_c(&a->out, "\"choices\":[],");
        write_usage(&a->out, usage);
        buf_add_c(&a->out, "}\n\n");
    }
    buf_add_c(&a->out, "data: [DONE]\n\n");
}

static void end_whole(struct infer_answer *a, const char *finish, const struct infer_usage *usage)
{
    write_head(a, "chat.completion");
    buf_add_c(&a->out,
              "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if (a->content.len > 0 || a->call_count == 0)
        json_write_string(&a->out, buf_str(&a->content));
    else
        buf_add_c(&a->out, "null");
    buf_add_c(&a->out, ",\"refusal\":null");
    if (a->call_count > 0)
        buf_addf(&a->out, ",\"tool_calls\":[%.*s]", STR_FMT(buf_str(&a->calls)));
    buf_add_char(&a->out, '}');
    write_logprobs(a);
    write_finish(a, finish);
    buf_add_c(&a->out, "}],");
    write_usage(&a->out, usage);
    buf_add_char(&a->out, '}');
}

void infer_answer_end(struct infer_answer *a, enum infer_finish finish, struct infer_usage usage)
{
    text_split_end(&a->split);
    const char *why = finish == INFER_LENGTH ? "length" : a->call_count ? "tool_calls" : "stop";
    if (a->request->stream)
        end_stream(a, why, &usage);
    else
        end_whole(a, why, &usage);
}

/* Errors */

int infer_error_http_status(enum status status)
{
    switch (status) {
    case ERR_INPUT:
    case ERR_UNSUPPORTED:
    case ERR_CONTEXT:
    case ERR_TOO_LARGE:
        return 400;
    case ERR_OVERLOAD:
        return 429;
    default:
        return 500;
    }
}

void infer_error_write(struct buf *out, bool in_stream, enum status status, const char *message,
                       const char *param)
{
    int http = infer_error_http_status(status);
    if (in_stream)
        buf_add_c(out, "data: ");
    buf_add_c(out, "{\"error\":{\"message\":");
    json_write_string(out, str_from(message));
    buf_addf(out, ",\"type\":\"%s\",\"param\":",
             http == 429  ? "rate_limit_error"
             : http < 500 ? "invalid_request_error"
                          : "server_error");
    if (param)
        json_write_string(out, str_from(param));
    else
        buf_add_c(out, "null");
    if (status == ERR_CONTEXT)
        buf_add_c(out, ",\"code\":\"" OVERFLOW_CODE "\"}}");
    else
        buf_addf(out, ",\"code\":%d}}", http);
    if (in_stream)
        buf_add_c(out, "\n\n");
}
