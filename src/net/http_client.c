/* Outgoing calls over one curl multi handle on the loop.
 *
 * Curl forbids most of itself inside its own callbacks, so starting, resuming and cancelling leave the call on a
 * to-do list that is worked off at the end of the loop's round; only a cancellation outside curl acts at once.
 * Curl's timer callback merely sets a deadline. */
#include "net/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/http_call_text.h"
#include "net/http_sockets.h"

#define HOST_CONNECTIONS_DEFAULT   512
#define CONNECT_TIMEOUT_MS_DEFAULT 5000u
#define KEEPALIVE_SECONDS          60L
#define SPARE_CALLS_MAX            512
#define BODY_COPIED_BYTES_MAX      (64u << 10) /* curl sends these in one piece with the head */
#define BODY_KEPT_BYTES            (16u << 10)
#define NO_DEADLINE                UINT64_MAX

struct http_call {
    struct http_client *client;
    CURL *easy;
    struct http_call_options o;
    struct loop_timer *timer;
    struct call_text text;
    struct curl_slist header_list[CALL_LINES_MAX];
    struct buf body; /* copy of a small body */
    size_t body_read;
    struct buf head; /* raw lines of the final response head */
    uint64_t started_ms, last_ms, armed_ms;
    bool added, cancelled, finished, paused, resume, head_done, got_body, sent;
    bool listed; /* on the to-do list */
    struct http_call *todo_next;
    struct http_call *next, *previous; /* all calls that are not spare */
    char curl_text[CURL_ERROR_SIZE];
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    struct loop_hook round_end;
    bool due;        /* curl's own deadline has passed */
    unsigned inside; /* depth of curl calls on the stack */
    bool use_proxy;
    char *ca_file;
    struct http_call *calls, *spare, *todo_first, **todo_last;
    size_t spare_count;
    struct sockets sockets;
};

/* The to-do list */

static void call_list(struct http_call *c)
{
    struct http_client *client = c->client;
    if (!c->listed) {
        c->listed = true;
        c->todo_next = NULL;
        *client->todo_last = c;
        client->todo_last = &c->todo_next;
    }
    loop_defer(client->loop, &client->round_end);
}

static void call_unlist(struct http_call *c)
{
    if (!c->listed)
        return;
    struct http_call **at = &c->client->todo_first;
    while (*at != c)
        at = &(*at)->todo_next;
    *at = c->todo_next;
    if (c->client->todo_last == &c->todo_next)
        c->client->todo_last = at;
    c->listed = false;
}

/* Deadlines: first byte, idle and total are ours (connecting is curl's). The timer is set for the earliest and
 * looks again when it fires, so that bytes only note the time. */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t call_due_ms(const struct http_call *c)
{
    uint64_t due = NO_DEADLINE;
    if (c->o.total_timeout_ms != 0)
        due = c->started_ms + c->o.total_timeout_ms;
    if (c->paused)
        return due;
    if (!c->got_body && c->o.first_byte_timeout_ms != 0)
        due = earlier(due, c->started_ms + c->o.first_byte_timeout_ms);
    if (c->got_body && c->o.idle_timeout_ms != 0)
        due = earlier(due, c->last_ms + c->o.idle_timeout_ms);
    return due;
}

static void call_arm(struct http_call *c)
{
    uint64_t due = call_due_ms(c);
    if (due >= c->armed_ms)
        return;
    uint64_t now = loop_now_ms(c->client->loop);
    loop_timer_start(c->timer, due > now ? due - now : 0);
    c->armed_ms = due;
}

/* Ends */

static void call_free(struct http_call *c)
{
    if (c == NULL)
        return;
    if (c->easy != NULL)
        curl_easy_cleanup(c->easy);
    loop_timer_free(c->timer);
    call_text_done(&c->text);
    buf_done(&c->body);
    buf_done(&c->head);
    free(c);
}

static void call_detach(struct http_call *c)
{
    struct http_client *client = c->client;
    if (!c->added)
        return;
    client->inside++;
    curl_multi_remove_handle(client->multi, c->easy);
    client->inside--;
    c->added = false;
}

/* Out of curl and off all lists; kept for the next call. */
static void call_recycle(struct http_call *c)
{
    struct http_client *client = c->client;
    CHECK(client->inside == 0);
    call_detach(c);
    call_unlist(c);
    loop_timer_stop(c->timer);
    if (c->next != NULL)
        c->next->previous = c->previous;
    *(c->previous != NULL ? &c->previous->next : &client->calls) = c->next;
    c->next = c->previous = NULL;
    if (client->spare_count >= SPARE_CALLS_MAX) {
        call_free(c);
        return;
    }
    if (c->body.capacity > BODY_KEPT_BYTES)
        buf_done(&c->body);
    c->next = client->spare;
    client->spare = c;
    client->spare_count++;
}

static bool request_went_out(const struct http_call *c)
{
    long request_bytes = 0;
    return curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request_bytes) == CURLE_OK &&
           request_bytes > 0;
}

static void call_finish(struct http_call *c, enum status status, const struct error *err)
{
    c->sent = request_went_out(c);
    call_detach(c);
    c->finished = true;
    c->o.on_done(c, status, err);
    call_recycle(c);
}

static void on_call_due(void *arg)
{
    struct http_call *c = arg;
    uint64_t now = loop_now_ms(c->client->loop), due = call_due_ms(c);
    c->armed_ms = NO_DEADLINE;
    if (due > now) {
        call_arm(c);
        return;
    }
    struct error err;
    const struct http_call_options *o = &c->o;
    if (o->total_timeout_ms != 0 && c->started_ms + o->total_timeout_ms <= now)
        error_set(&err, ERR_TIMEOUT, "no complete answer within %u ms", o->total_timeout_ms);
    else if (!c->got_body)
        error_set(&err, ERR_TIMEOUT, "no first byte within %u ms", o->first_byte_timeout_ms);
    else
        error_set(&err, ERR_TIMEOUT, "the answer stopped for %u ms", o->idle_timeout_ms);
    call_finish(c, ERR_TIMEOUT, &err);
}

/* Curl's words are used only where they can hold no credentials. */
static const char *curl_words(const struct http_call *c, CURLcode code)
{
    switch (code) {
    case CURLE_PARTIAL_FILE:
        return "the connection was cut amid the answer";
    case CURLE_GOT_NOTHING:
        return "the connection was closed without an answer";
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return c->curl_text[0] != '\0' ? c->curl_text : curl_easy_strerror(code);
    default:
        return curl_easy_strerror(code);
    }
}

static enum status curl_error(const struct http_call *c, CURLcode code, struct error *err)
{
    if (code == CURLE_OUT_OF_MEMORY)
        return error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, ERR_TIMEOUT, "no connection within %u ms", c->o.connect_timeout_ms);
    if (c->head.status != OK)
        return error_set(err, ERR_UPSTREAM, "the head of the answer is over %u bytes",
                         CALL_RESPONSE_HEAD_BYTES);
    char words[CURL_ERROR_SIZE];
    size_t i = 0;
    for (const char *w = curl_words(c, code); w[i] != '\0' && i < sizeof words - 1; i++)
        words[i] = w[i] < ' ' && w[i] >= 0 ? ' ' : w[i];
    words[i] = '\0';
    return error_set(err, ERR_UPSTREAM, "%s", words);
}

static void call_complete(struct http_call *c, CURLcode code)
{
    struct error err = {0};
    enum status status = OK;
    if (code != CURLE_OK)
        status = curl_error(c, code, &err);
    else if (!c->head_done)
        status = error_set(&err, ERR_UPSTREAM, "the answer has no head");
    long os_errno = 0;
    if (status != OK && curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK)
        err.sys_errno = (int)os_errno;
    call_finish(c, status, &err);
}

/* What curl calls during a transfer */

static size_t on_head_line(char *bytes, size_t size, size_t count, void *user)
{
    struct http_call *c = user;
    struct str line = {bytes, size * count};
    if (c->cancelled)
        return 0;
    if (c->head_done) /* trailers */
        return line.len;
    if (str_starts(line, STR("HTTP/")))
        buf_clear(&c->head);
    buf_add(&c->head, line);
    if (c->head.status != OK)
        return 0;
    long http_status = 0;
    bool blank = str_trim(line).len == 0;
    if (!blank || curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &http_status) != CURLE_OK ||
        http_status < 200)
        return line.len;
    c->head_done = true;
    if (c->o.on_head != NULL)
        c->o.on_head(c, (int)http_status);
    return c->cancelled ? 0 : line.len;
}

static size_t on_body_bytes(char *bytes, size_t size, size_t count, void *user)
{
    struct http_call *c = user;
    struct str piece = {bytes, size * count};
    if (c->cancelled)
        return 0;
    if (piece.len == 0)
        return 0;
    if (c->paused)
        return CURL_WRITEFUNC_PAUSE;
    c->last_ms = loop_now_ms(c->client->loop);
    c->got_body = true;
    call_arm(c);
    if (c->o.on_body != NULL)
        c->o.on_body(c, piece);
    return c->cancelled ? 0 : piece.len;
}

static size_t on_upload(char *into, size_t size, size_t count, void *user)
{
    struct http_call *c = user;
    if (c->cancelled) /* the caller's body may be gone already */
        return CURL_READFUNC_ABORT;
    struct str rest = str_slice(c->o.body, c->body_read, c->o.body.len);
    rest = str_slice(rest, 0, size * count);
    if (rest.len > 0)
        memcpy(into, rest.ptr, rest.len);
    c->body_read += rest.len;
    return rest.len;
}

static int on_upload_seek(void *user, curl_off_t offset, int origin)
{
    struct http_call *c = user;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > c->o.body.len)
        return CURL_SEEKFUNC_CANTSEEK;
    c->body_read = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Sockets */

static void on_socket_ready(void *arg, int fd, unsigned ready)
{
    struct http_client *client = arg;
    int running, mask = (ready & LOOP_READ ? CURL_CSELECT_IN : 0) |
                        (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    client->inside++;
    curl_multi_socket_action(client->multi, fd, mask, &running);
    client->inside--;
    loop_defer(client->loop, &client->round_end);
}

static curl_socket_t on_socket_open(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    struct http_client *client = user;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (sockets_add(&client->sockets, fd) != OK) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int on_socket_close(void *user, curl_socket_t fd)
{
    struct http_client *client = user;
    sockets_forget(&client->sockets, fd);
    return close(fd);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *mark)
{
    (void)easy, (void)mark;
    struct http_client *client = user;
    unsigned wanted = (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? LOOP_READ : 0u) |
                      (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? LOOP_WRITE : 0u);
    return sockets_want(&client->sockets, fd, wanted) == OK ? 0 : -1;
}

/* The end of a round */

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct http_client *client = user;
    if (timeout_ms < 0) {
        loop_timer_stop(client->timer);
    } else if (timeout_ms == 0) {
        client->due = true;
        loop_defer(client->loop, &client->round_end);
    } else {
        loop_timer_start(client->timer, (uint64_t)timeout_ms);
    }
    return 0;
}

static void on_timer(void *arg)
{
    struct http_client *client = arg;
    client->due = true;
    loop_defer(client->loop, &client->round_end);
}

static void call_add(struct http_call *c)
{
    struct http_client *client = c->client;
    client->inside++;
    CURLMcode code = curl_multi_add_handle(client->multi, c->easy);
    client->inside--;
    if (code == CURLM_OK) {
        c->added = true;
        call_arm(c);
        return;
    }
    struct error err;
    error_set(&err, ERR_MEMORY, "cannot start an outgoing call: %s", curl_multi_strerror(code));
    call_finish(c, ERR_MEMORY, &err);
}

static void call_continue(struct http_call *c)
{
    struct http_client *client = c->client;
    c->resume = false; /* first: curl calls on_body_bytes from in here, which may pause again */
    c->last_ms = loop_now_ms(client->loop);
    client->inside++;
    (void)curl_easy_pause(c->easy, CURLPAUSE_CONT);
    client->inside--;
    if (!c->cancelled)
        call_arm(c);
}

static void todo_run(struct http_client *client)
{
    while (client->todo_first != NULL) {
        struct http_call *c = client->todo_first;
        call_unlist(c);
        if (c->cancelled)
            call_recycle(c);
        else if (!c->added)
            call_add(c);
        else if (c->resume && !c->paused)
            call_continue(c);
    }
}

static void completed_run(struct http_client *client)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct http_call *c = NULL;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c) != CURLE_OK || c == NULL)
            continue;
        if (c->cancelled)
            call_recycle(c);
        else
            call_complete(c, message->data.result);
    }
}

static void on_round_end(void *arg)
{
    struct http_client *client = arg;
    todo_run(client);
    if (client->due) {
        int running;
        client->due = false;
        client->inside++;
        curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        client->inside--;
    }
    completed_run(client);
}

/* Starting a call */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (curl_easy_setopt(c->easy, option, value) != CURLE_OK)                                  \
            return false;                                                                          \
    } while (0)

/* What never changes from call to call. */
static bool easy_prepare(struct http_call *c)
{
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_ERRORBUFFER, c->curl_text);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_WRITEFUNCTION, on_body_bytes);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_HEADERFUNCTION, on_head_line);
    SET(CURLOPT_HEADERDATA, c);
    SET(CURLOPT_READFUNCTION, on_upload);
    SET(CURLOPT_READDATA, c);
    SET(CURLOPT_SEEKFUNCTION, on_upload_seek);
    SET(CURLOPT_SEEKDATA, c);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket_open);
    SET(CURLOPT_OPENSOCKETDATA, c->client);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
    SET(CURLOPT_CLOSESOCKETDATA, c->client);
    if (!c->client->use_proxy)
        SET(CURLOPT_PROXY, "");
    if (c->client->ca_file != NULL)
        SET(CURLOPT_CAINFO, c->client->ca_file);
    return true;
}

static struct http_call *call_create(struct http_client *client)
{
    struct http_call *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->client = client;
    call_text_init(&c->text);
    buf_init(&c->body, BODY_COPIED_BYTES_MAX);
    buf_init(&c->head, CALL_RESPONSE_HEAD_BYTES);
    c->easy = curl_easy_init();
    c->timer = loop_timer_create(client->loop, on_call_due, c);
    if (c->easy == NULL || c->timer == NULL || !easy_prepare(c)) {
        call_free(c);
        return NULL;
    }
    return c;
}

/* Small bodies are copied, so that curl can send them with the head and none of the caller's memory is read
 * after a cancellation. */
static bool easy_set_body(struct http_call *c)
{
    const char *fields = NULL;
    if (c->o.body.len <= BODY_COPIED_BYTES_MAX) {
        buf_clear(&c->body);
        buf_add(&c->body, c->o.body);
        if (c->body.status != OK)
            return false;
        fields = c->body.ptr;
    }
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, fields);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->o.body.len);
    return true;
}

static bool easy_set_method(struct http_call *c)
{
    struct str method = str_from(c->o.method);
    bool post = str_equal(method, STR("POST")), get = str_equal(method, STR("GET"));
    bool head = str_equal(method, STR("HEAD"));
    SET(CURLOPT_HTTPGET, 1L); /* also takes back what the last call left */
    SET(CURLOPT_CUSTOMREQUEST, post || get || head ? NULL : c->o.method);
    if (head)
        SET(CURLOPT_NOBODY, 1L);
    return post || c->o.body.len > 0 ? easy_set_body(c) : true;
}

static bool easy_set_call(struct http_call *c)
{
    for (size_t i = 1; i < c->text.count; i++) {
        struct curl_slist *next = i + 1 < c->text.count ? &c->header_list[i] : NULL;
        c->header_list[i - 1] = (struct curl_slist){(char *)c->text.lines[i], next};
    }
    bool tls = str_starts(str_from(c->o.url), STR("https"));
    SET(CURLOPT_URL, c->text.lines[0]);
    SET(CURLOPT_HTTPHEADER, c->header_list);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)c->o.connect_timeout_ms);
    SET(CURLOPT_PIPEWAIT,
        tls ? 1L : 0L); /* rather a stream on a connection being made than a new one */
    return easy_set_method(c);
}

static struct http_call *call_take(struct http_client *client)
{
    struct http_call *c = client->spare;
    if (c == NULL)
        return call_create(client);
    client->spare = c->next;
    client->spare_count--;
    c->next = NULL;
    return c;
}

static void call_reset(struct http_call *c, const struct http_call_options *o)
{
    c->o = *o;
    if (c->o.connect_timeout_ms == 0)
        c->o.connect_timeout_ms = CONNECT_TIMEOUT_MS_DEFAULT;
    c->started_ms = c->last_ms = loop_now_ms(c->client->loop);
    c->armed_ms = NO_DEADLINE;
    c->body_read = 0;
    c->added = c->cancelled = c->finished = c->paused = c->resume = false;
    c->head_done = c->got_body = c->sent = false;
    c->curl_text[0] = '\0';
    buf_clear(&c->head);
}

static void call_link(struct http_call *c)
{
    struct http_client *client = c->client;
    c->next = client->calls;
    c->previous = NULL;
    if (c->next != NULL)
        c->next->previous = c;
    client->calls = c;
}

enum status http_call_start(struct http_client *client, const struct http_call_options *o,
                            struct http_call **ret, struct error *err)
{
    CHECK(o->method != NULL);
    CHECK(o->on_done != NULL);
    struct http_call *c = call_take(client);
    if (c == NULL)
        return error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    call_reset(c, o);
    call_link(c);
    enum status status = call_text_build(&c->text, o, err);
    if (status == OK && !easy_set_call(c))
        status = error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    if (status != OK) {
        c->cancelled = true;
        call_list(c);
        return status;
    }
    *ret = c;
    call_list(c);
    return OK;
}

void http_call_cancel(struct http_call *c)
{
    CHECK(!c->cancelled);
    if (c->finished) /* from inside on_done: it is gone as it is */
        return;
    c->cancelled = true;
    if (c->client->inside == 0)
        call_recycle(c);
    else
        call_list(c);
}

void http_call_pause(struct http_call *c)
{
    c->paused = true;
}

void http_call_resume(struct http_call *c)
{
    if (!c->paused)
        return;
    c->paused = false;
    c->resume = true;
    call_list(c);
}

void *http_call_user(const struct http_call *c)
{
    return c->o.user;
}

struct str http_call_header(const struct http_call *c, const char *name)
{
    return call_head_find(buf_str(&c->head), str_from(name));
}

bool http_call_sent(const struct http_call *c)
{
    return c->sent || c->head_done || (!c->finished && request_went_out(c));
}

/* Life of a client */

static void curl_begin(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static bool multi_prepare(struct http_client *client, long connections_max)
{
    CURLM *m = client->multi;
    return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer_wanted) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, connections_max) == CURLM_OK &&
           /* else curl keeps four idle connections for each call that runs just now */
           curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, connections_max) == CURLM_OK;
}

enum status http_client_create(struct loop *l, const struct http_client_options *options,
                               struct http_client **ret, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_begin);
    static const struct http_client_options none = {0};
    const struct http_client_options *o = options != NULL ? options : &none;
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP client");
    client->loop = l;
    client->todo_last = &client->todo_first;
    sockets_init(&client->sockets, l, on_socket_ready, client);
    client->round_end = (struct loop_hook){.fn = on_round_end, .arg = client};
    client->use_proxy = o->use_proxy;
    client->ca_file = o->ca_file != NULL ? strdup(o->ca_file) : NULL;
    client->timer = loop_timer_create(l, on_timer, client);
    client->multi = curl_multi_init();
    long max = o->host_connections_max > 0 ? o->host_connections_max : HOST_CONNECTIONS_DEFAULT;
    if (client->timer == NULL || client->multi == NULL || !multi_prepare(client, max) ||
        (o->ca_file != NULL && client->ca_file == NULL)) {
        http_client_free(client);
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP client");
    }
    *ret = client;
    return OK;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    CHECK(client->inside == 0);
    while (client->calls != NULL)
        call_recycle(client->calls);
    while (client->spare != NULL)
        call_free(call_take(client));
    if (client->multi != NULL)
        curl_multi_cleanup(client->multi);
    sockets_done(&client->sockets);
    loop_defer_cancel(client->loop, &client->round_end);
    loop_timer_free(client->timer);
    free(client->ca_file);
    free(client);
}
