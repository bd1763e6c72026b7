/* TLS over OpenSSL. The context keeps one SSL_CTX at a time; the SSL of a connection holds the one that it began with,
 * so a new certificate only exchanges a pointer under a lock. The socket is read and written by a BIO of our own, which
 * saves signals (no SIGPIPE), reads (one recv a round) and memory (an idle connection keeps no record buffers), and
 * which tells plain HTTP by its first byte.
 *
 * A context may be used by any thread, a tls_conn only by its loop's. tls_context_create, _reload and _refresh read
 * files and must not be called on a loop that others wait for. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"

/* TLS 1.2: only with forward secrecy and authenticated encryption; TLS 1.3 has no others. */
#define TLS_12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define TLS_GROUPS     "X25519:P-256:P-384"
/* Sessions live in tickets that the client keeps; more than one ticket is for clients that open many at once. */
#define TLS_TICKETS         1
#define TLS_SESSION_SECONDS 7200

struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct pair_stamp {
    struct file_stamp certificate, key;
};

struct tls_context {
    pthread_mutex_t lock; /* guards the next two; never held while files are read */
    SSL_CTX *current;
    struct tls_certificate shown;
    pthread_mutex_t files_lock;    /* guards the rest: one load at a time */
    char *certificate, *key;       /* paths */
    struct pair_stamp tried, seen; /* of what was loaded or refused; of the last look */
};

struct tls_conn {
    SSL *ssl;
    int fd;
    bool has_end; /* `end` was seen behind bytes and is told by the next tls_recv */
    int end;      /* as tls_recv gives it: 0, or -errno */
    bool begun, plain;
    bool dry; /* the socket has nothing more for this call, or is not to be asked */
    bool socket_ended;
    bool recv_waits_to_send, send_waits_to_recv;
};

/* Certificate and key */

static enum status refuse(struct error *err, const char *path, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return error_set(err, ERR_INPUT, "%s: %s%s%s%s", path, what, reason ? " (" : "",
                     reason ? reason : "", reason ? ")" : "");
}

static enum status pem_open(const char *path, struct buf *text, BIO **ret, struct error *err)
{
    buf_init(text, TLS_FILE_BYTES_MAX);
    ERR_clear_error();
    enum status status = file_read(path, TLS_FILE_BYTES_MAX, text, err);
    if (status != OK)
        return status;
    *ret = BIO_new_mem_buf(text->len > 0 ? text->ptr : "", (int)text->len);
    return *ret ? OK : error_set(err, ERR_MEMORY, "out of memory for %s", path);
}

static void pem_close(struct buf *text, BIO *pem)
{
    BIO_free(pem);
    if (text->ptr)
        OPENSSL_cleanse(text->ptr, text->capacity);
    buf_done(text);
}

/* The certificates that follow the server's own. */
static enum status add_chain(SSL_CTX *ctx, BIO *pem, const char *path, struct error *err)
{
    X509 *next;
    for (int count = 1; (next = PEM_read_bio_X509(pem, NULL, NULL, NULL)); count++) {
        if (count >= TLS_CHAIN_MAX) {
            X509_free(next);
            return error_set(err, ERR_TOO_LARGE, "%s: more than %d certificates", path,
                             TLS_CHAIN_MAX);
        }
        if (SSL_CTX_add0_chain_cert(ctx, next) != 1) {
            X509_free(next);
            return refuse(err, path, "a certificate of the chain cannot be used");
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return refuse(err, path, "a certificate of the chain is damaged");
    ERR_clear_error(); /* the end of the file */
    return OK;
}

static enum status load_certificate(SSL_CTX *ctx, const char *path, struct error *err)
{
    struct buf text;
    BIO *pem = NULL;
    X509 *own = NULL;
    enum status status = pem_open(path, &text, &pem, err);
    if (status == OK) {
        own = PEM_read_bio_X509_AUX(pem, NULL, NULL, NULL);
        if (!own)
            status = refuse(err, path, "holds no certificate in PEM form");
        else if (SSL_CTX_use_certificate(ctx, own) != 1)
            status = refuse(err, path, "the certificate cannot be used");
        else
            status = add_chain(ctx, pem, path, err);
    }
    X509_free(own);
    pem_close(&text, pem);
    return status;
}

/* Instead of OpenSSL's own, which would ask on the terminal. */
static int refuse_password(char *into, int room, int writing, void *asked)
{
    (void)into, (void)room, (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* Loads the key and checks that it belongs to the certificate. The chain of refusals is in one place because each needs
 * the key, which must be freed on every way out, and because together they are the whole list of what an administrator
 * may have done wrong. */
static enum status load_key(SSL_CTX *ctx, const char *certificate, const char *path,
                            struct error *err)
{
    struct buf text;
    BIO *pem = NULL;
    EVP_PKEY *key = NULL;
    bool encrypted = false;
    enum status status = pem_open(path, &text, &pem, err);
    if (status == OK) {
        key = PEM_read_bio_PrivateKey(pem, NULL, refuse_password, &encrypted);
        if (encrypted)
            status = error_set(err, ERR_INPUT,
                               "%s: the key is encrypted; keep it without a password, readable by "
                               "the gateway's user alone (openssl pkey -in %s -out NEW)",
                               path, path);
        else if (!key)
            status = refuse(err, path, "holds no private key in PEM form");
        else if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1)
            status = error_set(err, ERR_INPUT,
                               "%s is not the key of the certificate %s, whose own certificate "
                               "must come first in it",
                               path, certificate);
        else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
            status = refuse(err, path, "the key cannot be used");
    }
    EVP_PKEY_free(key);
    pem_close(&text, pem);
    return status;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* What goes into logs holds no blank, quote or control byte. */
static void name_copy(const unsigned char *name, int len, struct tls_certificate *into)
{
    size_t room = sizeof into->name - 1, at = 0;
    for (int i = 0; i < len && at < room; i++)
        into->name[at++] = name[i] > ' ' && name[i] < 0x7f && name[i] != '"' ? (char)name[i] : '_';
    into->name[at] = '\0';
}

static void certificate_show(const X509 *own, struct tls_certificate *into)
{
    *into = (struct tls_certificate){.not_before_s = seconds_of(X509_get0_notBefore(own)),
                                     .not_after_s = seconds_of(X509_get0_notAfter(own))};
    GENERAL_NAMES *names = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && into->name[0] == '\0'; i++) {
        int type;
        const ASN1_STRING *name = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type == GEN_DNS)
            name_copy(ASN1_STRING_get0_data(name), ASN1_STRING_length(name), into);
    }
    GENERAL_NAMES_free(names);
    int at = X509_NAME_get_index_by_NID(X509_get_subject_name(own), NID_commonName, -1);
    if (into->name[0] != '\0' || at < 0)
        return;
    const ASN1_STRING *name =
        X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(own), at));
    name_copy(ASN1_STRING_get0_data(name), ASN1_STRING_length(name), into);
}

/* Contexts */

/* A client that names protocols must name HTTP/1.1; one that names none gets it. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl, (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *ctx)
{
    static const unsigned char sessions_of[] = "leeroo";
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* clients keep the tickets */
    SSL_CTX_set_timeout(ctx, TLS_SESSION_SECONDS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, TLS_12_CIPHERS) == 1 &&
           SSL_CTX_set1_groups_list(ctx, TLS_GROUPS) == 1 &&
           SSL_CTX_set_num_tickets(ctx, TLS_TICKETS) == 1 &&
           SSL_CTX_set_session_id_context(ctx, sessions_of, sizeof sessions_of - 1) == 1;
}

static enum status ctx_create(const char *certificate, const char *key, SSL_CTX **ret,
                              struct error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !set_up(ctx)) {
        SSL_CTX_free(ctx);
        return error_set(err, ERR_MEMORY, "OpenSSL cannot be set up");
    }
    enum status status = load_certificate(ctx, certificate, err);
    if (status == OK)
        status = load_key(ctx, certificate, key, err);
    if (status != OK) {
        SSL_CTX_free(ctx);
        ERR_clear_error();
        return status;
    }
    *ret = ctx;
    return OK;
}

/* A missing file has a stamp, too, so that its coming is seen as a change. */
static struct file_stamp stamp_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct file_stamp){0};
    return (struct file_stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

static bool file_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool pair_same(const struct pair_stamp *a, const struct pair_stamp *b)
{
    return file_same(&a->certificate, &b->certificate) && file_same(&a->key, &b->key);
}

static struct pair_stamp look(const struct tls_context *t)
{
    return (struct pair_stamp){stamp_of(t->certificate), stamp_of(t->key)};
}

/* Under files_lock. The stamp is older than what is read, so a change in between is seen by the next look. */
static enum status load(struct tls_context *t, struct error *err)
{
    SSL_CTX *ctx = NULL;
    struct tls_certificate shown;
    t->tried = t->seen = look(t);
    enum status status = ctx_create(t->certificate, t->key, &ctx, err);
    if (status != OK)
        return status;
    certificate_show(SSL_CTX_get0_certificate(ctx), &shown);
    pthread_mutex_lock(&t->lock);
    SSL_CTX *before = t->current;
    t->current = ctx;
    t->shown = shown;
    pthread_mutex_unlock(&t->lock);
    SSL_CTX_free(before);
    return OK;
}

static enum status paths_set(struct tls_context *t, const char *certificate, const char *key,
                             struct error *err)
{
    char *c = strdup(certificate), *k = strdup(key);
    if (!c || !k) {
        free(c);
        free(k);
        return error_set(err, ERR_MEMORY, "out of memory for TLS");
    }
    free(t->certificate);
    free(t->key);
    t->certificate = c;
    t->key = k;
    return OK;
}

enum status tls_context_create(const char *certificate, const char *key, struct tls_context **ret,
                               struct error *err)
{
    struct tls_context *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory for TLS");
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->files_lock, NULL);
    enum status status = paths_set(t, certificate, key, err);
    if (status == OK)
        status = load(t, err);
    if (status != OK) {
        tls_context_free(t);
        return status;
    }
    *ret = t;
    return OK;
}

void tls_context_free(struct tls_context *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->current);
    free(t->certificate);
    free(t->key);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->files_lock);
    free(t);
}

enum status tls_context_reload(struct tls_context *t, const char *certificate, const char *key,
                               struct error *err)
{
    pthread_mutex_lock(&t->files_lock);
    enum status status = paths_set(t, certificate, key, err);
    if (status == OK)
        status = load(t, err);
    pthread_mutex_unlock(&t->files_lock);
    return status;
}

enum status tls_context_refresh(struct tls_context *t, struct error *err)
{
    pthread_mutex_lock(&t->files_lock);
    struct pair_stamp now = look(t);
    enum status status = AGAIN;
    if (!pair_same(&now, &t->tried) && pair_same(&now, &t->seen))
        status = load(t, err);
    else
        t->seen = now;
    pthread_mutex_unlock(&t->files_lock);
    return status;
}

void tls_context_shown(struct tls_context *t, struct tls_certificate *ret)
{
    pthread_mutex_lock(&t->lock);
    *ret = t->shown;
    pthread_mutex_unlock(&t->lock);
}

/* The socket */

static bool looks_like_http(unsigned char first)
{
    return first >= 'A' && first <= 'Z'; /* a method; TLS begins with 0x16 */
}

static int socket_read(BIO *b, char *into, int room)
{
    struct tls_conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t n = c->dry ? -1 : recv(c->fd, into, (size_t)room, 0);
    if (c->dry || (n < 0 && (errno == EAGAIN || errno == EINTR))) {
        c->dry = true;
        BIO_set_retry_read(b);
        return -1;
    }
    if (n > 0 && !c->begun) {
        c->begun = true;
        c->plain = looks_like_http((unsigned char)into[0]);
        if (c->plain)
            return -1;
    }
    c->dry = n < room;
    c->socket_ended = n <= 0;
    return (int)n;
}

static int socket_write(BIO *b, const char *bytes, int len)
{
    struct tls_conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (c->plain)
        return -1;
    ssize_t n = send(c->fd, bytes, (size_t)len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    return (int)n;
}

static long socket_control(BIO *b, int what, long number, void *pointer)
{
    (void)number, (void)pointer;
    if (what == BIO_CTRL_EOF)
        return ((struct tls_conn *)BIO_get_data(b))->socket_ended;
    return what == BIO_CTRL_FLUSH || what == BIO_CTRL_DUP;
}

static BIO_METHOD *socket_method; /* once for the process, never freed */

static void socket_method_create(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "leeroo socket");
    if (m && BIO_meth_set_read(m, socket_read) == 1 && BIO_meth_set_write(m, socket_write) == 1 &&
        BIO_meth_set_ctrl(m, socket_control) == 1)
        socket_method = m;
}

static BIO *socket_create(struct tls_conn *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, socket_method_create);
    BIO *b = socket_method ? BIO_new(socket_method) : NULL;
    if (!b)
        return NULL;
    BIO_set_data(b, c);
    BIO_set_init(b, 1);
    return b;
}

/* Connections */

static SSL *ssl_create(struct tls_context *t)
{
    pthread_mutex_lock(&t->lock);
    SSL_CTX *ctx = t->current;
    SSL_CTX_up_ref(ctx);
    pthread_mutex_unlock(&t->lock);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    return ssl;
}

struct tls_conn *tls_conn_create(struct tls_context *t, int fd)
{
    struct tls_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    c->ssl = ssl_create(t);
    BIO *socket = c->ssl ? socket_create(c) : NULL;
    if (!socket) {
        tls_conn_free(c);
        return NULL;
    }
    SSL_set_bio(c->ssl, socket, socket);
    SSL_set_accept_state(c->ssl);
    return c;
}

void tls_conn_free(struct tls_conn *c)
{
    if (!c)
        return;
    SSL_free(c->ssl);
    ERR_clear_error(); /* the queue belongs to the thread, and another connection uses it next */
    free(c);
}

/* The status of a call that did not succeed: AGAIN, CLOSED (in good order) or ERR_IO. */
static enum status outcome(const struct tls_conn *c, int result)
{
    int saved = errno;
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return CLOSED;
    case SSL_ERROR_SYSCALL:
        errno = saved != 0 && saved != EAGAIN ? saved : ECONNRESET;
        return ERR_IO;
    default:
        errno = EPROTO;
        return ERR_IO;
    }
}

static void call_begin(struct tls_conn *c, bool leave_socket)
{
    ERR_clear_error();
    errno = 0;
    c->dry = leave_socket;
}

enum status tls_handshake(struct tls_conn *c)
{
    call_begin(c, false);
    int result = SSL_do_handshake(c->ssl);
    if (result == 1) {
        c->recv_waits_to_send = false;
        return OK;
    }
    if (c->plain)
        return ERR_UNSUPPORTED;
    enum status status = outcome(c, result);
    c->recv_waits_to_send = status == AGAIN && SSL_want_write(c->ssl);
    return status == AGAIN ? AGAIN : CLOSED;
}

static ssize_t end_tell(const struct tls_conn *c)
{
    if (c->end == 0)
        return 0;
    errno = -c->end;
    return -1;
}

static ssize_t take(struct tls_conn *c, char *into, size_t room, bool leave_socket)
{
    size_t at = 0;
    if (c->has_end)
        return end_tell(c);
    call_begin(c, leave_socket);
    c->recv_waits_to_send = false;
    while (at < room) {
        size_t n;
        int result = SSL_read_ex(c->ssl, into + at, room - at, &n);
        if (result == 1) {
            at += n;
            continue;
        }
        enum status status = outcome(c, result);
        if (status == AGAIN) {
            c->recv_waits_to_send = SSL_want_write(c->ssl);
            errno = EAGAIN;
            return at > 0 ? (ssize_t)at : -1;
        }
        c->has_end = true;
        c->end = status == CLOSED ? 0 : -errno;
        return at > 0 ? (ssize_t)at : end_tell(c);
    }
    return (ssize_t)at;
}

ssize_t tls_recv(struct tls_conn *c, void *into, size_t room)
{
    return take(c, into, room, false);
}

ssize_t tls_recv_held(struct tls_conn *c, void *into, size_t room)
{
    return take(c, into, room, true);
}

bool tls_holds_bytes(const struct tls_conn *c)
{
    return c->has_end || SSL_has_pending(c->ssl);
}

ssize_t tls_send(struct tls_conn *c, const void *bytes, size_t len)
{
    const char *from = bytes;
    size_t at = 0;
    call_begin(c, false);
    c->send_waits_to_recv = false;
    while (at < len) {
        size_t n;
        int result = SSL_write_ex(c->ssl, from + at, len - at, &n);
        if (result == 1) {
            at += n;
            continue;
        }
        if (outcome(c, result) != AGAIN)
            return -1;
        c->send_waits_to_recv = SSL_want_read(c->ssl);
        errno = EAGAIN;
        return at > 0 ? (ssize_t)at : -1;
    }
    return (ssize_t)at;
}

enum status tls_finish(struct tls_conn *c)
{
    call_begin(c, true);
    int result = SSL_shutdown(c->ssl);
    if (result >= 0)
        return OK;
    return outcome(c, result) == AGAIN && SSL_want_write(c->ssl) ? AGAIN : CLOSED;
}

bool tls_recv_waits_to_send(const struct tls_conn *c)
{
    return c->recv_waits_to_send;
}

bool tls_send_waits_to_recv(const struct tls_conn *c)
{
    return c->send_waits_to_recv;
}
