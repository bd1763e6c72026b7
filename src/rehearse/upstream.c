/* The endpoint of experts that are not real: see upstream.h. Each request that is not answered at once has a `struct
 * reply`, which lives in the arena of its exchange and owns at most a timer.
 *
 * Runs on its loop's thread. A reply dies with its exchange, so every path that ends the exchange gives up the timer
 * first; the source and the faults are shared by all loops and must not be freed before the last upstream. */
#include "rehearse/upstream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "data/dataset.h"
#include "rehearse/chat_wire.h"

#define OUT_BYTES_MAX (64u << 20) /* one answer as JSON */
#define SLAB_BYTES    (32u << 10) /* written to the stream at a time */
#define TICK_MS       5           /* pieces due within it go out together */

struct upstream {
    struct loop *loop;
    struct http_server *server;
    struct upstream_options options;
    struct buf out; /* scratch of the answer being written */
};

struct reply {
    struct upstream *upstream;
    struct http_exchange *exchange;
    struct loop_timer *timer; /* NULL: not waiting */
    struct chat_answer chat;
    struct rehearse_answer answer;
    struct fault fault;
    bool stream, begun, full, cutting;
    uint64_t started_ms; /* when the first piece was due */
    double piece_ms;     /* between pieces; 0: all at once */
    size_t at;           /* bytes of the answer sent */
    size_t pieces;       /* sent */
    size_t stop_at;      /* bytes after which the fault strikes; SIZE_MAX: none */
};

static const struct http_header JSON_HEADERS[] = {{{"content-type", 12}, {"application/json", 16}}};
static const struct http_header STREAM_HEADERS[] = {
    {{"content-type", 12}, {"text/event-stream; charset=utf-8", 32}},
    {{"cache-control", 13}, {"no-cache", 8}},
};

static void respond_error(struct upstream *u, struct http_exchange *x, int http_status,
                          const char *code, const char *message)
{
    struct http_header headers[2] = {JSON_HEADERS[0]};
    size_t count = 1;
    char seconds[16];
    if (http_status == 429) {
        snprintf(seconds, sizeof(seconds), "%u", u->options.retry_after_s);
        headers[count++] = (struct http_header){STR("retry-after"), str_from(seconds)};
    }
    const char *type = http_status == 429   ? "rate_limit_error"
                       : http_status >= 500 ? "server_error"
                                            : "invalid_request_error";
    buf_clear(&u->out);
    chat_write_error(&u->out, type, code, str_from(message));
    http_respond(x, http_status, headers, count, buf_str(&u->out));
}

static void error_body(struct str path, int http_status, const char *message, struct buf *into)
{
    (void)path;
    chat_write_error(into, http_status >= 500 ? "server_error" : "invalid_request_error",
                     http_status == 413 ? "request_too_large" : "bad_request", str_from(message));
}

/* Ends of a reply: each gives up the timer first, because the reply dies with its exchange. */

static void release(struct reply *r)
{
    loop_timer_free(r->timer);
    r->timer = NULL;
    r->exchange->on_gone = NULL;
    r->exchange->on_drained = NULL;
}

static void on_gone(struct http_exchange *x)
{
    struct reply *r = x->user;
    loop_timer_free(r->timer);
    r->timer = NULL;
}

static void cut(struct reply *r)
{
    release(r);
    http_abort(r->exchange);
}

/* Cuts the connection a moment later, so that what was written reaches the client first. */
static void cut_soon(struct reply *r)
{
    r->cutting = true;
    loop_timer_start(r->timer, TICK_MS);
}

static void respond_whole(struct reply *r)
{
    struct upstream *u = r->upstream;
    struct http_exchange *x = r->exchange;
    buf_clear(&u->out);
    chat_write_whole(&u->out, &r->chat);
    if (buf_status(&u->out, NULL) != OK) {
        respond_error(u, x, 500, "answer_too_large", "the recorded answer is too large");
        return;
    }
    http_respond(x, 200, JSON_HEADERS, 1, buf_str(&u->out));
}

/* How many pieces are due by now; the end of the stream counts as one more piece. */
static size_t pieces_due(const struct reply *r)
{
    if (r->piece_ms <= 0)
        return SIZE_MAX;
    uint64_t now = loop_now_ms(r->upstream->loop);
    double waited = now > r->started_ms ? (double)(now - r->started_ms) : 0;
    return 1 + (size_t)(waited / r->piece_ms);
}

static void wait_for_piece(struct reply *r)
{
    CHECK(r->timer);
    uint64_t now = loop_now_ms(r->upstream->loop);
    uint64_t due = r->started_ms + (uint64_t)((double)r->pieces * r->piece_ms) + 1;
    loop_timer_start(r->timer, due > now + TICK_MS ? due - now : TICK_MS);
}

/* Collects pieces into the scratch buffer until none is due, the slab is full, or the fault strikes. */
static void collect_pieces(struct reply *r)
{
    struct buf *out = &r->upstream->out;
    size_t due = pieces_due(r);
    while (r->at < r->answer.text.len && r->pieces < due && out->len < SLAB_BYTES &&
           r->at < r->stop_at) {
        struct str piece = chat_piece(r->answer.text, r->at);
        chat_write_delta(out, &r->chat, piece);
        r->at += piece.len;
        CHECK(piece.len > 0);
        CHECK(r->at <= r->answer.text.len);
        r->pieces++;
    }
}

/* Sends what is due, then ends, fails or waits for more. One loop, because after each write any of these may be next:
 * the client may be slow, the fault may strike, the answer may be over, or more pieces may have become due
 * meanwhile. */
static void stream_on(struct reply *r)
{
    struct http_exchange *x = r->exchange;
    struct buf *out = &r->upstream->out;
    for (;;) {
        buf_clear(out);
        if (!r->begun) {
            http_stream_begin(x, 200, STREAM_HEADERS, 2);
            chat_write_role(out, &r->chat);
            r->begun = true;
        }
        collect_pieces(r);
        bool struck = r->at >= r->stop_at;
        bool done = r->at == r->answer.text.len && !struck && r->pieces < pieces_due(r);
        if (done)
            chat_write_finish(out, &r->chat);
        r->full = out->len > 0 && !http_stream_write(x, buf_str(out));
        if (struck) {
            if (r->fault.kind == FAULT_CUT)
                cut_soon(r);
            return; /* a stall stays silent until the client ends it */
        }
        if (done) {
            release(r);
            http_stream_end(x, NULL, 0);
            return;
        }
        if (r->full)
            return; /* on_drained goes on */
        if (pieces_due(r) <= r->pieces) {
            wait_for_piece(r);
            return;
        }
    }
}

static void on_drained(struct http_exchange *x)
{
    struct reply *r = x->user;
    if (r->begun && r->full && r->at < r->stop_at)
        stream_on(r);
}

/* A client that wants the answer whole sees half a body, then the cut or silence. */
static void fail_whole(struct reply *r)
{
    struct upstream *u = r->upstream;
    buf_clear(&u->out);
    chat_write_whole(&u->out, &r->chat);
    struct str body = buf_str(&u->out);
    http_stream_begin(r->exchange, 200, JSON_HEADERS, 1);
    http_stream_write(r->exchange,
                      str_slice(body, 0, 1 + (size_t)((double)body.len * r->fault.at)));
    if (r->fault.kind == FAULT_CUT)
        cut_soon(r);
}

/* The time to the first token has passed (for a whole answer: to the last one). */
static void begin(void *arg)
{
    struct reply *r = arg;
    bool faulty = r->fault.kind == FAULT_CUT || r->fault.kind == FAULT_STALL;
    if (r->cutting) {
        cut(r);
    } else if (r->begun) {
        stream_on(r);
    } else if (faulty && r->fault.at_once) {
        if (r->fault.kind == FAULT_CUT)
            cut(r);
    } else if (r->stream) {
        stream_on(r);
    } else if (faulty) {
        fail_whole(r);
    } else {
        release(r);
        respond_whole(r);
    }
}

static uint64_t first_token_ms(const struct upstream *u, uint64_t prompt_hash)
{
    uint64_t low = u->options.ttft_min_ms, high = u->options.ttft_max_ms;
    if (high <= low)
        return low;
    return low + hash64_mix(prompt_hash, u->options.seed) % (high - low + 1);
}

/* Works out the times of a reply; returns the delay until it begins. */
static uint64_t pace(struct reply *r, uint64_t prompt_hash)
{
    const struct upstream *u = r->upstream;
    uint64_t delay_ms = first_token_ms(u, prompt_hash);
    double total_ms = u->options.tokens_per_s > 0
                          ? (double)r->answer.output_tokens * 1000 / u->options.tokens_per_s
                          : 0;
    if (r->stream && total_ms > 0)
        r->piece_ms =
            total_ms / (double)(chat_piece_count(r->answer.text) + (r->answer.text.len == 0));
    else
        delay_ms += (uint64_t)total_ms;
    r->started_ms = loop_now_ms(u->loop) + delay_ms;
    return delay_ms;
}

static void answer_later(struct reply *r, uint64_t delay_ms)
{
    struct http_exchange *x = r->exchange;
    r->timer = loop_timer_create(r->upstream->loop, begin, r);
    if (!r->timer) {
        respond_error(r->upstream, x, 503, "out_of_memory", "out of memory");
        return;
    }
    x->user = r;
    x->on_gone = on_gone;
    x->on_drained = on_drained;
    if (delay_ms > 0)
        loop_timer_start(r->timer, delay_ms);
    else
        begin(r);
}

static size_t find_expert(const struct upstream *u, struct str name)
{
    const struct rehearse_source *s = &u->options.source;
    size_t count = s->ops->expert_count(s->self);
    for (size_t i = 0; i < count; i++)
        if (str_equal(s->ops->expert_name(s->self, i), name))
            return i;
    return SIZE_MAX;
}

/* The answer exists: it is sent now, later, or not at all. The faults that need no reply come first; a reply is only
 * made for what is still to be sent. */
static void send_answer(struct upstream *u, struct http_exchange *x, const struct chat_request *q,
                        size_t expert, const struct rehearse_answer *answer)
{
    uint64_t prompt_hash = text_hash(q->prompt);
    struct fault fault = {FAULT_NONE, false, 0};
    if (u->options.faults)
        fault = faults_draw(u->options.faults, expert, prompt_hash);
    if (fault.kind == FAULT_429) {
        respond_error(u, x, 429, "rate_limit_exceeded", "rate limit reached (rehearsed)");
        return;
    }
    if (fault.kind == FAULT_500) {
        respond_error(u, x, 500, "internal_error", "internal error (rehearsed)");
        return;
    }
    struct reply *r = ARENA_NEW(x->arena, struct reply);
    if (!r) {
        respond_error(u, x, 503, "out_of_memory", "out of memory");
        return;
    }
    *r = (struct reply){.upstream = u,
                        .exchange = x,
                        .answer = *answer,
                        .fault = fault,
                        .stream = q->stream,
                        .stop_at = SIZE_MAX};
    r->chat = (struct chat_answer){hash64_mix(prompt_hash, expert), clock_wall_ms() / 1000,
                                   q->model, q->include_usage, &r->answer};
    if (fault.kind != FAULT_NONE)
        r->stop_at = (size_t)((double)answer->text.len * fault.at);
    uint64_t delay_ms = pace(r, prompt_hash);
    if (delay_ms == 0 && !r->stream && fault.kind == FAULT_NONE)
        respond_whole(r);
    else
        answer_later(r, delay_ms);
}

static void handle_chat(struct upstream *u, struct http_exchange *x)
{
    const struct rehearse_source *s = &u->options.source;
    struct chat_request q;
    struct rehearse_answer answer;
    struct error err;
    if (chat_request_parse(x->body, x->arena, &q, &err) != OK) {
        respond_error(u, x, 400, "invalid_request", err.text);
        return;
    }
    size_t expert = find_expert(u, q.model);
    if (expert == SIZE_MAX) {
        error_set(&err, ERR_NOT_FOUND, "no expert '%.*s' here; GET /v1/models lists them",
                  (int)(q.model.len > 100 ? 100 : q.model.len), q.model.ptr);
        respond_error(u, x, 404, "model_not_found", err.text);
        return;
    }
    enum status status = s->ops->answer(s->self, expert, q.prompt, x->arena, &answer, &err);
    if (status == ERR_NOT_FOUND)
        respond_error(u, x, 404, "prompt_not_recorded", err.text);
    else if (status != OK)
        respond_error(u, x, 500, status_name(status), err.text);
    else
        send_answer(u, x, &q, expert, &answer);
}

static void handle_models(struct upstream *u, struct http_exchange *x)
{
    const struct rehearse_source *s = &u->options.source;
    size_t count = s->ops->expert_count(s->self);
    buf_clear(&u->out);
    buf_add(&u->out, STR("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < count; i++) {
        buf_add(&u->out, i > 0 ? STR(",{\"id\":") : STR("{\"id\":"));
        json_write_string(&u->out, s->ops->expert_name(s->self, i));
        buf_add(&u->out, STR(",\"object\":\"model\",\"created\":0,\"owned_by\":\"leeroo\"}"));
    }
    buf_add(&u->out, STR("]}"));
    http_respond(x, 200, JSON_HEADERS, 1, buf_str(&u->out));
}

static void handle(struct http_exchange *x, void *arg)
{
    struct upstream *u = arg;
    bool get = str_equal(x->method, STR("GET")), post = str_equal(x->method, STR("POST"));
    bool chat = str_equal(x->path, STR("/v1/chat/completions"));
    bool models = str_equal(x->path, STR("/v1/models"));
    bool health = str_equal(x->path, STR("/healthz"));
    if (chat && post)
        handle_chat(u, x);
    else if (models && get)
        handle_models(u, x);
    else if (health && get)
        http_respond(x, 200, JSON_HEADERS, 1, STR("{\"status\":\"ok\"}"));
    else if (chat || models || health)
        respond_error(u, x, 405, "method_not_allowed", "this path does not take this method");
    else
        respond_error(u, x, 404, "unknown_path",
                      "no such path; there are /v1/chat/completions, /v1/models and /healthz");
}

enum status upstream_create(struct loop *l, int listen_fd, const struct upstream_options *options,
                            struct upstream **ret, struct error *err)
{
    struct upstream *u = calloc(1, sizeof(*u));
    if (!u)
        return error_set(err, ERR_MEMORY, "out of memory");
    u->loop = l;
    u->options = *options;
    buf_init(&u->out, OUT_BYTES_MAX);
    struct http_server_options server = {.error_body = error_body};
    enum status status = http_server_create(l, listen_fd, &server, handle, u, &u->server, err);
    if (status != OK) {
        free(u);
        return status;
    }
    *ret = u;
    return OK;
}

void upstream_free(struct upstream *u)
{
    if (!u)
        return;
    http_server_free(u->server);
    buf_done(&u->out);
    free(u);
}
