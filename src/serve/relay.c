/* From the expert's answer to the client's: whole answers as they came, streams event by event. Nothing is sent
 * before the first content, so that until then another expert may take over. */
#include <string.h>

#include "expert/openai.h"
#include "net/sse.h"
#include "serve/chat_int.h"
#include "serve/errors.h"

#define ERROR_BODY_BYTES_MAX (16u << 10)

/* Streams */

static void begin_stream(struct chat *c)
{
    struct http_header headers[CHAT_HEADERS_MAX];
    struct chat_cost predicted = chat_cost_predicted(c);
    size_t n = chat_headers(c, &predicted, headers);
    headers[n++] =
        (struct http_header){STR("content-type"), STR("text/event-stream; charset=utf-8")};
    headers[n++] = (struct http_header){STR("cache-control"), STR("no-cache")};
    headers[n++] = (struct http_header){STR("x-accel-buffering"), STR("no")};
    headers[n++] =
        (struct http_header){STR("trailer"), STR("x-leeroo-cost-usd, x-leeroo-cost-basis")};
    c->x->on_drained = relay_drained;
    http_stream_begin(c->x, 200, headers, n);
    c->started = true;
    c->phase = CHAT_RELAYING;
}

/* The usage chunk with what it cost put into it, in front of its closing brace. */
static void write_usage_event(struct chat *c, struct str data, const struct openai_reply *reply)
{
    struct buf member, event;
    struct chat_cost cost = chat_cost_found(c, expert_call_answer(c->call));
    buf_init(&member, 4096);
    buf_init(&event, data.len + 4096);
    buf_add_c(&member, ",\"leeroo\":{\"expert\":");
    json_write_string(&member, chat_expert(c)->name);
    buf_addf(&member, ",\"plan\":\"%s\",\"cost_usd\":", plan_kind_name(PLAN_SINGLE));
    money_format_usd(&member, cost.nano_usd);
    buf_addf(&member, ",\"cost_basis\":\"%s\"}", cost_basis_name(cost.basis));
    const struct json_edit edit = {{reply->root.raw.ptr + reply->root.raw.len - 1, 0},
                                   buf_str(&member)};
    json_splice(reply->root.raw, &edit, 1, &event);
    sse_write(&c->out, event.status == OK ? buf_str(&event) : data);
    buf_done(&member);
    buf_done(&event);
}

void relay_event(struct expert_call *call, struct str data, const struct openai_reply *reply)
{
    struct chat *c = expert_call_user(call);
    if (c->done_mark)
        return; /* nothing may follow [DONE] */
    if (!reply) {
        c->done_mark = str_equal(str_trim(data), STR("[DONE]"));
        c->has_content |= c->done_mark;
        sse_write(&c->out, data);
        return;
    }
    if (reply->has_content && !c->has_content) {
        c->has_content = true;
        c->first_token_ms = loop_now_ms(c->worker->loop);
    }
    if (reply->usage_only && !c->request.wants_usage)
        return; /* we asked for it, the client did not */
    if (c->request.wants_usage && reply->usage.known && (reply->usage_only || reply->finished))
        write_usage_event(c, data, reply);
    else
        sse_write(&c->out, data);
}

static void write_out(struct chat *c)
{
    if (!c->started)
        begin_stream(c);
    bool room = http_stream_write(c->x, buf_str(&c->out));
    buf_clear(&c->out);
    if (!room && !c->full) {
        c->full = true;
        expert_call_pause(c->call);
    }
}

void relay_flush(struct expert_call *call)
{
    struct chat *c = expert_call_user(call);
    if (c->out.len > 0 && (c->has_content || c->out.len > CHAT_HELD_BYTES_MAX))
        write_out(c);
    if (c->done_mark && c->started && !c->lingering) {
        c->lingering = true;
        loop_timer_start(c->timer, CHAT_DONE_LINGER_MS);
    }
}

void relay_drained(struct http_exchange *x)
{
    struct chat *c = x->user;
    if (!c->full)
        return;
    c->full = false; /* first: resuming may bring bytes, and they may fill the buffer again */
    if (c->call)
        expert_call_resume(c->call);
}

/* Ends of the exchange. The chat lives in the exchange's arena, so nothing touches it after the last call. */

static void end_stream(struct chat *c, const struct chat_cost *cost, const char *problem)
{
    struct http_header headers[CHAT_HEADERS_MAX], trailers[2];
    struct http_exchange *x = c->x;
    size_t n = chat_headers(c, cost, headers), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (str_starts(headers[i].name, STR("x-leeroo-cost-")) && kept < 2)
            trailers[kept++] = headers[i];
    if (c->out.len > 0)
        http_stream_write(x, buf_str(&c->out));
    chat_account(c, 200, cost, problem);
    chat_release(c);
    x->on_gone = NULL;
    x->on_drained = NULL;
    http_stream_end(x, trailers, kept);
}

static void end_whole(struct chat *c, int http_status, const struct chat_cost *cost,
                      struct str body, struct str content_type, uint64_t retry_after_ms,
                      const char *problem)
{
    struct http_header headers[CHAT_HEADERS_MAX];
    struct http_exchange *x = c->x;
    size_t n = chat_headers(c, cost, headers);
    headers[n++] = (struct http_header){STR("content-type"), content_type};
    if (retry_after_ms > 0) {
        const char *seconds =
            arena_printf(x->arena, "%llu", (unsigned long long)((retry_after_ms + 999) / 1000));
        headers[n++] = (struct http_header){STR("retry-after"), str_from(seconds)};
    }
    chat_account(c, http_status, cost, problem);
    c->call = NULL; /* it holds the body, and goes by itself when on_done returns */
    chat_release(c);
    x->on_gone = NULL;
    http_respond(x, http_status, headers, n, body);
}

void relay_linger_over(struct chat *c)
{
    struct chat_cost cost = chat_cost_found(c, expert_call_answer(c->call));
    end_stream(c, &cost, NULL);
}

void relay_finish(struct chat *c, const struct expert_answer *answer)
{
    struct chat_cost cost = chat_cost_found(c, answer);
    if (!answer->streamed) {
        c->first_token_ms = loop_now_ms(c->worker->loop);
        end_whole(c, 200, &cost, answer->body, STR("application/json"), 0, NULL);
        return;
    }
    if (!c->started)
        begin_stream(c);
    if (!c->done_mark)
        sse_write(&c->out, STR("[DONE]"));
    c->call = NULL;
    end_stream(c, &cost, NULL);
}

static void fail_stream(struct chat *c, enum status status, const struct error *err,
                        const struct expert_answer *answer)
{
    struct buf body;
    struct chat_cost cost = chat_cost_found(c, answer);
    buf_init(&body, ERROR_BODY_BYTES_MAX);
    errors_write(&body, status, err->text, NULL, NULL);
    sse_write(&c->out, buf_str(&body));
    buf_done(&body);
    c->call = NULL;
    end_stream(c, &cost, err->text);
}

/* The upstream's own words go through when it says that the request is at fault, or that there are too many; its
 * own breakdowns are a bad gateway to our client. */
static int status_for_client(enum status status, const struct expert_answer *answer)
{
    if (answer->http_status >= 400 && answer->http_status < 500)
        return answer->http_status;
    return errors_row(status)->http_status;
}

void relay_fail(struct chat *c, enum status status, const struct error *err,
                const struct expert_answer *answer)
{
    if (c->started) {
        fail_stream(c, status, err, answer);
        return;
    }
    struct buf body;
    struct openai_error upstream;
    const struct chat_cost none = {COST_ESTIMATED, 0, 0, 0};
    int http_status = status_for_client(status, answer);
    openai_error_read(answer->body, &upstream);
    buf_init(&body, ERROR_BODY_BYTES_MAX);
    bool relayed = upstream.standard && http_status == answer->http_status;
    if (http_status == answer->http_status)
        errors_write_http(http_status, err->text, &body);
    else
        errors_write(&body, status, err->text, NULL, NULL);
    end_whole(c, http_status, &none, relayed ? answer->body : buf_str(&body),
              STR("application/json"), answer->retry_after_ms, err->text);
    buf_done(&body);
}
