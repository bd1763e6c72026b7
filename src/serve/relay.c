/* From what an asking tells to the client's bytes: whole answers as they came, streams event by event, in the client's
 * own API; and the end of every exchange. Nothing is sent before the first content, which the asking sees to, so that
 * until then another expert may take over. On the worker's thread. end_whole and end_stream release the chat: they are
 * the last thing that is done with it. */
#include <string.h>

#include "base/check.h"
#include "cache/cache.h"
#include "dialect/openai.h"
#include "net/sse.h"
#include "serve/chat_int.h"
#include "serve/errors.h"

#define ERROR_BODY_BYTES_MAX (16u << 10)
#define MEMBER_BYTES_MAX     (16u << 10) /* of the "leeroo" in a body or chunk */

/* Streams */

static void begin_stream(struct chat *c, const struct cost *cost)
{
    struct http_header headers[CHAT_HEADERS_MAX];
    size_t n = chat_headers(c, cost, headers);
    headers[n++] =
        (struct http_header){STR("content-type"), STR("text/event-stream; charset=utf-8")};
    n += caller_headers(c->caller, false, c->x->arena, headers + n);
    headers[n++] = (struct http_header){STR("cache-control"), STR("no-cache")};
    headers[n++] = (struct http_header){STR("x-accel-buffering"), STR("no")};
    headers[n++] =
        (struct http_header){STR("trailer"), STR("x-leeroo-cost-usd, x-leeroo-cost-basis")};
    c->x->on_drained = relay_drained;
    http_stream_begin(c->x, 200, headers, n);
    CHECK(c->phase == CHAT_ASKING);
    c->phase = CHAT_RELAYING;
}

/* The object under the client's name for the model, and with what it cost in front of its closing brace. */
static void add_member(const struct chat *c, struct json_value root, bool cost, struct buf *out)
{
    struct buf member, model;
    struct json_edit edits[2];
    buf_init(&member, MEMBER_BYTES_MAX);
    buf_init(&model, MEMBER_BYTES_MAX);
    size_t n = c->native && front_model_edit(&c->front, root, &model, &edits[0]) ? 1 : 0;
    if (cost) {
        chat_write_member(c, &member);
        edits[n++] = (struct json_edit){{root.raw.ptr + root.raw.len - 1, 0}, buf_str(&member)};
    }
    json_splice(root.raw, edits, n, out);
    if (buf_status(&member, NULL) != OK || buf_status(&model, NULL) != OK)
        out->status = ERR_MEMORY;
    buf_done(&model);
    buf_done(&member);
}

/* One event to the client, in its own words. */
static void emit(struct chat *c, struct str name, struct str data)
{
    if (!c->native) {
        front_stream_event(c->events, data, &c->out);
        return;
    }
    if (name.len > 0)
        buf_addf(&c->out, "event: %.*s\n", STR_FMT(name));
    sse_write(&c->out, data);
}

static void emit_edited(struct chat *c, const struct expert_event *e, bool cost)
{
    struct buf event;
    buf_init(&event, e->data.len + MEMBER_BYTES_MAX);
    add_member(c, e->reply->root, cost, &event);
    emit(c, e->name, event.status == OK ? buf_str(&event) : e->data);
    buf_done(&event);
}

/* Clients of Responses and Messages always hear of usage. */
static bool wants_usage(const struct chat *c)
{
    return c->request.wants_usage || c->front.front == FRONT_RESPONSES ||
           c->front.front == FRONT_MESSAGES;
}

/* What the expert made, so that the client's next request goes to it. */
static void learn(const struct chat *c, struct json_value made)
{
    if (!c->cache.hit && c->session.learns && made.type == JSON_OBJECT)
        session_learn(c->worker->gateway->sessions, &c->session, chat_expert(c), made,
                      loop_now_ms(c->worker->loop), c->snapshot->config->sessions.ttl_ms);
}

static void learn_whole(const struct chat *c, struct str body)
{
    struct json_value root;
    if (c->session.learns && json_parse(body, "answer", 1, &root, NULL) == OK)
        learn(c, root);
}

/* With what it cost where the usage is, and under the client's name for the model where a message begins. */
static void emit_reply(struct chat *c, const struct expert_event *e)
{
    const struct openai_reply *reply = e->reply;
    if (wants_usage(c) && reply->usage.known && (reply->usage_only || reply->finished))
        emit_edited(c, e, true);
    else if (c->native && str_equal(e->name, STR("message_start")))
        emit_edited(c, e, false);
    else
        emit(c, e->name, e->data);
}

static void relay_data(struct chat *c, const struct expert_event *e)
{
    const struct openai_reply *reply = e->reply;
    if (c->done_mark)
        return; /* nothing may follow [DONE] */
    chat_cache_event(c, e);
    learn(c, reply ? reply->root : (struct json_value){0});
    if (!reply) {
        c->done_mark = e->done;
        c->has_content |= e->done;
        emit(c, e->name, e->data);
        return;
    }
    if (reply->has_content && !c->has_content) {
        c->has_content = true;
        c->first_token_ms = loop_now_ms(c->worker->loop);
    }
    if (reply->usage_only && !wants_usage(c))
        return; /* we asked for it, the client did not */
    emit_reply(c, e);
    c->done_mark |= e->done; /* Messages end with an event of their own */
}

static void note_expert(struct chat *c, const struct expert *expert)
{
    bool own = expert->dialect == front_dialect(c->front.front);
    c->front.expert = own ? STR("") : expert->name;
    c->front.signs = expert->dialect->signs_thinking;
}

/* Who answers, and in whose words. */
static void note_answering(struct chat *c)
{
    c->native = asking_is_native(c->asking);
    note_expert(c, chat_expert(c));
}

void relay_event(struct chat *c, const struct expert_event *event)
{
    note_answering(c);
    relay_data(c, event);
}

enum status relay_prepare(struct chat *c, struct error *err)
{
    chat_cache_begin(c);
    c->events = front_stream_create(&c->front, c->x->arena);
    return c->events ? OK : error_set(err, ERR_MEMORY, "out of memory for a stream");
}

static void write_out(struct chat *c)
{
    if (c->phase == CHAT_ASKING) {
        struct cost predicted = chat_cost_predicted(c);
        begin_stream(c, &predicted);
    }
    bool room = http_stream_write(c->x, buf_str(&c->out));
    buf_clear(&c->out);
    if (!room && !c->full) {
        c->full = true;
        asking_pause(c->asking);
    }
}

void relay_flush(struct chat *c)
{
    if (c->out.len > 0)
        write_out(c);
}

void relay_drained(struct http_exchange *x)
{
    struct chat *c = x->user;
    if (!c->full)
        return;
    c->full = false; /* first: resuming may bring bytes, and they may fill the buffer again */
    asking_resume(c->asking);
}

/* Ends of the exchange. The chat lives in the exchange's arena, so nothing touches it after the last call. */

static void end_stream(struct chat *c, const char *problem)
{
    struct http_header headers[CHAT_HEADERS_MAX], trailers[2];
    struct http_exchange *x = c->x;
    struct cost cost = chat_cost_total(c);
    size_t n = chat_headers(c, &cost, headers), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (str_starts(headers[i].name, STR("x-leeroo-cost-")) && kept < 2)
            trailers[kept++] = headers[i];
    if (!c->native)
        front_stream_end(c->events, &c->out);
    if (c->out.len > 0)
        http_stream_write(x, buf_str(&c->out));
    if (!problem)
        chat_cache_put_stream(c);
    chat_account(c, problem ? REQUEST_FAILED : REQUEST_ANSWERED, 200, problem);
    chat_release(c);
    x->on_gone = NULL;
    x->on_drained = NULL;
    http_stream_end(x, trailers, kept);
}

static void end_whole(struct chat *c, int http_status, struct str body, uint64_t retry_after_ms,
                      const char *problem)
{
    struct http_header headers[CHAT_HEADERS_MAX];
    struct http_exchange *x = c->x;
    struct cost cost = chat_cost_total(c);
    size_t n = chat_headers(c, &cost, headers);
    bool over_limit = c->caller && c->caller->refused && http_status == 429;
    n += caller_headers(c->caller, over_limit, x->arena, headers + n);
    headers[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    if (problem && !over_limit && c->chosen && c->choice.is_verified)
        headers[n++] = /* the same experts and the same check would be paid again */
            (struct http_header){STR("x-should-retry"), STR("false")};
    if (retry_after_ms > 0) {
        const char *seconds =
            arena_printf(x->arena, "%llu", (unsigned long long)((retry_after_ms + 999) / 1000));
        headers[n++] = (struct http_header){STR("retry-after"), str_from(seconds)};
    }
    chat_account(c, problem ? REQUEST_FAILED : REQUEST_ANSWERED, http_status, problem);
    chat_release(c);
    x->on_gone = NULL;
    http_respond(x, http_status, headers, n, body);
}

static struct front_error error_for(const struct chat *c, const struct errors_row *row,
                                    const char *message)
{
    return (struct front_error){.http_status = row->http_status,
                                .message = str_from(message),
                                .type = row->type,
                                .code = row->code,
                                .request_id = c->id};
}

static void end_failed(struct chat *c, const struct errors_row *row, const char *message,
                       const struct overflow *overflow, uint64_t retry_after_ms)
{
    struct front_error e = error_for(c, row, message);
    e.overflow = overflow;
    struct buf body;
    buf_init(&body, ERROR_BODY_BYTES_MAX);
    front_error_write(c->front.front, &e, &body);
    end_whole(c, row->http_status, buf_str(&body), retry_after_ms, message);
    buf_done(&body);
}

/* A chat's body as it came, but that after several calls it says which; else in the words of the front. */
static void finish_whole(struct chat *c, struct str body)
{
    struct openai_reply reply;
    struct buf more, answer;
    struct error err = {0};
    enum status status = OK;
    bool is_chat = c->front.front == FRONT_CHAT;
    const struct str completion = body;
    learn_whole(c, body);
    buf_init(&more, body.len + MEMBER_BYTES_MAX);
    buf_init(&answer, SIZE_MAX / 2); /* a few times the body, which is bounded */
    if ((c->has_plan || chat_paid_count(c) > 1 || !is_chat || c->cache.hit) &&
        openai_reply_read(body, &reply, NULL) == OK)
        add_member(c, reply.root, true, &more);
    if (more.len > 0 && more.status == OK)
        body = buf_str(&more);
    if (!is_chat && !c->native) {
        status = front_answer(&c->front, body, &answer, &err);
        body = buf_str(&answer);
    }
    if (status == OK) {
        chat_cache_put_body(c, completion);
        end_whole(c, 200, body, 0, NULL);
    } else {
        end_failed(c, errors_row(status), err.text, NULL, 0);
    }
    buf_done(&answer);
    buf_done(&more);
}

/* The answer is whole. */
static void finish(struct chat *c, const struct expert_answer *answer)
{
    if (!answer->streamed) {
        c->first_token_ms = loop_now_ms(c->worker->loop);
        finish_whole(c, answer->body);
        return;
    }
    if (c->phase == CHAT_ASKING) {
        struct cost cost = chat_cost_total(c);
        begin_stream(c, &cost);
    }
    if (!c->done_mark && !c->native)
        front_stream_event(c->events, STR("[DONE]"), &c->out);
    end_stream(c, NULL);
}

void relay_kept(struct chat *c, const struct held_events *kept)
{
    const struct expert_answer answer = {.streamed = kept->streamed, .body = buf_str(&kept->bytes)};
    struct openai_reply reply;
    struct expert_event event;
    struct error err = {0};
    CHECK(c->phase == CHAT_ASKING);
    note_expert(c, &c->snapshot->config->experts[c->cache.hit->face.expert_index]);
    enum status status = relay_prepare(c, &err);
    if (status != OK) {
        relay_fail(c, status, &err, &answer);
        return;
    }
    for (size_t at = 0; kept->streamed && held_events_next(kept, &at, &event, &reply);)
        relay_data(c, &event);
    finish(c, &answer);
}

static void fail_stream(struct chat *c, enum status status, const struct error *err,
                        const struct overflow *overflow)
{
    struct front_error e = error_for(c, errors_row(status), err->text);
    e.overflow = overflow;
    front_stream_fail(c->events, &e, &c->out);
    end_stream(c, err->text);
}

/* What the expert refuses is the key that we have for it, or our account: nothing that the client could mend. */
static bool is_our_fault(const struct expert_answer *answer)
{
    return answer->http_status >= 401 && answer->http_status <= 403;
}

/* The upstream's own words go through when it says that the request is at fault, or that there are too many; its
 * own breakdowns are a bad gateway to our client. */
static int status_for_client(enum status status, const struct expert_answer *answer)
{
    if (is_our_fault(answer))
        return errors_row(ERR_UPSTREAM)->http_status;
    if (answer->http_status >= 400 && answer->http_status < 500)
        return answer->http_status;
    return errors_row(status)->http_status;
}

/* Whether the expert's error bodies are what the client's library expects. */
static bool speaks_as_client(const struct chat *c)
{
    return c->chosen && front_takes_errors(c->front.front, chat_expert(c)->dialect);
}

/* Several have failed: the client hears of each, whatever the last one said. Not where the request is at fault, which
 * the last one found. */
static bool fail_together(struct chat *c, enum status status, const struct expert_answer *answer)
{
    bool tried_all = answer->retry != EXPERT_RETRY_NEVER || status == ERR_OVERLOAD;
    struct str told = c->asking && tried_all ? asking_failures(c->asking) : STR("");
    int http_status = status_for_client(status, answer);
    if (told.len == 0)
        return false;
    if (http_status < 500 && http_status != 429) /* a fault of experts, each in its own way */
        http_status = errors_row(ERR_UPSTREAM)->http_status;
    const struct errors_row row = http_status == errors_row(status)->http_status
                                      ? *errors_row(status)
                                      : errors_http_row(http_status);
    end_failed(c, &row, arena_printf(c->x->arena, "%.*s", STR_FMT(told)), NULL,
               answer->retry_after_ms);
    return true;
}

/* One piece: each way to say it rules out those below: inside the stream, in the expert's own words, in ours. */
void relay_fail(struct chat *c, enum status status, const struct error *err,
                const struct expert_answer *answer)
{
    if (c->phase == CHAT_RELAYING) {
        fail_stream(c, status, err, NULL);
        return;
    }
    struct openai_error upstream;
    struct overflow overflow;
    bool too_long = answer->reason == RETRY_REFUSED && overflow_read(answer->body, &overflow);
    if (too_long && c->request.stream && front_streams_overflow(c->front.front)) {
        struct cost cost = chat_cost_total(c);
        begin_stream(c, &cost);
        fail_stream(c, ERR_CONTEXT, err, &overflow);
        return;
    }
    if (!too_long && fail_together(c, status, answer))
        return;
    int http_status = too_long ? 400 : status_for_client(status, answer);
    bool own = http_status != answer->http_status;
    struct error ours;
    if (!too_long && is_our_fault(answer)) {
        status =
            error_set(&ours, ERR_UPSTREAM,
                      "the expert refuses this gateway's own key or account: %.300s", err->text);
        err = &ours;
    }
    const struct errors_row row = too_long ? *errors_row(ERR_CONTEXT)
                                  : own    ? *errors_row(status)
                                           : errors_http_row(http_status);
    openai_error_read(answer->body, &upstream);
    if (!own && upstream.standard && speaks_as_client(c) &&
        (!too_long || front_says_overflow(c->front.front, answer->body)))
        end_whole(c, http_status, answer->body, answer->retry_after_ms, err->text);
    else
        end_failed(c, &row, err->text, too_long ? &overflow : NULL, answer->retry_after_ms);
}

void relay_done(struct chat *c, const struct asking_end *end)
{
    note_answering(c);
    if (end->status == OK)
        finish(c, end->answer);
    else
        relay_fail(c, end->status, end->err, end->answer);
}
