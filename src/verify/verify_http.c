/* An HTTP service as a check: one call of the thread's transport, and the strict reading of its reply. The time limit,
 * redirects that are not followed and addresses that are denied are the transport's.
 *
 * All on the thread that began. Nobody is asked twice: a service that fails is down for this answer, and what it tells
 * of that is scrubbed of the key. */
#include <string.h>

#include "base/money.h"
#include "expert/redact.h"
#include "verify/verify_int.h"

#define CONNECT_MS_MAX 5000

/* Reading */

static void say_scrubbed(const struct verify_settings *s, struct verify_end *ret,
                         enum verify_verdict verdict, struct str why)
{
    struct buf scratch;
    buf_init(&scratch, 4 * VERIFY_REPLY_BYTES);
    verify_say(ret, verdict, redact(why, s->key, &scratch));
    buf_done(&scratch);
}

/* What it says, of a reply that is an object: decoded, because that is what a person reads. */
static void say_reason(const struct verify_settings *s, struct json_value reason, bool pass,
                       struct verify_end *ret)
{
    struct arena *arena = arena_create(2 * VERIFY_REPLY_BYTES);
    struct str text = STR("");
    if (arena && reason.type == JSON_STRING && json_string_decode(reason, arena, &text) != OK)
        text = STR("");
    say_scrubbed(s, ret, pass ? VERIFY_PASS : VERIFY_REJECT, text);
    arena_free(arena);
}

/* One piece: each thing that a reply must have, with what is said where it has it not. */
void verify_http_read(const struct verify_settings *s, int http_status, struct str reply,
                      struct verify_end *ret)
{
    struct json_value root = {JSON_NONE, STR("")};
    if (http_status != 200) {
        verify_sayf(ret, VERIFY_DOWN, "HTTP %d", http_status);
        return;
    }
    if (json_parse(reply, "reply", 1, &root, NULL) != OK || root.type != JSON_OBJECT) {
        verify_say(ret, VERIFY_DOWN, STR("its reply is no JSON object"));
        return;
    }
    const struct json_value pass = json_get(root, "pass"), cost = json_get(root, "cost_usd");
    int64_t nano_usd = ret->cost_nano_usd;
    if (pass.type != JSON_TRUE && pass.type != JSON_FALSE)
        verify_say(ret, VERIFY_DOWN, STR("its reply lacks \"pass\", true or false"));
    else if (json_is_set(cost) &&
             (cost.type != JSON_NUMBER || money_parse_usd(cost.raw, &nano_usd) != OK))
        verify_say(ret, VERIFY_DOWN, STR("cost_usd of its reply is no amount in USD"));
    else
        say_reason(s, json_get(root, "reason"), pass.type == JSON_TRUE, ret);
    if (ret->verdict != VERIFY_DOWN)
        ret->cost_nano_usd = nano_usd;
}

/* Calling */

static void on_head(void *user, int http_status)
{
    struct verify_task *t = user;
    t->http_status = http_status;
}

/* Only what is short enough is a reply; the rest of a longer one is not waited for. */
static void on_body(void *user, struct str bytes)
{
    struct verify_task *t = user;
    buf_add(&t->reply, bytes);
    if (buf_status(&t->reply, NULL) == OK)
        return;
    t->on.transport->ops->cancel(t->call);
    verify_sayf(&t->end, VERIFY_DOWN, "its reply is over %zu bytes", VERIFY_REPLY_BYTES);
    verify_tell(t);
}

static void on_done(void *user, enum status status, const struct error *err)
{
    struct verify_task *t = user;
    const struct verify_settings *s = t->verifier->settings;
    if (status == OK)
        verify_http_read(s, t->http_status, buf_str(&t->reply), &t->end);
    else if (status == ERR_TIMEOUT)
        verify_sayf(&t->end, VERIFY_DOWN, "timed out after %u ms", s->timeout_ms);
    else
        say_scrubbed(s, &t->end, VERIFY_DOWN, str_from(err ? err->text : NULL));
    verify_tell(t);
}

static void write_request(struct verify_task *t)
{
    const struct verify_settings *s = t->verifier->settings;
    if (s->key.len)
        buf_addf(&t->credential, "Bearer %.*s", STR_FMT(s->key));
    t->headers[0] = (struct http_header){STR("user-agent"), STR("leeroo/" LEEROO_VERSION)};
    t->headers[1] = (struct http_header){STR("content-type"), STR("application/json")};
    t->headers[2] = (struct http_header){STR("authorization"), buf_str(&t->credential)};
    t->request = (struct transport_request){
        .url = s->url,
        .headers = t->headers,
        .header_count = s->key.len ? 3 : 2,
        .body = buf_str(&t->document),
        .connect_timeout_ms = s->timeout_ms < CONNECT_MS_MAX ? s->timeout_ms : CONNECT_MS_MAX,
        .total_timeout_ms = s->timeout_ms,
        .user = t,
        .on_head = on_head,
        .on_body = on_body,
        .on_done = on_done,
    };
}

void verify_http_begin(struct verify_task *t)
{
    struct transport *transport = t->on.transport;
    struct error err = {0};
    if (!transport) {
        verify_say(&t->end, VERIFY_DOWN, STR("nothing here makes HTTP calls"));
        return;
    }
    write_request(t);
    enum status status = buf_status(&t->credential, &err);
    if (status == OK)
        status = transport->ops->start(transport, &t->request, &t->call, &err);
    if (status == OK)
        t->at_once = false;
    else
        say_scrubbed(t->verifier->settings, &t->end, VERIFY_DOWN, str_from(err.text));
}

void verify_http_cancel(struct verify_task *t)
{
    t->on.transport->ops->cancel(t->call);
    verify_task_free(t);
}
