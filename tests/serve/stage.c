/* The canned experts, the plain clients and the caught log of stage.h. */
#include "stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const names[STAGE_EXPERTS] = {"cheap", "mid", "dear"};

/* The experts */

static void note(char *into, size_t size, struct str value)
{
    snprintf(into, size, "%.*s", (int)value.len, value.ptr ? value.ptr : "");
}

static struct stage_script *script_of(struct stage *s, struct str path)
{
    for (size_t i = 0; i < STAGE_EXPERTS; i++)
        if (str_starts(str_slice(path, 1, path.len), str_from(names[i])))
            return &s->scripts[i];
    return NULL;
}

static void forget(struct stage *s, const struct http_exchange *x)
{
    if (s->held == x)
        s->held = NULL;
    for (size_t i = 0; i < STAGE_EXPERTS; i++)
        if (s->scripts[i].held == x)
            s->scripts[i].held = NULL;
}

static void on_gone(struct http_exchange *x)
{
    struct stage *s = x->user;
    forget(s, x);
    sem_post(&s->gone);
}

static void perform(struct stage *s, struct stage_script *script, struct http_exchange *x,
                    const struct canned *c)
{
    const struct http_header headers[] = {{STR("content-type"), c->manner == CANNED_WHOLE
                                                                    ? STR("application/json")
                                                                    : STR("text/event-stream")},
                                          c->header};
    size_t count = c->header.name.len ? 2 : 1;
    int http_status = c->http_status ? c->http_status : 200;
    if (c->manner == CANNED_WHOLE) {
        http_respond(x, http_status, headers, count, str_from(c->body));
        return;
    }
    x->user = s;
    x->on_gone = on_gone;
    if (c->manner != CANNED_STREAM)
        s->held = script->held = x;
    if (c->manner == CANNED_NOTHING)
        return;
    http_stream_begin(x, http_status, headers, count);
    http_stream_write(x, str_from(c->body));
    if (c->manner == CANNED_STREAM)
        http_stream_end(x, NULL, 0);
}

static void handle(struct http_exchange *x, void *arg)
{
    struct stage *s = arg;
    struct stage_script *script = script_of(s, x->path);
    if (!script || script->count == 0) { /* an assertion belongs to the test's thread */
        http_respond(x, 599, NULL, 0, STR("nothing to play"));
        return;
    }
    note(s->seen_body, sizeof(s->seen_body), x->body);
    note(s->seen_key, sizeof(s->seen_key), http_header_get(x, "idempotency-key"));
    note(s->seen_authorization, sizeof(s->seen_authorization), http_header_get(x, "authorization"));
    size_t turn = atomic_fetch_add(&script->asked, 1);
    perform(s, script, x, &script->list[turn < script->count ? turn : script->count - 1]);
    sem_post(&s->asked);
}

void stage_play(struct stage *s, enum stage_expert e, struct canned answer)
{
    struct stage_script *script = &s->scripts[e];
    cr_assert_lt(script->count, CANNED_MAX);
    script->list[script->count++] = answer;
}

size_t stage_asked(struct stage *s, enum stage_expert e)
{
    return atomic_load(&s->scripts[e].asked);
}

struct holding {
    struct stage *stage;
    enum stage_expert expert;
};

static void hold(void *arg)
{
    struct holding *h = arg;
    h->stage->held = h->stage->scripts[h->expert].held;
}

void stage_hold(struct stage *s, enum stage_expert e)
{
    struct holding h = {s, e};
    test_on_loop(s->upstream, hold, &h);
}

struct more {
    struct stage *stage;
    const char *bytes;
};

static void write_more(void *arg)
{
    struct more *m = arg;
    if (m->stage->held)
        http_stream_write(m->stage->held, str_from(m->bytes));
}

void stage_more(struct stage *s, const char *bytes)
{
    struct more m = {s, bytes};
    test_on_loop(s->upstream, write_more, &m);
}

static void finish_held(void *arg)
{
    struct stage *s = arg;
    struct http_exchange *x = s->held;
    forget(s, x);
    if (x)
        http_stream_end(x, NULL, 0);
}

void stage_finish(struct stage *s)
{
    test_on_loop(s->upstream, finish_held, s);
}

static void cut_held(void *arg)
{
    struct stage *s = arg;
    struct http_exchange *x = s->held;
    forget(s, x);
    if (x)
        http_abort(x);
}

void stage_cut(struct stage *s)
{
    test_on_loop(s->upstream, cut_held, s);
}

/* Life */

static struct stage *prepare(struct model *model, const char *each_expert, const char *more_yaml)
{
    struct stage *s = calloc(1, sizeof(*s));
    struct buf yaml;
    cr_assert(s);
    sem_init(&s->asked, 0, 0);
    sem_init(&s->gone, 0, 0);
    s->upstream = test_server_start(NULL, handle, s);
    buf_init(&yaml, 8192);
    buf_add_c(&yaml, "drain: {delay: 0}\nexperts:\n");
    for (size_t i = 0; i < STAGE_EXPERTS; i++)
        buf_addf(&yaml, "  - {name: %s, url: \"http://127.0.0.1:%d/%s\"%s}\n", names[i],
                 s->upstream->port, names[i], each_expert ? each_expert : "");
    buf_addf(&yaml, "%s", more_yaml ? more_yaml : "policies: {default: {lambda: 1e9}}\n");
    s->model = model;
    s->config = serve_test_config(s->model, yaml.ptr);
    buf_done(&yaml);
    return s;
}

struct stage *stage_prepare(const char *each_expert, const char *more_yaml)
{
    return prepare(serve_test_model(), each_expert, more_yaml);
}

struct stage *stage_prepare_plan(const char *each_expert, const char *plan)
{
    struct model *model = serve_test_plan_model(str_starts(str_from(plan), STR("cascade")));
    return prepare(model, each_expert, serve_test_policies(model, "hello cat", plan));
}

struct stage *stage_begin_plan(const char *each_expert, const char *plan)
{
    struct stage *s = stage_prepare_plan(each_expert, plan);
    stage_start(s);
    return s;
}

void stage_start(struct stage *s)
{
    struct error err = {0};
    cr_assert_eq(local_start(s->config, s->model, NULL, &s->local, &err), OK, "%s", err.text);
    s->port = atoi(strrchr(local_address(s->local), ':') + 1);
}

struct stage *stage_begin(const char *each_expert, const char *more_yaml)
{
    struct stage *s = stage_prepare(each_expert, more_yaml);
    stage_start(s);
    return s;
}

void stage_end(struct stage *s)
{
    local_stop(s->local);
    test_server_stop(s->upstream);
    config_free(s->config);
    model_free(s->model);
    free(s);
}

/* Clients */

int stage_send(struct stage *s, const char *path, const char *body)
{
    struct buf text;
    int fd = test_connect(s->port);
    buf_init(&text, 1 << 20);
    buf_addf(&text, "%s %s HTTP/1.1\r\nhost: h\r\nconnection: close\r\n", body ? "POST" : "GET",
             path);
    if (body)
        buf_addf(&text,
                 "content-type: application/json\r\nauthorization: Bearer client\r\n"
                 "idempotency-key: i1\r\ncontent-length: %zu\r\n",
                 strlen(body));
    buf_addf(&text, "\r\n%s", body ? body : "");
    test_send(fd, text.ptr);
    buf_done(&text);
    return fd;
}

char *stage_ask(struct stage *s, const char *path, const char *body)
{
    int fd = stage_send(s, path, body);
    char *answer = test_read_all(fd);
    close(fd);
    return answer;
}

void stage_expect(struct stage *s, const char *path, const char *body, int http_status, ...)
{
    char *answer = stage_ask(s, path, body);
    cr_assert(str_starts(str_from(answer), STR("HTTP/1.1 ")), "%s", answer);
    cr_expect_eq(atoi(answer + 9), http_status, "%s", answer);
    va_list parts;
    va_start(parts, http_status);
    for (const char *part; (part = va_arg(parts, const char *));)
        cr_expect(strstr(answer, part), "'%s' is not in: %s", part, answer);
    va_end(parts);
    free(answer);
}

/* The log */

static int log_file = -1, log_before = -1;

void log_catch(void)
{
    log_file = memfd_create("log", MFD_CLOEXEC);
    log_before = dup(STDERR_FILENO);
    cr_assert(log_file >= 0 && log_before >= 0);
    cr_assert_geq(dup2(log_file, STDERR_FILENO), 0);
}

const char *log_read(void)
{
    static char text[65536];
    ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* What was caught goes where it would have gone: a sanitizer may have spoken. */
void log_release(void)
{
    dup2(log_before, STDERR_FILENO);
    close(log_before);
    fputs(log_read(), stderr);
    close(log_file);
}

void log_wait(const char *text)
{
    for (int i = 0; i < WAIT_SECONDS * 100; i++) {
        if (strstr(log_read(), text))
            return;
        usleep(10000);
    }
    cr_assert_fail("'%s' was never logged: %s", text, log_read());
}
