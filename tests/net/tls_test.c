/* Certificates and the TLS client of tls_test.h. */
#include "net/tls_test.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (64u << 20)

void test_pair_make(struct test_pair *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/leeroo_tls_XXXXXX");
    cr_assert_not_null(mkdtemp(p->folder));
    snprintf(p->certificate, sizeof p->certificate, "%s/cert.pem", p->folder);
    snprintf(p->key, sizeof p->key, "%s/key.pem", p->folder);
    test_pair_write(p, "localhost", 86400);
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    cr_assert_not_null(e);
    cr_assert_eq(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

void test_pair_write(const struct test_pair *p, const char *name, long seconds)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    char names[160];
    snprintf(names, sizeof names, "DNS:%s,IP:127.0.0.1", name);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), seconds);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    add_extension(x, NID_subject_alt_name, names);
    cr_assert_gt(X509_sign(x, key, EVP_sha256()), 0);
    FILE *f = fopen(p->certificate, "w");
    cr_assert_eq(PEM_write_X509(f, x), 1);
    fclose(f);
    f = fopen(p->key, "w");
    cr_assert_eq(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

void test_pair_remove(const struct test_pair *p)
{
    unlink(p->certificate);
    unlink(p->key);
    rmdir(p->folder);
}

void test_file_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

struct tls_context *test_context(const struct test_pair *p)
{
    struct tls_context *t = NULL;
    struct error err = {0};
    cr_assert_eq(tls_context_create(p->certificate, p->key, &t, &err), OK, "%s", err.text);
    return t;
}

struct test_tls test_tls_connect(int port, void (*settings)(SSL_CTX *), SSL_SESSION *session)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct test_tls c = {.fd = test_connect(port)};
    if (settings)
        settings(ctx);
    c.ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (session)
        SSL_set_session(c.ssl, session);
    SSL_set_fd(c.ssl, c.fd);
    if (SSL_connect(c.ssl) != 1) {
        SSL_free(c.ssl);
        c.ssl = NULL;
        ERR_clear_error();
    }
    return c;
}

void test_tls_drop(struct test_tls *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    *c = (struct test_tls){.fd = -1};
}

void test_tls_close(struct test_tls *c)
{
    SSL_shutdown(c->ssl);
    test_tls_drop(c);
}

void test_tls_send_bytes(struct test_tls *c, const char *bytes, size_t len)
{
    cr_assert_not_null(c->ssl, "no handshake");
    for (size_t at = 0, n; at < len; at += n)
        if (SSL_write_ex(c->ssl, bytes + at, len - at, &n) != 1)
            return; /* the server may have closed, which the answer will show */
}

void test_tls_send(struct test_tls *c, const char *text)
{
    test_tls_send_bytes(c, text, strlen(text));
}

static bool read_some(struct test_tls *c, struct buf *b, size_t len)
{
    char *at = buf_reserve(b, len);
    size_t n;
    cr_assert_not_null(at);
    cr_assert_not_null(c->ssl, "no handshake");
    errno = 0;
    if (SSL_read_ex(c->ssl, at, len, &n) != 1) {
        cr_assert_neq(errno, EAGAIN, "nothing came for %d s", WAIT_SECONDS);
        return false;
    }
    b->len += n;
    b->ptr[b->len] = '\0';
    return true;
}

char *test_tls_read_answer(struct test_tls *c)
{
    struct buf b;
    buf_init(&b, ANSWER_BYTES_MAX);
    buf_add_c(&b, "");
    while (!str_ends(buf_str(&b), STR("\r\n\r\n")) && read_some(c, &b, 1))
        ;
    const char *length = b.ptr ? strstr(b.ptr, "content-length: ") : NULL;
    size_t wanted = b.len + (length ? strtoul(length + 16, NULL, 10) : 0);
    while (b.len < wanted && read_some(c, &b, wanted - b.len))
        ;
    char *text = buf_take(&b);
    return text ? text : calloc(1, 1);
}

char *test_tls_read_all(struct test_tls *c, bool *ret_clean)
{
    struct buf b;
    buf_init(&b, ANSWER_BYTES_MAX);
    while (read_some(c, &b, 65536))
        ;
    *ret_clean = SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN;
    char *text = buf_take(&b);
    return text ? text : calloc(1, 1);
}

char *test_tls_name(const struct test_tls *c)
{
    X509 *x = SSL_get1_peer_certificate(c->ssl);
    char *name = calloc(1, 128);
    cr_assert_not_null(x);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, 127);
    X509_free(x);
    return name;
}
