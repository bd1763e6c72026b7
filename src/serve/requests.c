/* GET /v1/requests/ID. A database may take its time, so lookup.c reads on a thread of its own and the answer is written
 * when it has come back to the worker's. A client that has left in between is noticed there, and nothing is written for
 * it. */
#include "serve/requests.h"

#include "serve/errors.h"
#include "serve/gateway_int.h"
#include "watch/lookup.h"
#include "watch/request_json.h"

#define REQUEST_BYTES_MAX (64u << 10)
#define REQUESTS_PATH     STR("/v1/requests/")

bool request_is_visible(const struct ledger_found *found, const struct caller *caller)
{
    return !caller->key || str_equal(found->key, caller_key_id(caller));
}

static bool may_hear_of(const void *caller, struct str expert)
{
    return caller_may_hear_of(caller, expert);
}

static void answer(struct http_exchange *x, void *user, enum status status,
                   const struct ledger_found *found, const struct error *err)
{
    const struct caller *caller = user;
    const struct request_json_view view = {may_hear_of, caller};
    struct buf body;
    if (status != OK) {
        answer_error(x, NULL, status, err->text, NULL, NULL);
        return;
    }
    if (!request_is_visible(found, caller)) {
        answer_error(x, NULL, ERR_NOT_FOUND, "no request of that id is in the ledger", NULL, NULL);
        return;
    }
    buf_init(&body, REQUEST_BYTES_MAX);
    request_json_write(found, &view, &body);
    if (body.status == OK)
        answer_json(x, 200, NULL, buf_str(&body));
    else
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(&body);
}

void requests_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct error err = {0};
    enum status status = ERR_NOT_FOUND;
    if (w->gateway->lookup)
        status = lookup_request(w->gateway->lookup, w->loop, x,
                                str_slice(x->path, REQUESTS_PATH.len, x->path.len), answer, caller,
                                &err);
    else
        error_set(&err, status, "this gateway keeps no ledger");
    if (status != OK)
        answer_error(x, NULL, status, err.text, NULL, NULL);
}
