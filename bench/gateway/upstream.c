/* The upstream of bench_gateway: answers every POST with one canned chat completion, whole or as a stream, as fast as
 * it can, or a stream at a pace. One thread.
 *
 *     gateway_upstream [CHUNKS [INTERVAL_MS]]      prints "http://127.0.0.1:PORT" and runs until killed */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "net/http_server.h"

#define CHUNKS_MAX 100000

static struct loop *loop;
static size_t chunks = 20;
static unsigned interval_ms = 0;

static const char whole[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"m\","
    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick brown "
    "fox jumps over the lazy dog, again and again, until the dog has had enough of it and goes to "
    "sleep elsewhere.\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":512,"
    "\"completion_tokens\":24,\"total_tokens\":536}}";
static const char first[] = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":["
                            "{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n";
static const char chunk[] = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":["
                            "{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n";
static const char last[] =
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":"
    "{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{"
    "\"prompt_tokens\":512,\"completion_tokens\":24,\"total_tokens\":536}}\n\n"
    "data: [DONE]\n\n";

struct stream {
    struct http_exchange *x;
    struct loop_timer *timer;
    size_t sent;
};

static void stream_free(struct stream *s)
{
    loop_timer_free(s->timer);
    free(s);
}

static void on_gone(struct http_exchange *x)
{
    stream_free(x->user);
}

static void step(void *arg)
{
    struct stream *s = arg;
    do {
        if (s->sent++ == chunks) {
            http_stream_write(s->x, str_from(last));
            s->x->on_gone = NULL;
            http_stream_end(s->x, NULL, 0);
            stream_free(s);
            return;
        }
        http_stream_write(s->x, str_from(chunk));
    } while (interval_ms == 0);
    loop_timer_start(s->timer, interval_ms);
}

static void begin_stream(struct http_exchange *x)
{
    const struct http_header headers[] = {{STR("content-type"), STR("text/event-stream")}};
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->x = x;
    s->timer = loop_timer_create(loop, step, s);
    x->user = s;
    x->on_gone = on_gone;
    http_stream_begin(x, 200, headers, 1);
    http_stream_write(x, str_from(first));
    step(s);
}

static void handle(struct http_exchange *x, void *arg)
{
    const struct http_header headers[] = {{STR("content-type"), STR("application/json")}};
    (void)arg;
    if (str_find(x->body, STR("\"stream\":true"), 0) != SIZE_MAX ||
        str_find(x->body, STR("\"stream\": true"), 0) != SIZE_MAX)
        begin_stream(x);
    else
        http_respond(x, 200, headers, 1, str_from(whole));
}

int main(int argc, char **argv)
{
    char bound[64];
    int fd = -1;
    struct error err = {0};
    struct http_server *server = NULL;
    const struct http_server_options options = {.connections_max = 20000};
    if (argc > 1)
        chunks = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        interval_ms = (unsigned)strtoul(argv[2], NULL, 10);
    if (chunks > CHUNKS_MAX)
        chunks = CHUNKS_MAX;
    if (http_listen("127.0.0.1:0", &fd, bound, &err) != OK || loop_create(&loop, &err) != OK ||
        http_server_create(loop, fd, &options, handle, NULL, &server, &err) != OK) {
        fprintf(stderr, "gateway_upstream: %s\n", err.text);
        return 1;
    }
    printf("http://%s\n", bound);
    fflush(stdout);
    return loop_run(loop, &err) == OK ? 0 : 1;
}
