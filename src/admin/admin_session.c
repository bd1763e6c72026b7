/* /v1/admin/session: who the caller is here, and how a browser signs in with an admin key and out again.
 *
 * Handlers run on the worker's loop. A wrong key hears of it only after a while, and few do at a time, so that nobody
 * tries many; one that is good never waits for those. Keys and tokens are in no log and in no answer but the cookie. */
#include <stdio.h>
#include <string.h>

#include "admin/admin_int.h"
#include "base/clock.h"
#include "base/json.h"
#include "keys/client_keys.h"
#include "keys/sign_in.h"

#define SESSION_BYTES_MAX 4096
#define COOKIE_BYTES_MAX  256
#define WRONG_MS          1000
#define WRONG_MAX         32 /* waiting to hear of it, in the whole gateway */

struct wrong {
    struct admin *admin;
    struct http_exchange *x;
    struct loop_timer *timer;
};

static void write_key(struct buf *out, const struct client_key *key)
{
    buf_add_c(out, "{\"id\":");
    json_write_string(out, client_key_id(key));
    buf_add_c(out, ",\"name\":");
    json_write_string(out, client_key_name(key));
    buf_add_char(out, '}');
}

static void write_csrf(struct buf *out, struct str token, int64_t end_ms)
{
    char csrf[SIGN_IN_TOKEN_BYTES];
    if (sign_in_csrf(token, csrf) == OK)
        buf_addf(out, "\"csrf\":\"%s\",", csrf);
    buf_addf(out, "\"expires_ms\":%lld,", (long long)end_ms);
}

void admin_session_get(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    const struct admin_build *build = &admin_of(w)->build;
    struct buf out;
    buf_init(&out, SESSION_BYTES_MAX);
    buf_addf(&out, "{\"auth\":\"%s\",",
             !caller->key         ? "open"
             : caller->cookie.len ? "cookie"
                                  : "key");
    if (caller->cookie.len)
        write_csrf(&out, caller->cookie, caller->session_end_ms);
    buf_add_c(&out, "\"key\":");
    if (caller->key)
        write_key(&out, caller->key);
    else
        buf_add_c(&out, "null");
    buf_add_c(&out, ",\"version\":");
    json_write_string(&out, str_from(build->version));
    buf_add_c(&out, ",\"commit\":");
    json_write_string(&out, str_from(build->commit));
    buf_add_char(&out, '}');
    admin_answer(x, 200, &out);
}

/* Guesses */

static void forget_wrong(void *arg)
{
    struct wrong *wrong = arg;
    loop_timer_free(wrong->timer);
    atomic_fetch_sub(&wrong->admin->wrong, 1);
}

static void tell_wrong(void *arg)
{
    struct wrong *wrong = arg;
    answer_error(wrong->x, NULL, ERR_AUTH, "the API key is not good here", NULL, NULL);
}

/* The exchange is kept; when it goes, its arena takes timer and place back, whether it was answered or left. */
static void answer_wrong(struct worker *w, struct http_exchange *x)
{
    struct admin *a = admin_of(w);
    struct wrong *wrong = ARENA_NEW(x->arena, struct wrong);
    keys_note_refused(w->gateway->keys, true);
    watch_rejected(&w->watch, 401);
    if (atomic_fetch_add(&a->wrong, 1) >= WRONG_MAX) {
        atomic_fetch_sub(&a->wrong, 1);
        answer_error(x, NULL, ERR_RATE, "too many wrong keys at once; try again in a second", NULL,
                     NULL);
        return;
    }
    if (wrong)
        *wrong = (struct wrong){a, x, loop_timer_create(w->loop, tell_wrong, wrong)};
    if (!wrong || !wrong->timer || arena_defer(x->arena, forget_wrong, wrong) != OK) {
        if (wrong)
            loop_timer_free(wrong->timer);
        atomic_fetch_sub(&a->wrong, 1);
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return;
    }
    loop_timer_start(wrong->timer, WRONG_MS);
}

/* Signing in and out */

/* `token` empty: the browser is to forget it. Behind a proxy that speaks TLS the cookie is for TLS alone, too; whoever
 * lies about that harms nobody else. */
static void answer_cookie(struct worker *w, struct http_exchange *x, int http_status,
                          struct str token, struct buf *body)
{
    char cookie[COOKIE_BYTES_MAX];
    bool secure = w->gateway->secure ||
                  str_equal_nocase(http_header_get(x, "x-forwarded-proto"), STR("https"));
    snprintf(cookie, sizeof(cookie),
             SIGN_IN_COOKIE "=%.*s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d%s",
             STR_FMT(token), token.len ? SIGN_IN_SECONDS : 0, secure ? "; Secure" : "");
    const struct http_header headers[] = {{STR("set-cookie"), str_from(cookie)},
                                          {STR("cache-control"), STR("no-store")},
                                          {STR("content-type"), STR("application/json")}};
    http_respond(x, http_status, headers, body->len ? 3 : 2, buf_str(body));
    explicit_bzero(cookie, sizeof(cookie));
}

static void begin_session(struct worker *w, struct http_exchange *x, const struct client_key *key)
{
    char token[SIGN_IN_TOKEN_BYTES];
    int64_t end_ms = 0;
    struct error err;
    struct buf out;
    enum status status = sign_ins_begin(w->gateway->sign_ins, client_key_digest(key),
                                        clock_wall_ms(), token, &end_ms, &err);
    if (status != OK) {
        answer_error(x, NULL, status, err.text, NULL, NULL);
        return;
    }
    buf_init(&out, SESSION_BYTES_MAX);
    buf_add_char(&out, '{');
    write_csrf(&out, str_from(token), end_ms);
    buf_add_c(&out, "\"key\":");
    write_key(&out, key);
    buf_add_char(&out, '}');
    if (out.status == OK)
        answer_cookie(w, x, 200, str_from(token), &out);
    else
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(&out);
    explicit_bzero(token, sizeof(token));
}

/* ERR_AUTH: there is no such key. */
static enum status find_key(struct worker *w, struct http_exchange *x, struct client_key **ret,
                            struct error *err)
{
    struct json_value root;
    struct str secret;
    enum status status = json_parse(x->body, "request body", 1, &root, err);
    if (status == OK && json_string_decode(json_get(root, "key"), x->arena, &secret) != OK)
        status = error_set(err, ERR_INPUT,
                           "`key` must be the text of an admin key: {\"key\": \"lr-...\"}");
    return status == OK ? keys_find(w->gateway->keys, secret, clock_wall_ms(), ret) : status;
}

/* One piece: the order in which a browser hears why it may not. A session that it had ends, so that none that somebody
 * else gave it lives on. */
void admin_session_post(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct client_key *key = NULL;
    struct error err = {0};
    (void)caller;
    if (!keys_wanted(w->gateway->keys)) {
        admin_answer_error(x, 409, "nothing_to_sign_in_to",
                           "nobody is asked for a key here, so there is nothing to sign in to");
        return;
    }
    enum status status = find_key(w, x, &key, &err);
    if (status == ERR_AUTH) {
        answer_wrong(w, x);
    } else if (status != OK) {
        answer_error(x, NULL, status, err.text, "key", NULL);
    } else if (client_key_role(key) != KEY_ADMIN) {
        answer_error(
            x, NULL, ERR_FORBIDDEN,
            "signing in is for an admin key: `leeroo keys create --role admin --name NAME`", NULL,
            NULL);
    } else {
        sign_ins_end(w->gateway->sign_ins, sign_in_cookie(x->headers, x->header_count));
        begin_session(w, x, key);
    }
    client_key_release(key);
}

void admin_session_delete(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct buf none;
    buf_init(&none, 1);
    sign_ins_end(w->gateway->sign_ins, caller->cookie);
    answer_cookie(w, x, 204, STR(""), &none);
}
