/* One GET for each expert, on one loop.
 *
 * For `leeroo check --connect`: whether an expert can be reached, knows the key and has the model. All run at once,
 * each with its own deadline. The loop lives in check_connect alone, on the thread of the command; nothing is asked
 * that costs money, and nothing is tried again. */
#include "cli/check_connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "expert/redact.h"
#include "net/http_client.h"

#define MODELS_BYTES_MAX (8u << 20)
#define URL_BYTES_MAX    4096
#define HEADERS_MAX      (2 + DIALECT_HEADERS_MAX)

struct asking;

struct probe {
    struct asking *asking;
    const struct expert *expert;
    struct check_reply *reply;
    struct buf url, credential, body;
    struct http_header headers[HEADERS_MAX];
    uint64_t begin_ms;
};

struct asking {
    struct loop *loop;
    struct http_client *client;
    struct probe *probes;
    size_t count, left;
};

bool check_reach_fine(enum check_reach reach)
{
    return reach == REACH_FINE || reach == REACH_NO_LIST || reach == REACH_NO_MODEL;
}

const char *check_reach_name(enum check_reach reach)
{
    static const char *const names[] = {
        "ok", "ok, no list of models", "model not listed", "refused", "broken", "not reached"};
    CHECK(reach >= 0 && reach <= REACH_NOBODY);
    return names[reach];
}

/* Whether the list names the expert's model; *ret_count: how many it names. */
static bool find_model(struct str body, struct str model, size_t *ret_count)
{
    struct json_value root, item;
    struct error err;
    bool found = false;
    *ret_count = 0;
    if (json_parse(body, "the list of models", 1, &root, &err) != OK)
        return false;
    struct json_iter it = json_iter_begin(json_get(root, "data"));
    while (json_array_next(&it, &item)) {
        struct json_value id = json_get(item, "id");
        found |= id.type == JSON_STRING && json_string_equal(id, model);
        ++*ret_count;
    }
    return found;
}

static enum check_reach judge(struct probe *p, int http_status)
{
    if (http_status == 401 || http_status == 402 || http_status == 403)
        return REACH_REFUSED;
    if (http_status >= 500)
        return REACH_BROKEN;
    if (http_status != 200)
        return REACH_NO_LIST;
    bool found = find_model(buf_str(&p->body), p->expert->upstream_model, &p->reply->models);
    if (p->reply->models == 0)
        return REACH_NO_LIST;
    return found ? REACH_FINE : REACH_NO_MODEL;
}

static void finish(struct probe *p)
{
    p->reply->took_ms = loop_now_ms(p->asking->loop) - p->begin_ms;
    if (--p->asking->left == 0)
        loop_stop(p->asking->loop);
}

static void on_head(struct http_call *call, int http_status)
{
    struct probe *p = http_call_user(call);
    p->reply->http_status = http_status;
}

static void on_body(struct http_call *call, struct str bytes)
{
    struct probe *p = http_call_user(call);
    buf_add(&p->body, bytes);
}

static void on_done(struct http_call *call, enum status status, const struct error *err)
{
    struct probe *p = http_call_user(call);
    if (status == OK) {
        p->reply->reach = judge(p, p->reply->http_status);
    } else {
        struct buf scrubbed;
        buf_init(&scrubbed, 2 * sizeof(err->text));
        struct str text = redact(str_from(err->text), p->expert->api_key, &scrubbed);
        p->reply->reach = http_call_sent(call) ? REACH_BROKEN : REACH_NOBODY;
        snprintf(p->reply->text, sizeof(p->reply->text), "%.*s", STR_FMT(text));
        buf_done(&scrubbed);
    }
    finish(p);
}

static size_t fill_headers(struct probe *p)
{
    const struct expert *e = p->expert;
    const struct dialect *dialect = e->dialect;
    struct http_header *headers = p->headers;
    size_t n = 0;
    headers[n++] = (struct http_header){STR("user-agent"), STR("leeroo/" LEEROO_VERSION)};
    for (size_t i = 0; i < dialect_header_count(dialect); i++)
        headers[n++] = dialect->headers[i];
    if (e->api_key.len == 0)
        return n;
    buf_addf(&p->credential, "%s%.*s", dialect->key_prefix, STR_FMT(e->api_key));
    headers[n++] = (struct http_header){dialect->key_header, buf_str(&p->credential)};
    return n;
}

static enum status probe_start(struct probe *p, struct error *err)
{
    struct http_call *call;
    const struct expert *e = p->expert;
    buf_addf(&p->url, "%.*s/models", STR_FMT(e->url));
    if (e->api_version.len > 0)
        buf_addf(&p->url, "?%s=%.*s", e->dialect->version_parameter, STR_FMT(e->api_version));
    const struct http_call_options o = {.method = "GET",
                                        .headers = p->headers,
                                        .header_count = fill_headers(p),
                                        .url = p->url.ptr,
                                        .connect_timeout_ms = e->connect_timeout_ms,
                                        .total_timeout_ms = CHECK_CONNECT_MS,
                                        .user = p,
                                        .on_head = on_head,
                                        .on_body = on_body,
                                        .on_done = on_done};
    enum status status = buf_status(&p->url, err);
    if (status == OK)
        status = buf_status(&p->credential, err);
    p->begin_ms = loop_now_ms(p->asking->loop);
    return status == OK ? http_call_start(p->asking->client, &o, &call, err) : status;
}

static enum status ask_all(struct asking *a, const struct config *config, struct check_reply *ret,
                           struct error *err)
{
    const struct http_client_options o = {
        .use_proxy = config->upstream.proxy,
        .deny_private = config->upstream.deny_private,
        .ca_file = config->upstream.ca_file.len ? config->upstream.ca_file.ptr : NULL};
    enum status status = loop_create(&a->loop, err);
    if (status == OK)
        status = http_client_create(a->loop, &o, &a->client, err);
    for (size_t i = 0; status == OK && i < a->count; i++) {
        struct probe *p = &a->probes[i];
        *p = (struct probe){.asking = a, .expert = &config->experts[i], .reply = &ret[i]};
        ret[i] = (struct check_reply){0};
        buf_init(&p->url, URL_BYTES_MAX);
        buf_init(&p->credential, URL_BYTES_MAX);
        buf_init(&p->body, MODELS_BYTES_MAX);
        status = probe_start(p, err);
    }
    return status == OK ? loop_run(a->loop, err) : status;
}

enum status check_connect(const struct config *config, struct check_reply *ret, struct error *err)
{
    struct asking a = {.count = config->expert_count, .left = config->expert_count};
    a.probes = calloc(a.count, sizeof(*a.probes));
    if (!a.probes)
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    enum status status = ask_all(&a, config, ret, err);
    if (a.client)
        http_client_free(a.client);
    loop_free(a.loop);
    for (size_t i = 0; i < a.count; i++) {
        buf_done(&a.probes[i].url);
        if (a.probes[i].credential.ptr)
            explicit_bzero(a.probes[i].credential.ptr, a.probes[i].credential.len);
        buf_done(&a.probes[i].credential);
        buf_done(&a.probes[i].body);
    }
    free(a.probes);
    return status;
}
