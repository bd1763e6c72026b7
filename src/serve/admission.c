/* Who is let in: a key in a header, or a browser's session that stands for one, and the role that the path is for. What
 * a refusal says is the same for every path, so that it tells nothing of what lies behind.
 *
 * Runs on the worker's thread at the door; nothing here waits, and the caller that it fills belongs to the exchange. */
#include "serve/admission.h"

#include "base/clock.h"
#include "keys/client_keys.h"
#include "keys/sign_in.h"
#include "serve/errors.h"

#define BODY_BYTES_MAX (16u << 10)
#define HEADERS_MAX    (CALLER_HEADERS_MAX + 3)

/* OpenAI's, Anthropic's and Azure's libraries; the first that is not empty. */
static struct str find_secret(const struct http_exchange *x)
{
    static const char *const others[] = {"x-api-key", "api-key"};
    struct str bearer = http_header_get(x, "authorization");
    if (bearer.len > 7 && str_equal_nocase(str_slice(bearer, 0, 7), STR("bearer ")))
        return str_trim(str_slice(bearer, 7, bearer.len));
    for (size_t i = 0; i < 2; i++) {
        struct str value = str_trim(http_header_get(x, others[i]));
        if (value.len > 0)
            return value;
    }
    return STR("");
}

/* A header with a key counts, and the cookie only where there is none. */
static enum status find_key(struct worker *w, struct http_exchange *x, struct caller *caller,
                            bool *had_one)
{
    struct digest key;
    struct str secret = find_secret(x), cookie = sign_in_cookie(x->headers, x->header_count);
    int64_t now_ms = clock_wall_ms();
    *had_one = secret.len > 0 || cookie.len > 0;
    if (secret.len > 0)
        return keys_find(w->gateway->keys, secret, now_ms, &caller->key);
    if (!sign_ins_find(w->gateway->sign_ins, cookie, now_ms, &key, &caller->session_end_ms))
        return ERR_AUTH;
    caller->cookie = cookie;
    return keys_find_digest(w->gateway->keys, &key, now_ms, &caller->key);
}

/* Browsers send a cookie with whatever any page makes them send. */
static bool is_forged(const struct http_exchange *x, const struct caller *caller)
{
    bool reads = str_equal(x->method, STR("GET")) || str_equal(x->method, STR("HEAD"));
    return caller->cookie.len > 0 && !reads &&
           !sign_in_csrf_is(caller->cookie, http_header_get(x, SIGN_IN_CSRF_HEADER));
}

static void respond(struct http_exchange *x, const char *id, enum status status, const char *text,
                    struct http_header *headers, size_t count)
{
    const struct errors_row *row = errors_row(status);
    const struct front_error e = {.http_status = row->http_status,
                                  .message = str_from(text),
                                  .type = row->type,
                                  .code = row->code,
                                  .request_id = id};
    struct buf body;
    buf_init(&body, BODY_BYTES_MAX);
    front_error_write(path_words(x->path), &e, &body);
    headers[count++] = (struct http_header){STR("content-type"), STR("application/json")};
    headers[count++] = (struct http_header){STR("x-leeroo-request-id"), str_from(id)};
    headers[count++] = (struct http_header){STR("x-request-id"), str_from(id)};
    http_respond(x, row->http_status, headers, count, buf_str(&body));
    buf_done(&body);
}

static void turn_away(struct worker *w, struct http_exchange *x, bool had_one)
{
    char id[RECORD_ID_BYTES];
    struct http_header headers[HEADERS_MAX] = {{STR("www-authenticate"), STR("Bearer")}};
    worker_request_id(w, id);
    keys_note_refused(w->gateway->keys, had_one);
    watch_rejected(&w->watch, errors_row(ERR_AUTH)->http_status);
    respond(x, id, ERR_AUTH,
            had_one ? "the API key is not good here"
                    : "an API key is needed: send `Authorization: Bearer lr-...`, or x-api-key",
            headers, 1);
}

/* What a key is for: sums over everybody, what it does itself, or all of it. */
static bool is_for(enum key_role role, enum path_admission needs)
{
    if (role == KEY_ADMIN)
        return true;
    return needs != ADMISSION_ADMIN && (role == KEY_METRICS) == (needs == ADMISSION_METRICS);
}

static const char *why_not(enum key_role role, enum path_admission needs)
{
    if (needs == ADMISSION_ADMIN)
        return "this is for an admin key: `leeroo keys create --role admin --name NAME`";
    return role == KEY_METRICS
               ? "this key is for /metrics, and for nothing else"
               : "/metrics has the sums of all keys and is for a key that is made for it: "
                 "`leeroo keys create --role metrics --name NAME`";
}

static void turn_back(struct worker *w, struct http_exchange *x, const char *why)
{
    char id[RECORD_ID_BYTES];
    struct http_header headers[HEADERS_MAX];
    worker_request_id(w, id);
    watch_rejected(&w->watch, errors_row(ERR_FORBIDDEN)->http_status);
    respond(x, id, ERR_FORBIDDEN, why, headers, 0);
}

/* Over a limit: it is a request like others, so those who count hear of it. */
static void refuse(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    char id[RECORD_ID_BYTES];
    struct error err;
    struct http_header headers[HEADERS_MAX];
    enum status status = caller_refuse(caller, &err);
    worker_request_id(w, id);
    const struct record r = {.id = id,
                             .begin_wall_ms = clock_wall_ms(),
                             .front = str_from(front_name(path_words(x->path))),
                             .key = caller_key_id(caller),
                             .outcome = REQUEST_FAILED,
                             .http_status = errors_row(status)->http_status,
                             .first_token_ms = -1,
                             .problem = err.text};
    caller_settle(caller, &r.cost);
    watch_end(&w->watch, &r);
    size_t n = caller_headers(caller, true, x->arena, headers);
    respond(x, id, status, err.text, headers, n);
}

static void leave(void *arg)
{
    static const struct cost nothing;
    struct caller *caller = arg;
    if (caller->reserved.nano_usd > 0 || caller->reserved.tokens > 0)
        caller_settle(caller, &nothing);
    client_key_release(caller->key);
    caller->key = NULL;
}

/* One piece: each step needs the one before, and each has its own way out. */
bool admission_pass(struct worker *w, struct http_exchange *x, const struct path *path,
                    struct caller *caller)
{
    enum path_admission needs = path ? path->admission : ADMISSION_USUAL;
    bool had_one = false;
    if (needs == ADMISSION_OPEN || needs == ADMISSION_PAGE || !keys_wanted(w->gateway->keys))
        return true;
    enum status status = find_key(w, x, caller, &had_one);
    if (status == ERR_AUTH) {
        turn_away(w, x, had_one);
        return false;
    }
    if (status != OK || arena_defer(x->arena, leave, caller) != OK) {
        leave(caller);
        answer_error_as(path_words(x->path), x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return false;
    }
    enum key_role role = client_key_role(caller->key);
    if (!is_for(role, needs)) {
        turn_back(w, x, why_not(role, needs));
        return false;
    }
    if (is_forged(x, caller)) {
        turn_back(w, x,
                  "a browser's session needs the header " SIGN_IN_CSRF_HEADER
                  " with the `csrf` of GET /v1/admin/session for what changes or asks something");
        return false;
    }
    bool counts = needs == ADMISSION_USUAL && str_equal(x->method, STR("POST"));
    if (!counts || client_key_admit(caller->key, &caller->refusal))
        return true;
    refuse(w, x, caller);
    return false;
}

bool admission_holds(struct worker *w, const struct caller *caller)
{
    struct digest of_session;
    int64_t now_ms = clock_wall_ms(), end_ms;
    struct client_key *now = NULL;
    if (!caller->key)
        return !keys_wanted(w->gateway->keys);
    if (caller->cookie.len > 0 &&
        !sign_ins_find(w->gateway->sign_ins, caller->cookie, now_ms, &of_session, &end_ms))
        return false;
    if (keys_find_digest(w->gateway->keys, client_key_digest(caller->key), now_ms, &now) != OK)
        return false;
    bool same = client_key_role(now) == client_key_role(caller->key);
    client_key_release(now);
    return same;
}
