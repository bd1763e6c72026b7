/* The endpoint over a real socket, in-process: the sandbox experts behind it. */
#include "rehearse/upstream.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rehearse/sandbox.h"

#define QUESTION "What is 12 + 30?"

static struct sandbox sandbox = {1};
static struct upstream_pool *pool;
static struct faults *faults;
static char bound[64];
static char reply[1 << 16];

static void start(struct upstream_options options, size_t threads)
{
    struct error err;
    options.source = sandbox_source(&sandbox);
    cr_assert_eq(upstream_pool_start("127.0.0.1:0", threads, &options, &pool, bound, &err), OK,
                 "%s", err.text);
}

static void start_faulty(enum fault_kind kind)
{
    struct rehearse_source source = sandbox_source(&sandbox);
    const char *specs[FAULT_COUNT] = {NULL};
    specs[kind] = "1";
    cr_assert_eq(faults_create(&source, specs, 1, &faults, NULL), OK);
    start((struct upstream_options){.faults = faults, .retry_after_s = 7}, 1);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtol(strrchr(bound, ':') + 1, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void send_request(int fd, const char *method, const char *path, const char *body)
{
    char request[4096];
    int len =
        snprintf(request, sizeof(request),
                 "%s %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %zu\r\n\r\n%s",
                 method, path, strlen(body), body);
    cr_assert_eq(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
}

/* Everything until the other side closes. */
static const char *read_reply(int fd)
{
    size_t len = 0;
    for (ssize_t n = 1; n > 0; len += n > 0 ? (size_t)n : 0)
        n = recv(fd, reply + len, sizeof(reply) - 1 - len, 0);
    reply[len] = '\0';
    close(fd);
    return reply;
}

static const char *ask(const char *model, const char *rest)
{
    char body[1024];
    int fd = dial();
    snprintf(body, sizeof(body),
             "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"" QUESTION "\"}]%s}",
             model, rest);
    send_request(fd, "POST", "/v1/chat/completions", body);
    return read_reply(fd);
}

static void has(const char *text, const char *wanted)
{
    cr_expect(strstr(text, wanted), "'%s' is not in: %s", wanted, text);
}

static void teardown(void)
{
    upstream_pool_stop(pool);
    faults_free(faults);
}

TestSuite(upstream, .fini = teardown, .timeout = 60);

Test(upstream, whole)
{
    start((struct upstream_options){.faults = NULL}, 2);
    const char *r = ask("abacus", "");
    has(r, "HTTP/1.1 200 OK");
    has(r, "The answer is 42.");
    has(r, "\"usage\":{\"prompt_tokens\":4,");
}

Test(upstream, streamed)
{
    start((struct upstream_options){.faults = NULL}, 1);
    const char *r = ask("abacus", ",\"stream\":true");
    has(r, "text/event-stream");
    has(r, "\"role\":\"assistant\"");
    has(r, "{\"content\":\" 42.\"}");
    has(r, "\"finish_reason\":\"stop\"");
    has(r, "data: [DONE]");
    cr_expect_null(strstr(r, "usage"));
    r = ask("abacus", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    has(r, "\"usage\":null");
    has(r, "\"choices\":[],\"usage\":{\"prompt_tokens\":4,");
}

Test(upstream, paced_stream_is_whole)
{
    start((struct upstream_options){.ttft_min_ms = 20, .ttft_max_ms = 40, .tokens_per_s = 200}, 1);
    const char *r = ask("abacus", ",\"stream\":true");
    has(r, "{\"content\":\" 42.\"}");
    has(r, "data: [DONE]");
    has(ask("abacus", ""), "The answer is 42.");
}

Test(upstream, errors)
{
    start((struct upstream_options){.faults = NULL}, 1);
    has(ask("nobody", ""), "\"code\":\"model_not_found\"");
    has(ask("abacus\\\"", ""), "HTTP/1.1 404");
    has(ask("abacus", ",}"), "HTTP/1.1 400");
    int fd = dial();
    send_request(fd, "GET", "/v1/models", "");
    has(read_reply(fd), "{\"id\":\"abacus\",\"object\":\"model\"");
    fd = dial();
    send_request(fd, "GET", "/v1/chat/completions", "");
    has(read_reply(fd), "HTTP/1.1 405");
    fd = dial();
    send_request(fd, "POST", "/v2", "{}");
    has(read_reply(fd), "unknown_path");
    fd = dial();
    send_request(fd, "GET", "/healthz", "");
    has(read_reply(fd), "\"status\":\"ok\"");
}

Test(upstream, fails_429)
{
    start_faulty(FAULT_429);
    const char *r = ask("sage", "");
    has(r, "HTTP/1.1 429");
    has(r, "retry-after: 7\r\n");
    has(r, "rate_limit_error");
}

Test(upstream, fails_500)
{
    start_faulty(FAULT_500);
    has(ask("sage", ",\"stream\":true"), "HTTP/1.1 500");
}

Test(upstream, cuts)
{
    start_faulty(FAULT_CUT);
    for (int i = 0; i < 6; i++) {
        const char *r = ask("sage", i % 2 ? ",\"stream\":true" : "");
        cr_expect_null(strstr(r, "[DONE]"));
        cr_expect_null(strstr(r, "total_tokens\":"));
    }
}

Test(upstream, stalls_until_the_client_leaves)
{
    start_faulty(FAULT_STALL);
    struct timeval patience = {.tv_usec = 100000};
    for (int i = 0; i < 6; i++) {
        int fd = dial();
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        send_request(
            fd, "POST", "/v1/chat/completions",
            i % 2 ? "{\"model\":\"sage\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                  : "{\"model\":\"sage\",\"stream\":true,\"messages\":[{\"role\":\"user\","
                    "\"content\":\"hi\"}]}");
        cr_expect_null(strstr(read_reply(fd), "[DONE]"));
    }
}
