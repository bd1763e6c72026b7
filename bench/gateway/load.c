/* A load generator for bench_gateway that costs little itself: raw sockets, one thread, prepared requests.
 *
 *     gateway_load PORT FILE closed CONNECTIONS SECONDS        one request at a time on each connection
 *     gateway_load PORT FILE open CONNECTIONS SECONDS RATE     RATE a second, each timed from when it was due, so that
 *                                                              waiting behind a stall counts
 *     gateway_load PORT FILE hold CONNECTIONS SECONDS          opens streams and reads them until SECONDS have passed
 *
 * FILE is a whole HTTP request. An answer ends by its content-length or its last chunk. Prints one JSON object with
 * answers, errors, rps and latencies in microseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 20000
#define REQUEST_MAX     (1u << 20)
#define SAMPLES_MAX     4000000u
#define HEAD_MAX        8192u
#define READ_BYTES      (64u << 10)

struct conn {
    int fd;
    bool busy, in_body, chunked;
    size_t head_len;
    int64_t left; /* of content-length */
    char head[HEAD_MAX];
    char tail[5]; /* the last bytes of a chunked body */
    uint64_t due_ns;
    struct conn *next_idle;
};

static struct sockaddr_in address;
static char request[REQUEST_MAX];
static size_t request_len;
static struct conn *conns;
static struct conn *idle;
static uint32_t *samples_us;
static size_t sample_count, error_count, connected;
static int epoll_fd;
static bool open_loop, hold;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "gateway_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void conn_open(struct conn *c)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
    c->busy = c->in_body = false;
    connected++;
}

static void conn_send(struct conn *c, uint64_t due_ns)
{
    c->busy = true;
    c->in_body = c->chunked = false;
    c->head_len = 0;
    c->left = 0;
    c->due_ns = due_ns;
    for (size_t at = 0; at < request_len;) {
        ssize_t n = write(c->fd, request + at, request_len - at);
        if (n <= 0)
            fail("write");
        at += (size_t)n;
    }
}

static void conn_idle(struct conn *c)
{
    c->busy = false;
    c->next_idle = idle;
    idle = c;
}

static void conn_done(struct conn *c, uint64_t now)
{
    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0)
        error_count++;
    else if (sample_count < SAMPLES_MAX)
        samples_us[sample_count++] = (uint32_t)((now - c->due_ns) / 1000);
    conn_idle(c);
}

static const char *header(struct conn *c, const char *name)
{
    char *at = strcasestr(c->head, name);
    return at ? at + strlen(name) : NULL;
}

/* Takes the head off the front; returns how many bytes of it were taken. */
static size_t take_head(struct conn *c, const char *bytes, size_t n)
{
    size_t take = n < HEAD_MAX - 1 - c->head_len ? n : HEAD_MAX - 1 - c->head_len;
    memcpy(c->head + c->head_len, bytes, take);
    c->head[c->head_len + take] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        c->head_len += take;
        return take;
    }
    size_t used = (size_t)(end + 4 - c->head) - c->head_len;
    end[2] = '\0';
    const char *length = header(c, "\r\ncontent-length:");
    c->in_body = true;
    c->chunked = !length;
    c->left = length ? strtoll(length, NULL, 10) : 0;
    memset(c->tail, 0, sizeof(c->tail));
    return used;
}

/* True when the answer is over. Trailers end a chunked one, too: it ends with an empty line after the last chunk. */
static bool take_body(struct conn *c, const char *bytes, size_t n)
{
    static const char end[] = "\r\n\r\n";
    if (!c->chunked) {
        c->left -= (int64_t)n;
        return c->left <= 0;
    }
    char seen[9] = {0};
    memcpy(seen, c->tail, 4);
    size_t keep = n < 4 ? n : 4;
    memcpy(seen + 4, bytes + n - keep, keep);
    memcpy(c->tail, seen + keep, 4);
    return memcmp(c->tail, end, 4) == 0;
}

static void on_readable(struct conn *c)
{
    static char bytes[READ_BYTES];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));
    if (n <= 0) {
        error_count += c->busy;
        bool was_busy = c->busy;
        close(c->fd);
        conn_open(c);
        if (was_busy)
            conn_idle(c);
        return;
    }
    size_t at = 0;
    while (!c->in_body && at < (size_t)n)
        at += take_head(c, bytes + at, (size_t)n - at);
    if (c->in_body && (at < (size_t)n || (!c->chunked && c->left <= 0)) &&
        take_body(c, bytes + at, (size_t)n - at))
        conn_done(c, now_ns());
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t quantile(double q)
{
    if (sample_count == 0)
        return 0;
    size_t at = (size_t)(q * (double)(sample_count - 1) + 0.5);
    return samples_us[at];
}

/* One piece: the loop is the clock, and what it measures must not hide behind calls. */
static void run(double seconds, double rate)
{
    uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9), sent = 0;
    struct epoll_event events[256];
    for (;;) {
        uint64_t now = now_ns();
        if (now >= end)
            break;
        while (idle && !hold) {
            uint64_t due = open_loop ? begin + (uint64_t)((double)sent * 1e9 / rate) : now;
            if (due > now)
                break;
            struct conn *c = idle;
            idle = c->next_idle;
            conn_send(c, due);
            sent++;
        }
        struct timespec wait = {.tv_nsec = 10000000};
        if (open_loop && idle) { /* sleeps until the next is due: the gateway needs the processor */
            uint64_t due = begin + (uint64_t)((double)sent * 1e9 / rate), at = now_ns();
            wait.tv_nsec = due > at ? (long)(due - at < 10000000 ? due - at : 10000000) : 0;
        }
        int n = epoll_pwait2(epoll_fd, events, 256, &wait, NULL);
        for (int i = 0; i < n; i++)
            on_readable(events[i].data.ptr);
    }
    double took = (double)(now_ns() - begin) / 1e9;
    qsort(samples_us, sample_count, sizeof(*samples_us), compare_u32);
    size_t busy = 0;
    for (size_t i = 0; i < connected && i < CONNECTIONS_MAX; i++)
        busy += conns[i].busy;
    printf("{\"answers\":%zu,\"errors\":%zu,\"unfinished\":%zu,\"rps\":%.1f,\"p50_us\":%u,"
           "\"p90_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
           sample_count, error_count, busy, (double)sample_count / took, quantile(0.5),
           quantile(0.9), quantile(0.99), quantile(1));
}

static void read_request(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail(path);
    request_len = fread(request, 1, sizeof(request), f);
    fclose(f);
}

/* One piece: options in their order, then the connections, then the run. */
int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr,
                "usage: gateway_load PORT FILE closed|open|hold CONNECTIONS SECONDS [RATE]\n");
        return 2;
    }
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    read_request(argv[2]);
    open_loop = strcmp(argv[3], "open") == 0;
    hold = strcmp(argv[3], "hold") == 0;
    size_t count = strtoul(argv[4], NULL, 10);
    if (count == 0 || count > CONNECTIONS_MAX || (open_loop && argc < 7))
        return 2;
    conns = calloc(count, sizeof(*conns));
    samples_us = malloc(SAMPLES_MAX * sizeof(*samples_us));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!conns || !samples_us || epoll_fd < 0)
        fail("memory");
    for (size_t i = 0; i < count; i++) {
        conn_open(&conns[i]);
        if (hold)
            conn_send(&conns[i], now_ns());
        else
            conn_idle(&conns[i]);
    }
    run(strtod(argv[5], NULL), argc > 6 ? strtod(argv[6], NULL) : 0);
    return 0;
}
