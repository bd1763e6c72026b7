/* POST /v1/feedback: {"request_id", "score" 0..1, "comment"?}, written down beside the request. Where the request's
 * answer was held to a check, the check is learnt of, too. On the worker's thread; the ledger is asked for the request
 * by a thread of its own, and a client that has left by then is not answered. Nothing but the table of paths calls the
 * handler. */
#include "base/clock.h"
#include "serve/gateway_int.h"
#include "serve/requests.h"
#include "watch/lookup.h"

#include "base/json.h"

#define ANSWER_BYTES_MAX 1024

struct feedback {
    struct worker *worker;
    const struct caller *caller;
    struct str request_id, comment;
    double score;
    bool has_id, has_score, has_comment;
};

/* One member; `param` names it for the client. */
static enum status take_member(struct feedback *f, struct json_value key, struct json_value v,
                               struct arena *a, const char **param, struct error *err)
{
    bool *seen;
    enum status status = OK;
    if (json_string_equal(key, STR("request_id"))) {
        *param = "request_id";
        seen = &f->has_id;
        status = json_string_decode(v, a, &f->request_id);
    } else if (json_string_equal(key, STR("score"))) {
        *param = "score";
        seen = &f->has_score;
        status = json_to_double(v, &f->score);
        if (status == OK && !(f->score >= 0 && f->score <= 1))
            status = ERR_INPUT;
    } else if (json_string_equal(key, STR("comment"))) {
        *param = "comment";
        seen = &f->has_comment;
        status = json_string_decode(v, a, &f->comment);
    } else {
        *param = NULL;
        return error_set(err, ERR_INPUT,
                         "unknown member %.*s; known are request_id, score, comment",
                         (int)(key.raw.len < 60 ? key.raw.len : 60), key.raw.ptr);
    }
    if (status == ERR_MEMORY)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (status != OK)
        return error_set(err, ERR_INPUT, "%s must be %s", *param,
                         seen == &f->has_score ? "a number from 0 to 1" : "a string");
    if (*seen)
        return error_set(err, ERR_INPUT, "%s is there twice", *param);
    *seen = true;
    return OK;
}

static enum status read_feedback(struct feedback *f, const struct http_exchange *x,
                                 const char **param, struct error *err)
{
    struct json_value root, key, v;
    enum status status = json_parse(x->body, "request body", 1, &root, err);
    if (status == OK && root.type != JSON_OBJECT)
        status = error_set(err, ERR_INPUT, "the body must be a JSON object");
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(root);
    while (status == OK && json_object_next(&it, &key, &v))
        status = take_member(f, key, v, x->arena, param, err);
    if (status != OK)
        return status;
    *param = f->has_id ? "score" : "request_id";
    if (!f->has_id || !f->has_score)
        return error_set(err, ERR_INPUT, "%s is missing", *param);
    *param = "comment";
    if (f->comment.len > LEDGER_COMMENT_BYTES_MAX)
        return error_set(err, ERR_INPUT, "comment is over %d bytes", LEDGER_COMMENT_BYTES_MAX);
    return OK;
}

static void answer_taken(struct http_exchange *x, const struct feedback *f)
{
    struct buf body;
    buf_init(&body, ANSWER_BYTES_MAX);
    buf_add_c(&body, "{\"request_id\":");
    json_write_string(&body, f->request_id);
    buf_add_c(&body, ",\"score\":");
    json_write_double(&body, f->score);
    buf_add_char(&body, '}');
    answer_json(x, 200, NULL, buf_str(&body));
    buf_done(&body);
}

/* What the check said of the answer that stood tells how far the check is to be believed. */
static void learn(const struct feedback *f, const struct ledger_found *found)
{
    struct json_value list, call;
    struct pool *pool = f->worker->snapshot->pool;
    size_t policy = pool_policy_index(pool, found->policy);
    if (policy == SIZE_MAX || !found->calls.len ||
        json_parse(found->calls, "calls", 1, &list, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(list);
    while (list.type == JSON_ARRAY && json_array_next(&it, &call)) {
        struct json_value verdict = json_get(call, "verdict");
        bool passed = json_string_equal(verdict, STR("passed"));
        if ((passed || json_string_equal(verdict, STR("rejected"))) &&
            json_string_equal(json_get(call, "checked"), found->expert))
            pool_check_feedback(pool, policy, passed, f->score);
    }
}

static void on_found(struct http_exchange *x, void *user, enum status status,
                     const struct ledger_found *found, const struct error *why)
{
    const struct feedback *f = user;
    struct error err = *why;
    if (status == OK && !request_is_visible(found, f->caller))
        status = error_set(&err, ERR_NOT_FOUND, "no request of that id is in the ledger");
    if (status == OK) {
        status = ledger_feedback(f->worker->gateway->ledger, f->request_id, f->score, f->comment,
                                 clock_wall_ms());
        if (status != OK)
            error_set(&err, status, "the ledger is full; send it again later");
    }
    if (status == OK) {
        learn(f, found);
        answer_taken(x, f);
    } else {
        answer_error(x, NULL, status, err.text, status == ERR_NOT_FOUND ? "request_id" : NULL,
                     NULL);
    }
}

void feedback_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct error err = {0};
    const char *param = NULL;
    struct feedback *f = ARENA_NEW(x->arena, struct feedback);
    if (!f) {
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return;
    }
    f->worker = w;
    f->caller = caller;
    enum status status = read_feedback(f, x, &param, &err);
    if (status == OK) {
        param = "request_id";
        if (w->gateway->lookup)
            status =
                lookup_request(w->gateway->lookup, w->loop, x, f->request_id, on_found, f, &err);
        else
            status = error_set(&err, ERR_NOT_FOUND, "this gateway keeps no ledger");
    }
    if (status != OK)
        answer_error(x, NULL, status, err.text,
                     status == ERR_INPUT || status == ERR_NOT_FOUND ? param : NULL, NULL);
}
