/* Calls to an endpoint for embeddings. Each worker has a loop and a client of its own, on which it runs one call at a
 * time until its end: it is a thread that may wait. What comes back is not trusted (embeddings_reply.h), and whatever
 * is told of it is scrubbed of the key.
 *
 * Every call has a deadline; a call that was refused for its texts is told apart, so that the others are asked again
 * alone. Nothing is tried twice here: that is the reader's business (late.h). */
#include "reader/remote_encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/json.h"
#include "expert/redact.h"
#include "net/http_client.h"
#include "opinion/opinion_prompt.h"
#include "opinion/opinion_said.h"
#include "reader/embeddings_reply.h"
#include "reader/opinion_reply.h"

#define REPLY_BYTES_MAX   (64u << 20)
#define REQUEST_BYTES_MAX (64u << 20)
#define CONNECT_MS_MAX    2000
#define HEADERS           3
#define KEY_BYTES_MAX     4096
#define TOLD_BYTES_MAX    160        /* of what an endpoint says of a failure */
#define PAID_TOKENS_MAX   (64 << 20) /* in one call: a byte each of what may be sent */

struct line {          /* of one worker */
    struct loop *loop; /* NULL: not used yet */
    struct http_client *client;
    struct buf body, answer, credential;
    struct encode_paid paid; /* of its last call */
    int http_status;
    enum status status;
    struct error err;
};

struct remote {
    struct arena *arena;
    struct encoder_spec spec;
    struct line lines[LATE_WORKERS_MAX];
};

static void line_done(struct line *l)
{
    if (l->client)
        http_client_free(l->client);
    loop_free(l->loop);
    buf_done(&l->body);
    buf_done(&l->answer);
    if (l->credential.ptr)
        explicit_bzero(l->credential.ptr, l->credential.len);
    buf_done(&l->credential);
}

static void remote_free(void *state)
{
    struct remote *r = state;
    for (size_t i = 0; i < LATE_WORKERS_MAX; i++)
        line_done(&r->lines[i]);
    arena_free(r->arena);
    free(r);
}

/* One call */

static void on_head(struct http_call *c, int http_status)
{
    struct line *l = http_call_user(c);
    l->http_status = http_status;
}

static void on_body(struct http_call *c, struct str bytes)
{
    struct line *l = http_call_user(c);
    buf_add(&l->answer, bytes);
}

static void on_done(struct http_call *c, enum status status, const struct error *err)
{
    struct line *l = http_call_user(c);
    l->status = status;
    if (status != OK)
        l->err = *err;
    loop_stop(l->loop);
}

static enum status line_open(const struct remote *r, struct line *l, struct error *err)
{
    const struct http_client_options o = {.use_proxy = true};
    enum status status = loop_create(&l->loop, err);
    if (status == OK)
        status = http_client_create(l->loop, &o, &l->client, err);
    buf_init(&l->body, REQUEST_BYTES_MAX);
    buf_init(&l->answer, REPLY_BYTES_MAX);
    buf_init(&l->credential, KEY_BYTES_MAX);
    if (r->spec.key.len)
        buf_addf(&l->credential, "Bearer %.*s", STR_FMT(r->spec.key));
    return status == OK ? buf_status(&l->credential, err) : status;
}

static void write_body(const struct encoder_spec *s, const struct str *texts, size_t count,
                       struct buf *out)
{
    if (s->orchestrates) {
        opinion_request_write(str_from(s->model), str_from(s->head), texts[0], out);
        return;
    }
    buf_clear(out);
    buf_add_c(out, "{\"model\":");
    json_write_string(out, str_from(s->model));
    buf_add_c(out, ",\"encoding_format\":\"float\"");
    if (s->dimensions)
        buf_addf(out, ",\"dimensions\":%u", s->dimensions);
    buf_add_c(out, ",\"input\":[");
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, i ? "," : "");
        json_write_string(out, texts[i].len ? texts[i] : STR(" "));
    }
    buf_add_c(out, "]}");
}

/* Long, because every limit of the call stands here. */
static enum status post(const struct remote *r, struct line *l, struct error *err)
{
    struct http_call *call;
    uint32_t total = r->spec.timeout_ms ? r->spec.timeout_ms : ENCODER_TIMEOUT_MS;
    const struct http_header headers[HEADERS] = {
        {STR("user-agent"), STR("leeroo/" LEEROO_VERSION)},
        {STR("content-type"), STR("application/json")},
        {STR("authorization"), buf_str(&l->credential)},
    };
    const struct http_call_options o = {
        .method = "POST",
        .url = r->spec.url,
        .headers = headers,
        .header_count = HEADERS - !r->spec.key.len,
        .body = buf_str(&l->body),
        .connect_timeout_ms = total < CONNECT_MS_MAX ? total : CONNECT_MS_MAX,
        .total_timeout_ms = total,
        .user = l,
        .on_head = on_head,
        .on_body = on_body,
        .on_done = on_done,
    };
    buf_clear(&l->answer);
    l->http_status = 0;
    enum status status = http_call_start(l->client, &o, &call, err);
    if (status == OK)
        status = loop_run(l->loop, err);
    if (status == OK && l->status != OK)
        status = error_set(err, l->status, "%s", l->err.text);
    return status == OK ? buf_status(&l->answer, err) : status;
}

/* What an endpoint says goes with the status, as far as it can be printed. */
static enum status refuse(const struct line *l, struct error *err)
{
    char told[TOLD_BYTES_MAX + 4];
    bool of_texts = l->http_status == 400 || l->http_status == 413 || l->http_status == 422;
    utf8_make_printable(told, sizeof(told), str_slice(buf_str(&l->answer), 0, TOLD_BYTES_MAX));
    return error_set(err, of_texts ? ERR_INPUT : ERR_UPSTREAM, "it answers %d: %s", l->http_status,
                     told);
}

static void scrub(const struct remote *r, struct error *err)
{
    struct buf scratch;
    buf_init(&scratch, 4 * sizeof(err->text));
    struct str text = redact(str_from(err->text), r->spec.key, &scratch);
    char copy[sizeof(err->text)];
    snprintf(copy, sizeof(copy), "%.*s", STR_FMT(text));
    memcpy(err->text, copy, sizeof(copy));
    buf_done(&scratch);
}

static void add_tokens(int64_t *to, struct json_value value)
{
    int64_t n;
    if (json_to_int64(value, &n) == OK && n > 0 && n <= PAID_TOKENS_MAX)
        *to += n;
}

/* Whatever else an answer is worth, it is paid for. */
static void count_tokens(struct line *l)
{
    struct json_value root;
    if (json_parse(buf_str(&l->answer), "answer", 1, &root, NULL) != OK || root.type != JSON_OBJECT)
        return;
    struct json_value usage = json_get(root, "usage");
    add_tokens(&l->paid.input, json_get(usage, "prompt_tokens"));
    add_tokens(&l->paid.output, json_get(usage, "completion_tokens"));
}

static struct encode_paid paid(void *state, size_t worker)
{
    const struct remote *r = state;
    return r->lines[worker].paid;
}

/* One piece: whatever step fails, what is told of it is scrubbed and named in one place. */
static enum status ask(struct remote *r, size_t worker, const struct str *texts, size_t count,
                       size_t *width, float *out, struct error *err)
{
    struct line *l = &r->lines[worker];
    struct error own = {0};
    l->paid = (struct encode_paid){0};
    enum status status = l->client ? OK : line_open(r, l, &own);
    const char *name = r->spec.key_variable ? r->spec.key_variable + strlen("env:") : NULL;
    if (status == OK && name && !r->spec.key.len)
        status = error_set(&own, ERR_AUTH, "the environment variable %s is not set; export %s=...",
                           name, name);
    if (status == OK) {
        write_body(&r->spec, texts, count, &l->body);
        status = buf_status(&l->body, &own);
    }
    if (status == OK)
        status = post(r, l, &own);
    if (status == OK && l->http_status != 200)
        status = refuse(l, &own);
    if (status == OK)
        count_tokens(l);
    if (status == OK && r->spec.orchestrates)
        status = opinion_reply_row(buf_str(&l->answer), r->spec.labels, out, &own);
    else if (status == OK)
        status =
            embeddings_reply_rows(buf_str(&l->answer), count, LATE_WIDTH_MAX, width, out, &own);
    if (status == OK)
        return OK;
    scrub(r, &own);
    return error_set(err, status, "encoder '%s': %s: %s", r->spec.name, r->spec.url, own.text);
}

static enum status rows(void *state, size_t worker, const struct str *texts, size_t count,
                        float *out, struct error *err)
{
    struct remote *r = state;
    size_t width = r->spec.width;
    CHECK(worker < LATE_WORKERS_MAX && width > 0);
    return ask(r, worker, texts, count, &width, out, err);
}

/* How long its vectors are, by one of them. */
static enum status learn_width(struct remote *r, struct error *err)
{
    size_t width = r->spec.dimensions;
    struct str text = STR("How long is a vector?");
    float *row = calloc(LATE_WIDTH_MAX, sizeof(*row));
    if (!row)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = ask(r, 0, &text, 1, &width, row, err);
    if (r->spec.orchestrates)
        width = opinion_width(r->spec.labels); /* it was asked whether it can say anything */
    if (status == OK)
        r->spec.width = (uint32_t)width;
    free(row);
    return status;
}

static enum status write_fingerprint(const struct encoder_spec *s, struct buf *out,
                                     struct error *err)
{
    char hex[DIGEST_HEX_BYTES];
    struct digest digest;
    if (!s->orchestrates) {
        buf_addf(out, "embeddings %s dimensions=%u width=%u", s->model, s->dimensions, s->width);
        return buf_status(out, err);
    }
    opinion_request_write(STR(""), str_from(s->head), STR(""), out);
    enum status status = digest_sha256(buf_str(out), &digest, err);
    buf_clear(out);
    digest_hex(&digest, hex);
    buf_addf(out, "opinion %s labels=%u asked=%.16s", s->model, s->labels, hex);
    return status == OK ? buf_status(out, err) : status;
}

/* Another address may say the same; another model, prompt or width may not. */
static enum status make(struct remote *r, struct late **ret, struct error *err)
{
    const struct encoder_spec *s = &r->spec;
    struct buf spec, fingerprint;
    buf_init(&spec, ENCODER_SPEC_BYTES_MAX);
    buf_init(&fingerprint, 2 * OPINION_HEAD_BYTES_MAX);
    encoder_spec_write(s, &spec);
    enum status status = write_fingerprint(s, &fingerprint, err);
    size_t batch = s->orchestrates ? 1 : s->batch ? s->batch : ENCODER_BATCH_REMOTE;
    const struct late_options late = {.name = s->name,
                                      .fingerprint = fingerprint.ptr,
                                      .spec = spec.ptr,
                                      .width = s->width,
                                      .batch = batch,
                                      .workers = s->calls ? s->calls : ENCODER_CALLS_REMOTE,
                                      .limits = s->limits};
    const struct late_compute compute = {rows, remote_free, r, paid};
    if (status == OK)
        status = buf_status(&spec, err);
    if (status == OK)
        status = late_create(&late, &compute, ret, err);
    else
        remote_free(r);
    buf_done(&spec);
    buf_done(&fingerprint);
    return status;
}

enum status remote_encoder_open(struct encoder_spec *s, struct late **ret, struct error *err)
{
    struct remote *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->arena = arena_create(4 * ENCODER_SPEC_BYTES_MAX);
    enum status status = r->arena ? encoder_spec_copy(s, r->arena, &r->spec, err)
                                  : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK && s->orchestrates && !s->head)
        status = error_set(err, ERR_INPUT, "%s: it reads what `leeroo train` tells it of experts",
                           s->name);
    if (status == OK && !r->spec.width)
        status = learn_width(r, err);
    if (status != OK) {
        remote_free(r);
        return status;
    }
    s->width = r->spec.width;
    return make(r, ret, err);
}
