/* Outgoing calls over one curl multi handle: TLS, HTTP/2, proxies, names. Calls that need none of these go by
 * http_plain.c.
 *
 * Everything runs on the loop's thread. Curl forbids most of its functions inside its own callbacks, so client->inside
 * counts how deep in them we are, and whatever a callback asks for waits for the end of the round. Curl's timer
 * callback only records a deadline. */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/address.h"
#include "net/http_client_int.h"
#include "net/http_sockets.h"

#define KEEPALIVE_SECONDS     60L
#define BODY_COPIED_BYTES_MAX (64u << 10) /* curl sends these in one piece with the head */
#define BODY_KEPT_BYTES       (16u << 10)

struct curl_call {
    CURL *easy;
    struct call_text text;
    struct curl_slist header_list[CALL_LINES_MAX];
    struct buf body; /* copy of a small body */
    size_t body_read;
    bool added;
    bool denied; /* the address was private, which the options forbid */
    char curl_text[CURL_ERROR_SIZE];
};

struct curl_side {
    struct http_client *client;
    CURLM *multi;
    struct loop_timer *timer;
    bool due; /* curl's own deadline has passed */
    char *ca_file;
    struct sockets sockets;
};

/* Ends */

bool curl_call_sent(const struct http_call *c)
{
    long request_bytes = 0;
    return curl_easy_getinfo(c->curl->easy, CURLINFO_REQUEST_SIZE, &request_bytes) == CURLE_OK &&
           request_bytes > 0;
}

/* Curl's own message is used only where it cannot contain credentials. */
static const char *curl_words(const struct http_call *c, CURLcode code)
{
    if (c->curl->denied && code == CURLE_COULDNT_CONNECT)
        return "its address is private, which upstream.private_addresses denies";
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
        return c->curl->curl_text[0] != '\0' ? c->curl->curl_text : curl_easy_strerror(code);
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
    if (status != OK && curl_easy_getinfo(c->curl->easy, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK)
        err.sys_errno = (int)os_errno;
    call_finish(c, status, &err);
}

/* Callbacks of a transfer */

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
    if (!blank ||
        curl_easy_getinfo(c->curl->easy, CURLINFO_RESPONSE_CODE, &http_status) != CURLE_OK ||
        http_status < 200)
        return line.len;
    c->head_done = true;
    if (c->o.on_head)
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
    if (!c->o.progress_is_told)
        http_call_progress(c);
    if (c->o.on_body)
        c->o.on_body(c, piece);
    return c->cancelled ? 0 : piece.len;
}

static size_t on_upload(char *into, size_t size, size_t count, void *user)
{
    struct http_call *c = user;
    if (c->cancelled) /* the caller's body may be gone already */
        return CURL_READFUNC_ABORT;
    struct str rest = str_slice(c->o.body, c->curl->body_read, c->o.body.len);
    rest = str_slice(rest, 0, size * count);
    if (rest.len > 0)
        memcpy(into, rest.ptr, rest.len);
    c->curl->body_read += rest.len;
    return rest.len;
}

static int on_upload_seek(void *user, curl_off_t offset, int origin)
{
    struct http_call *c = user;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > c->o.body.len)
        return CURL_SEEKFUNC_CANTSEEK;
    c->curl->body_read = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Sockets */

static void on_socket_ready(void *arg, int fd, unsigned ready)
{
    struct curl_side *s = arg;
    int running, mask = (ready & LOOP_READ ? CURL_CSELECT_IN : 0) |
                        (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    s->client->inside++;
    curl_multi_socket_action(s->multi, fd, mask, &running);
    s->client->inside--;
    loop_defer(s->client->loop, &s->client->round_end);
}

static curl_socket_t on_socket_open(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    struct http_call *c = user;
    struct curl_side *s = c->client->curl;
    if (c->client->deny_private && address_is_private(&a->addr)) {
        c->curl->denied = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (sockets_add(&s->sockets, fd) != OK) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int on_socket_close(void *user, curl_socket_t fd)
{
    struct curl_side *s = user;
    sockets_forget(&s->sockets, fd);
    return close(fd);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *mark)
{
    (void)easy, (void)mark;
    struct curl_side *s = user;
    unsigned wanted = (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? LOOP_READ : 0u) |
                      (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? LOOP_WRITE : 0u);
    return sockets_want(&s->sockets, fd, wanted) == OK ? 0 : -1;
}

/* The end of a round */

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct curl_side *s = user;
    if (timeout_ms < 0) {
        loop_timer_stop(s->timer);
    } else if (timeout_ms == 0) {
        s->due = true;
        loop_defer(s->client->loop, &s->client->round_end);
    } else {
        loop_timer_start(s->timer, (uint64_t)timeout_ms);
    }
    return 0;
}

static void on_timer(void *arg)
{
    struct curl_side *s = arg;
    s->due = true;
    loop_defer(s->client->loop, &s->client->round_end);
}

static void completed_run(struct curl_side *s)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(s->multi, &left))) {
        struct http_call *c = NULL;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c) != CURLE_OK || !c)
            continue;
        if (c->cancelled)
            call_recycle(c);
        else
            call_complete(c, message->data.result);
    }
}

void curl_round(struct curl_side *s)
{
    if (s->due) {
        int running;
        s->due = false;
        s->client->inside++;
        curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        s->client->inside--;
    }
    completed_run(s);
}

void curl_call_add(struct http_call *c)
{
    struct http_client *client = c->client;
    client->inside++;
    CURLMcode code = curl_multi_add_handle(client->curl->multi, c->curl->easy);
    client->inside--;
    if (code == CURLM_OK) {
        c->added = c->curl->added = true;
        call_arm(c);
        return;
    }
    struct error err;
    error_set(&err, ERR_MEMORY, "cannot start an outgoing call: %s", curl_multi_strerror(code));
    call_finish(c, ERR_MEMORY, &err);
}

void curl_call_continue(struct http_call *c)
{
    struct http_client *client = c->client;
    client->inside++;
    (void)curl_easy_pause(c->curl->easy, CURLPAUSE_CONT);
    client->inside--;
    if (!c->cancelled)
        call_arm(c);
}

void curl_call_detach(struct http_call *c)
{
    struct http_client *client = c->client;
    if (!c->curl)
        return;
    if (c->curl->added) {
        client->inside++;
        curl_multi_remove_handle(client->curl->multi, c->curl->easy);
        client->inside--;
    }
    c->curl->added = false;
    if (c->curl->body.capacity > BODY_KEPT_BYTES)
        buf_done(&c->curl->body);
}

/* Starting a call */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (curl_easy_setopt(c->curl->easy, option, value) != CURLE_OK)                            \
            return false;                                                                          \
    } while (0)

/* Sets what never changes from call to call, once in the life of an easy handle. One list, so that the options can be
 * compared with curl's documentation in one look. */
static bool easy_prepare(struct http_call *c)
{
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_ERRORBUFFER, c->curl->curl_text);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* else whoever ends a call waits for its name to be resolved */
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
    SET(CURLOPT_OPENSOCKETDATA, c);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
    SET(CURLOPT_CLOSESOCKETDATA, c->client->curl);
    if (!c->client->use_proxy)
        SET(CURLOPT_PROXY, "");
    if (c->client->curl->ca_file)
        SET(CURLOPT_CAINFO, c->client->curl->ca_file);
    return true;
}

void curl_call_free(struct curl_call *c)
{
    if (!c)
        return;
    if (c->easy)
        curl_easy_cleanup(c->easy);
    call_text_done(&c->text);
    buf_done(&c->body);
    free(c);
}

static bool call_create(struct http_call *c)
{
    c->curl = calloc(1, sizeof(*c->curl));
    if (!c->curl)
        return false;
    call_text_init(&c->curl->text);
    buf_init(&c->curl->body, BODY_COPIED_BYTES_MAX);
    c->curl->easy = curl_easy_init();
    if (c->curl->easy && easy_prepare(c))
        return true;
    curl_call_free(c->curl);
    c->curl = NULL;
    return false;
}

/* Small bodies are copied, so that curl can send them with the head and none of the caller's memory is read
 * after a cancellation. */
static bool easy_set_body(struct http_call *c)
{
    const char *fields = NULL;
    if (c->o.body.len <= BODY_COPIED_BYTES_MAX) {
        buf_clear(&c->curl->body);
        buf_add(&c->curl->body, c->o.body);
        if (c->curl->body.status != OK)
            return false;
        fields = c->curl->body.ptr;
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
    for (size_t i = 1; i < c->curl->text.count; i++) {
        struct curl_slist *next = i + 1 < c->curl->text.count ? &c->curl->header_list[i] : NULL;
        c->curl->header_list[i - 1] = (struct curl_slist){(char *)c->curl->text.lines[i], next};
    }
    bool tls = str_starts(str_from(c->o.url), STR("https"));
    SET(CURLOPT_URL, c->curl->text.lines[0]);
    SET(CURLOPT_HTTPHEADER, c->curl->header_list);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)c->o.connect_timeout_ms);
    /* Prefer a stream on a connection that is being made to a second connection. */
    SET(CURLOPT_PIPEWAIT, tls ? 1L : 0L);
    return easy_set_method(c);
}

enum status curl_call_prepare(struct http_call *c, struct error *err)
{
    if (!c->curl && !call_create(c))
        return error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    c->curl->body_read = 0;
    c->curl->curl_text[0] = '\0';
    c->curl->denied = false;
    enum status status = call_text_build(&c->curl->text, &c->o, err);
    if (status == OK && !easy_set_call(c))
        status = error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    return status;
}

/* Life */

static void curl_begin(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static bool multi_prepare(struct curl_side *s, long connections_max)
{
    CURLM *m = s->multi;
    return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETDATA, s) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer_wanted) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERDATA, s) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, connections_max) == CURLM_OK &&
           /* Otherwise curl keeps four idle connections for each running call. */
           curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, connections_max) == CURLM_OK;
}

enum status curl_side_create(struct http_client *client, const struct http_client_options *o,
                             struct curl_side **ret, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_begin);
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS))
        return error_set(err, ERR_UNSUPPORTED,
                         "this libcurl looks names up while everybody waits; install one with "
                         "AsynchDNS (`curl --version`)");
    struct curl_side *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP client");
    s->client = client;
    sockets_init(&s->sockets, client->loop, on_socket_ready, s);
    s->ca_file = o->ca_file ? strdup(o->ca_file) : NULL;
    s->timer = loop_timer_create(client->loop, on_timer, s);
    s->multi = curl_multi_init();
    if (!s->timer || !s->multi || !multi_prepare(s, o->host_connections_max) ||
        (o->ca_file && !s->ca_file)) {
        curl_side_free(s);
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP client");
    }
    *ret = s;
    return OK;
}

void curl_side_free(struct curl_side *s)
{
    if (!s)
        return;
    if (s->multi)
        curl_multi_cleanup(s->multi);
    sockets_done(&s->sockets);
    loop_timer_free(s->timer);
    free(s->ca_file);
    free(s);
}
