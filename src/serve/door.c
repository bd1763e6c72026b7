/* The door: who is let in, with what, in one order of refusals for every path, so that a stranger learns nothing of
 * what lies behind and leaves no body in memory.
 *
 * Runs on the worker's thread, when a request's head is complete; it may not wait, and what it says no to it answers
 * itself. The server alone calls it. */
#include "serve/door.h"

#include <stdio.h>

#include "net/http_cors.h"
#include "serve/admission.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"
#include "serve/stranger.h"
#include "serve/unpack.h"

#define PATH_SHOWN_BYTES    40
#define OPEN_BODY_BYTES_MAX 4096
#define ALLOW_BYTES_MAX     64

static bool refuse(struct http_exchange *x, int http_status, const char *message, const char *allow)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("allow"), str_from(allow)},
    };
    struct buf body;
    buf_init(&body, 4096);
    errors_write_http(x->path, http_status, message, &body);
    http_respond(x, http_status, headers, allow ? 2 : 1, buf_str(&body));
    buf_done(&body);
    return false;
}

static bool refuse_path(struct http_exchange *x)
{
    char message[160];
    int shown = x->path.len < PATH_SHOWN_BYTES ? (int)x->path.len : PATH_SHOWN_BYTES;
    snprintf(message, sizeof(message),
             "unknown path %.*s; there are /v1/chat/completions, /v1/responses, /v1/messages, "
             "/v1/models and others",
             shown, x->path.ptr);
    return refuse(x, 404, message, NULL);
}

/* Codex tries a WebSocket first. Only at this status does it take HTTP at once; at others it tries five times more. */
static bool is_websocket(const struct http_exchange *x)
{
    return str_equal_nocase(http_header_get(x, "upgrade"), STR("websocket"));
}

static bool refuse_method(struct worker *w, struct http_exchange *x, const struct path *path)
{
    char message[160];
    bool websocket = is_websocket(x);
    struct buf allow;
    buf_init(&allow, ALLOW_BYTES_MAX);
    path_methods(&w->gateway->above.paths, path, &allow);
    if (websocket)
        snprintf(message, sizeof(message), "no WebSocket is offered; send %s over HTTP", allow.ptr);
    else
        snprintf(message, sizeof(message), "%s takes %s", path->path, allow.ptr);
    refuse(x, websocket ? 426 : 405, message, allow.ptr);
    buf_done(&allow);
    return false;
}

static bool refuse_body(struct http_exchange *x, const struct path *path)
{
    char message[160];
    snprintf(message, sizeof(message), "%s takes no body", path->path);
    return refuse(x, 413, message, NULL);
}

/* Pages of other origins */

size_t door_headers(const struct http_header *headers, size_t count, struct http_header *into,
                    void *worker)
{
    const struct http_cors cors = stranger_cors(worker);
    struct str origin = STR("");
    for (size_t i = 0; cors.count > 0 && i < count; i++)
        if (str_equal_nocase(headers[i].name, STR("origin")))
            origin = headers[i].value;
    return http_cors_headers(&cors, origin, into);
}

/* Browsers send no key along when they ask for permission. */
static bool answer_preflight(struct worker *w, struct http_exchange *x)
{
    const struct http_cors cors = stranger_cors(w);
    if (!http_cors_is_preflight(x) || !http_cors_lets(&cors, http_header_get(x, "origin")))
        return false;
    http_cors_answer_preflight(&cors, x);
    return true;
}

/* A web page may make a browser send a "simple" request to a loopback address without asking; one that says it
 * is JSON needs a permission. */
static bool is_browser_trick(const struct http_exchange *x)
{
    struct str type = http_header_get(x, "content-type");
    return http_header_get(x, "origin").ptr && str_find(type, STR("json"), 0) == SIZE_MAX;
}

/* Where nobody is asked for a key nobody's body is worth much memory: it must say how small it is. */
static bool is_small(const struct http_exchange *x)
{
    uint64_t bytes = 0;
    return !http_header_get(x, "transfer-encoding").ptr &&
           !http_header_get(x, "content-encoding").ptr &&
           str_to_uint64(str_trim(http_header_get(x, "content-length")), &bytes) == OK &&
           bytes <= OPEN_BODY_BYTES_MAX;
}

bool door_ask(struct http_exchange *x, void *worker)
{
    struct worker *w = worker;
    const struct path *path = path_find(&w->gateway->above.paths, x->path, x->method);
    struct caller *caller = ARENA_NEW(x->arena, struct caller);
    if (!caller) {
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return false;
    }
    if (!stranger_pass(w, x, path))
        return false;
    if (answer_preflight(w, x) || !admission_pass(w, x, path, caller))
        return false;
    x->user = caller;
    if (!path)
        return refuse_path(x);
    if (!path_takes(path, x->method))
        return refuse_method(w, x, path);
    if (!path_takes_body(path))
        return !x->has_body || refuse_body(x, path);
    if (is_browser_trick(x))
        return refuse(x, 415, "send content-type: application/json", NULL);
    if (path->admission == ADMISSION_PAGE && !is_small(x))
        return refuse(x, 413, "send a small body here, with its content-length, as it is", NULL);
    return unpack_offered(x);
}
