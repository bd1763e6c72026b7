/* TLS: certificates and their exchange, the handshake, what is odd about bytes inside records, ends. That requests,
 * limits and deadlines are the same as without TLS is for test_net_tls to show: all tests of the HTTP server again. */
#include "net/tls_test.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP  "GET /k HTTP/1.1\r\nHost: h\r\n\r\n"
#define CLOSE "GET /k HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

struct room {
    struct test_pair pair;
    struct tls_context *context;
    struct test_server *server;
};

static struct room room_open(http_handler *handler, void *arg, struct http_server_options o)
{
    struct room r;
    test_pair_make(&r.pair);
    r.context = o.tls = test_context(&r.pair);
    r.server = test_server_start(&o, handler, arg);
    return r;
}

static void room_close(struct room *r)
{
    test_server_stop(r->server);
    tls_context_free(r->context);
    test_pair_remove(&r->pair);
}

static struct room echo_room(void)
{
    return room_open(test_echo, NULL, (struct http_server_options){0});
}

static void expect_body(const char *answer, const char *body)
{
    const char *end = strstr(answer, "\r\n\r\n");
    cr_assert_not_null(end, "no head in: %s", answer);
    cr_assert_str_eq(end + 4, body);
}

static void expect_answer(struct test_tls *c)
{
    test_tls_send(c, KEEP);
    char *a = test_tls_read_answer(c);
    expect_body(a, "GET /k? ");
    free(a);
}

Test(tls, requests_and_answers)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    cr_assert_eq(SSL_version(c.ssl), TLS1_3_VERSION);
    for (int i = 0; i < 20; i++)
        expect_answer(&c);
    cr_assert_eq(test_connections(r.server), 1);
    test_tls_close(&c);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

/* The handshake */

static void at_most_1_1(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
}

static void only_1_2(SSL_CTX *ctx)
{
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

static void weak_1_2(SSL_CTX *ctx)
{
    only_1_2(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_cipher_list(ctx, "AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256");
}

Test(tls, versions_and_ciphers)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, at_most_1_1, NULL);
    cr_assert_null(c.ssl);
    test_tls_drop(&c);
    c = test_tls_connect(r.server->port, weak_1_2, NULL);
    cr_assert_null(c.ssl);
    test_tls_drop(&c);
    c = test_tls_connect(r.server->port, only_1_2, NULL);
    cr_assert_eq(SSL_version(c.ssl), TLS1_2_VERSION);
    cr_assert_not_null(strstr(SSL_get_cipher_name(c.ssl), "ECDHE"));
    expect_answer(&c);
    test_tls_close(&c);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

static void offer_both(SSL_CTX *ctx)
{
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2\x08http/1.1", 12);
}

static void offer_h2(SSL_CTX *ctx)
{
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2", 3);
}

Test(tls, only_http_1_1_is_agreed_on)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, offer_both, NULL);
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    cr_assert_eq(len, 8);
    cr_assert_eq(memcmp(chosen, "http/1.1", 8), 0);
    expect_answer(&c);
    test_tls_close(&c);
    c = test_tls_connect(r.server->port, offer_h2, NULL);
    cr_assert_null(c.ssl);
    test_tls_drop(&c);
    room_close(&r);
}

static void expect_resumption(struct room *r, void (*settings)(SSL_CTX *))
{
    struct test_tls c = test_tls_connect(r->server->port, settings, NULL);
    cr_assert_not(SSL_session_reused(c.ssl));
    expect_answer(&c); /* with TLS 1.3 the ticket comes before it */
    SSL_SESSION *session = SSL_get1_session(c.ssl);
    test_tls_close(&c);
    c = test_tls_connect(r->server->port, settings, session);
    cr_assert(SSL_session_reused(c.ssl));
    expect_answer(&c);
    test_tls_close(&c);
    SSL_SESSION_free(session);
}

Test(tls, sessions_are_resumed)
{
    struct room r = echo_room();
    expect_resumption(&r, NULL);
    expect_resumption(&r, only_1_2);
    room_close(&r);
}

Test(tls, plain_http_is_told_so)
{
    struct room r = echo_room();
    static const char *const requests[] = {KEEP, "DELETE /x HTTP/1.1\r\n\r\n", "P"};
    for (size_t i = 0; i < 3; i++) {
        char *a = test_ask(r.server->port, requests[i]);
        cr_assert(str_starts(str_from(a), STR("HTTP/1.1 400 ")), "%s", a);
        cr_assert_not_null(strstr(a, "https://"));
        free(a);
    }
    test_wait_connections(r.server, 0);
    room_close(&r);
}

/* A client that sends its whole body before it reads gets the answer all the same. */
Test(tls, a_large_plain_request_is_told_so)
{
    struct room r = echo_room();
    size_t len = 8u << 20;
    char *body = calloc(1, len);
    int fd = test_connect(r.server->port);
    test_send(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n");
    test_send_bytes(fd, body, len);
    char *a = test_read_answer(fd);
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 400 ")), "%s", a);
    free(a);
    free(body);
    close(fd);
    room_close(&r);
}

Test(tls, noise_is_cut)
{
    struct room r = echo_room();
    char noise[4096];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 7 + 3);
    for (int first = 0; first < 32; first++) {
        noise[0] = (char)first;
        int fd = test_connect(r.server->port);
        test_send_bytes(fd, noise, sizeof noise);
        shutdown(fd, SHUT_WR);
        free(test_read_all(fd));
        close(fd);
    }
    test_wait_connections(r.server, 0);
    room_close(&r);
}

/* A client whose records go out piece by piece. */
struct dribble {
    SSL *ssl;
    BIO *in, *out;
    int fd;
};

static struct dribble dribble_begin(int port)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct dribble d = {SSL_new(ctx), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()),
                        test_connect(port)};
    SSL_CTX_free(ctx);
    SSL_set_bio(d.ssl, d.in, d.out);
    SSL_set_connect_state(d.ssl);
    return d;
}

static void dribble_out(struct dribble *d, size_t piece)
{
    char bytes[1];
    for (size_t i = 0; BIO_read(d->out, bytes, 1) == 1; i++) {
        test_send_bytes(d->fd, bytes, 1);
        if (i % piece == 0)
            usleep(200);
    }
}

static void dribble_in(struct dribble *d)
{
    char bytes[256];
    ssize_t n = recv(d->fd, bytes, sizeof bytes, 0);
    cr_assert_gt(n, 0);
    BIO_write(d->in, bytes, (int)n);
}

Test(tls, byte_by_byte)
{
    struct room r = echo_room();
    struct dribble d = dribble_begin(r.server->port);
    while (SSL_do_handshake(d.ssl) != 1) {
        dribble_out(&d, 3);
        if (!SSL_is_init_finished(d.ssl) && BIO_pending(d.in) == 0)
            dribble_in(&d);
    }
    SSL_write(d.ssl, KEEP, (int)strlen(KEEP));
    dribble_out(&d, 1);
    char answer[1024];
    size_t len = 0, n;
    while (len < 8 || memcmp(answer + len - 8, "GET /k? ", 8) != 0) {
        if (SSL_read_ex(d.ssl, answer + len, sizeof answer - len, &n) == 1)
            len += n;
        else
            dribble_in(&d);
    }
    cr_assert_eq(memcmp(answer, "HTTP/1.1 200 ", 13), 0);
    SSL_free(d.ssl);
    close(d.fd);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

static void expect_cut(int fd)
{
    char *a = test_read_all(fd);
    cr_assert_null(strstr(a, "HTTP/1.1"), "an HTTP answer in the middle of a handshake");
    free(a);
    close(fd);
}

Test(tls, a_slow_handshake_is_cut)
{
    struct http_server_options o = {.header_timeout_ms = 80};
    struct room r = room_open(test_echo, NULL, o);
    expect_cut(test_connect(r.server->port)); /* says nothing */
    int fd = test_connect(r.server->port);
    test_send_bytes(fd, "\x16\x03\x01\x01", 4);
    expect_cut(fd);
    struct dribble d = dribble_begin(r.server->port);
    SSL_do_handshake(d.ssl); /* the hello goes out, the rest never */
    dribble_out(&d, 10000);
    expect_cut(d.fd);
    SSL_free(d.ssl);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

Test(tls, a_client_that_leaves_in_the_handshake)
{
    struct room r = echo_room();
    static const size_t sent[] = {0, 1, 5, 40, 100000};
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++)
        for (int reset = 0; reset <= 1; reset++) {
            struct dribble d = dribble_begin(r.server->port);
            char hello[4096];
            SSL_do_handshake(d.ssl);
            size_t len = (size_t)BIO_read(d.out, hello, sizeof hello);
            test_send_bytes(d.fd, hello, len < sent[i] ? len : sent[i]);
            test_wait_connections(r.server, 1);
            struct linger now = {.l_onoff = reset, .l_linger = 0};
            setsockopt(d.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close(d.fd);
            SSL_free(d.ssl);
            test_wait_connections(r.server, 0);
        }
    room_close(&r);
}

static void drain(void *arg)
{
    http_server_drain(arg, NULL, NULL);
}

Test(tls, draining_does_not_wait_for_handshakes)
{
    struct room r = echo_room();
    int silent = test_connect(r.server->port);
    struct test_tls idle = test_tls_connect(r.server->port, NULL, NULL);
    expect_answer(&idle);
    test_wait_connections(r.server, 2);
    test_on_loop(r.server, drain, r.server->server);
    bool clean;
    free(test_tls_read_all(&idle, &clean));
    cr_assert(clean);
    expect_cut(silent);
    test_tls_drop(&idle);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

/* Bytes inside records */

static void answer_late(void *arg)
{
    test_echo(arg, NULL);
}

/* One record holds many requests, of which the server takes only so many at once: what it has taken off the socket
 * and not looked at yet is reported by nobody. */
Test(tls, many_requests_in_few_records)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    struct buf b;
    const int requests = 9000;
    buf_init(&b, 4u << 20);
    for (int i = 0; i < requests; i++)
        buf_addf(&b, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
    test_tls_send_bytes(&c, b.ptr, b.len);
    for (int i = 0; i < requests; i++) {
        char wanted[32], *a = test_tls_read_answer(&c);
        snprintf(wanted, sizeof wanted, "GET /%d? ", i);
        expect_body(a, wanted);
        free(a);
    }
    buf_done(&b);
    test_tls_close(&c);
    room_close(&r);
}

/* While the handler works, its client's further requests fill the buffer for them, and reading stops. */
Test(tls, requests_behind_a_slow_handler)
{
    struct test_hold h;
    test_hold_init(&h);
    struct room r = room_open(test_holding, &h, (struct http_server_options){0});
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    const int requests = 4000;
    struct buf b;
    buf_init(&b, 1u << 20);
    for (int i = 0; i < requests; i++)
        buf_addf(&b, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
    test_tls_send_bytes(&c, b.ptr, b.len);
    for (int i = 0; i < requests; i++) {
        char wanted[32];
        test_wait(&h.asked);
        test_on_loop(r.server, answer_late, h.x);
        char *a = test_tls_read_answer(&c);
        snprintf(wanted, sizeof wanted, "GET /%d? ", i);
        expect_body(a, wanted);
        free(a);
    }
    buf_done(&b);
    test_tls_close(&c);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

Test(tls, large_bodies_and_a_reader_that_waits)
{
    struct room r = echo_room();
    size_t len = 6u << 20;
    char *body = malloc(len), head[100];
    for (size_t i = 0; i < len; i++)
        body[i] = (char)('a' + i % 23);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", len);
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    int small = 131072;
    setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 2; i++) {
        test_tls_send(&c, head);
        test_tls_send_bytes(&c, body, len);
        usleep(50000); /* the answer fills all buffers */
        char *a = test_tls_read_answer(&c), *start = strstr(a, "\r\n\r\nPOST /? ");
        cr_assert_not_null(start);
        cr_assert_eq(strlen(start + 12), len);
        cr_assert_eq(memcmp(start + 12, body, len), 0);
        free(a);
    }
    free(body);
    test_tls_close(&c);
    room_close(&r);
}

/* The server must send while it reads, and read while it sends. */
Test(tls, keys_are_changed_in_the_middle)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(
            SSL_key_update(c.ssl, i % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED),
            1);
        expect_answer(&c);
    }
    test_tls_close(&c);
    room_close(&r);
}

Test(tls, nobody_renegotiates)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, only_1_2, NULL);
    expect_answer(&c);
    SSL_renegotiate(c.ssl);
    cr_assert_neq(SSL_do_handshake(c.ssl), 1);
    test_tls_drop(&c);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

/* Ends */

Test(tls, the_end_is_said)
{
    struct room r = echo_room();
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    bool clean = false;
    test_tls_send(&c, CLOSE);
    char *a = test_tls_read_all(&c, &clean);
    expect_body(a, "GET /k? ");
    cr_assert(clean);
    free(a);
    test_tls_drop(&c);
    room_close(&r);
}

static void break_off(struct http_exchange *x, void *arg)
{
    (void)arg;
    http_stream_begin(x, 200, NULL, 0);
    http_stream_write(x, STR("half"));
    http_abort(x);
}

/* With HTTP/1.0 the end of the connection is the end of the answer. */
Test(tls, a_broken_answer_does_not_end_in_good_order)
{
    struct room r = room_open(break_off, NULL, (struct http_server_options){0});
    struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
    bool clean = true;
    test_tls_send(&c, "GET / HTTP/1.0\r\n\r\n");
    free(test_tls_read_all(&c, &clean));
    cr_assert_not(clean);
    test_tls_drop(&c);
    room_close(&r);
}

Test(tls, a_client_that_says_goodbye_or_just_leaves)
{
    for (int stream = 0; stream <= 1; stream++)
        for (int how = 0; how < 3; how++) {
            struct test_hold h;
            test_hold_init(&h);
            h.stream = stream;
            struct room r = room_open(test_holding, &h, (struct http_server_options){0});
            struct test_tls c = test_tls_connect(r.server->port, NULL, NULL);
            test_tls_send(&c, KEEP);
            test_wait(&h.asked);
            if (how == 0)
                SSL_shutdown(c.ssl); /* and stays connected */
            else if (how == 1)
                test_tls_close(&c);
            else
                test_tls_drop(&c);
            test_wait(&h.gone);
            test_wait_connections(r.server, 0);
            if (how == 0)
                test_tls_drop(&c);
            room_close(&r);
        }
}

Test(tls, too_many_connections_are_told_so)
{
    struct http_server_options o = {.connections_max = 1};
    struct room r = room_open(test_echo, NULL, o);
    struct test_tls first = test_tls_connect(r.server->port, NULL, NULL);
    expect_answer(&first);
    struct test_tls second = test_tls_connect(r.server->port, NULL, NULL);
    char *a = test_tls_read_answer(&second);
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 503 ")), "%s", a);
    free(a);
    test_tls_close(&second);
    expect_answer(&first);
    test_tls_close(&first);
    test_wait_connections(r.server, 0);
    room_close(&r);
}

/* Certificates */

static void expect_refused(const char *certificate, const char *key, const char *why)
{
    struct tls_context *t = NULL;
    struct error err = {0};
    cr_assert_neq(tls_context_create(certificate, key, &t, &err), OK);
    cr_assert_not_null(strstr(err.text, why), "'%s' is not in: %s", why, err.text);
    cr_assert_null(t);
    cr_assert_eq(ERR_peek_error(), 0);
}

static void write_encrypted_key(const struct test_pair *p)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *f = fopen(p->key, "w");
    PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(), NULL, 0, NULL, (void *)"secret");
    fclose(f);
    EVP_PKEY_free(key);
}

Test(tls, pairs_that_cannot_be_used)
{
    struct test_pair p, other;
    test_pair_make(&p);
    test_pair_make(&other);
    expect_refused("/nowhere/cert.pem", p.key, "/nowhere/cert.pem: No such file");
    expect_refused(p.certificate, "/nowhere/key.pem", "/nowhere/key.pem: No such file");
    expect_refused(p.certificate, other.key, "is not the key of the certificate");
    expect_refused(p.certificate, other.key, other.key);
    expect_refused(p.key, p.key, "holds no certificate");
    expect_refused(p.certificate, p.certificate, "holds no private key");
    write_encrypted_key(&other);
    expect_refused(p.certificate, other.key, "the key is encrypted");
    test_file_write(other.certificate, "");
    expect_refused(other.certificate, p.key, "holds no certificate");
    test_file_write(other.certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n");
    expect_refused(other.certificate, p.key, "holds no certificate");
    test_pair_remove(&p);
    test_pair_remove(&other);
}

static char *text_of(const char *path)
{
    char *text = calloc(1, 8192);
    FILE *f = fopen(path, "r");
    cr_assert_gt(fread(text, 1, 8000, f), 0);
    fclose(f);
    return text;
}

/* Certificate, chain and key may stand in one file; a chain that is cut is refused. */
Test(tls, chains)
{
    struct test_pair p, other;
    test_pair_make(&p);
    test_pair_make(&other);
    char *own = text_of(p.certificate), *next = text_of(other.certificate), *key = text_of(p.key);
    char *all = calloc(1, 1u << 16);
    snprintf(all, 1u << 16, "%s%s%s", own, next, key);
    test_file_write(p.certificate, all);
    struct tls_context *t = NULL;
    cr_assert_eq(tls_context_create(p.certificate, p.certificate, &t, NULL), OK);
    tls_context_free(t);
    snprintf(all, 1u << 16, "%s%.200s\n-----END CERTIFICATE-----\n", own, next);
    test_file_write(p.certificate, all);
    expect_refused(p.certificate, p.key, "a certificate of the chain is damaged");
    all[0] = '\0';
    for (int i = 0; i <= TLS_CHAIN_MAX; i++)
        strcat(all, own);
    test_file_write(p.certificate, all);
    expect_refused(p.certificate, p.key, "more than 16 certificates");
    free(own);
    free(next);
    free(key);
    free(all);
    test_pair_remove(&p);
    test_pair_remove(&other);
}

Test(tls, what_a_certificate_says)
{
    struct test_pair p;
    test_pair_make(&p);
    test_pair_write(&p, "gate.example", -60);
    struct tls_context *t = test_context(&p);
    struct tls_certificate shown;
    tls_context_shown(t, &shown);
    cr_assert_str_eq(shown.name, "gate.example");
    cr_assert_lt(shown.not_after_s, (int64_t)time(NULL));
    cr_assert_eq(shown.not_after_s - shown.not_before_s, 3540);
    tls_context_free(t);
    test_pair_remove(&p);
}

static void expect_name(struct test_tls *c, const char *name)
{
    char *shown = test_tls_name(c);
    cr_assert_str_eq(shown, name);
    free(shown);
}

static void expect_new_name(struct room *r, const char *name)
{
    struct test_tls c = test_tls_connect(r->server->port, NULL, NULL);
    expect_name(&c, name);
    expect_answer(&c);
    test_tls_close(&c);
}

Test(tls, a_new_pair_is_for_new_connections)
{
    struct room r = echo_room();
    struct error err = {0};
    struct test_tls old = test_tls_connect(r.server->port, NULL, NULL);
    expect_answer(&old);
    SSL_SESSION *session = SSL_get1_session(old.ssl);
    test_pair_write(&r.pair, "second.example", 86400);
    cr_assert_eq(tls_context_reload(r.context, r.pair.certificate, r.pair.key, &err), OK);
    expect_new_name(&r, "second.example");
    expect_answer(&old);
    expect_name(&old, "localhost");
    test_tls_close(&old);
    struct test_tls again = test_tls_connect(r.server->port, NULL, session);
    cr_assert_not(SSL_session_reused(again.ssl)); /* or it would not see the new certificate */
    expect_name(&again, "second.example");
    test_tls_close(&again);
    SSL_SESSION_free(session);
    room_close(&r);
}

Test(tls, a_bad_pair_is_refused_and_the_old_one_stays)
{
    struct room r = echo_room();
    struct error err = {0};
    test_file_write(r.pair.key, "not a key");
    cr_assert_eq(tls_context_reload(r.context, r.pair.certificate, r.pair.key, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "holds no private key"));
    expect_new_name(&r, "localhost");
    cr_assert_eq(tls_context_reload(r.context, "/nowhere", r.pair.key, &err), ERR_NOT_FOUND);
    expect_new_name(&r, "localhost");
    room_close(&r);
}

Test(tls, changed_files_are_noticed_once_they_rest)
{
    struct room r = echo_room();
    struct error err = {0};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN);
    test_pair_write(&r.pair, "second.example", 86400);
    cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN); /* may still be written */
    expect_new_name(&r, "localhost");
    cr_assert_eq(tls_context_refresh(r.context, &err), OK, "%s", err.text);
    expect_new_name(&r, "second.example");
    cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN);
    test_file_write(r.pair.certificate, "half");
    cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN);
    cr_assert_eq(tls_context_refresh(r.context, &err), ERR_INPUT);
    for (int i = 0; i < 3; i++) /* said once */
        cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN);
    unlink(r.pair.certificate);
    cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN);
    cr_assert_eq(tls_context_refresh(r.context, &err), ERR_NOT_FOUND);
    expect_new_name(&r, "second.example");
    test_pair_write(&r.pair, "third.example", 86400);
    cr_assert_eq(tls_context_refresh(r.context, &err), AGAIN);
    cr_assert_eq(tls_context_refresh(r.context, &err), OK);
    expect_new_name(&r, "third.example");
    room_close(&r);
}

static atomic_bool reloading;

static void *reload_often(void *arg)
{
    struct room *r = arg;
    while (atomic_load(&reloading))
        cr_assert_eq(tls_context_reload(r->context, r->pair.certificate, r->pair.key, NULL), OK);
    return NULL;
}

static void *connect_often(void *arg)
{
    struct room *r = arg;
    for (int i = 0; i < 30; i++)
        expect_new_name(r, "localhost");
    return NULL;
}

/* For the thread sanitizer, too. */
Test(tls, reloading_while_clients_come)
{
    struct room r = echo_room();
    pthread_t reloader, clients[3];
    atomic_store(&reloading, true);
    pthread_create(&reloader, NULL, reload_often, &r);
    for (int i = 0; i < 3; i++)
        pthread_create(&clients[i], NULL, connect_often, &r);
    for (int i = 0; i < 3; i++)
        pthread_join(clients[i], NULL);
    atomic_store(&reloading, false);
    pthread_join(reloader, NULL);
    room_close(&r);
}
