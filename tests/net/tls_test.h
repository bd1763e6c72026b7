/* Certificates made on the spot, and a blocking TLS client. */
#pragma once

#include <openssl/ssl.h>

#include "net/net_test.h"
#include "net/tls.h"

struct test_pair {
    char folder[64], certificate[96], key[96];
};

/* A folder of its own with cert.pem and key.pem: elliptic, self-signed, for `name` and 127.0.0.1, valid from an hour
 * ago for `seconds`. The same pair may be written again with another name. */
void test_pair_make(struct test_pair *p);
void test_pair_write(const struct test_pair *p, const char *name, long seconds);
void test_pair_remove(const struct test_pair *p);
void test_file_write(const char *path, const char *text);
struct tls_context *test_context(const struct test_pair *p);

struct test_tls {
    SSL *ssl;
    int fd;
};

/* Does the handshake; ssl is NULL when the server refused. NULL settings are fine, `session` is offered. */
struct test_tls test_tls_connect(int port, void (*settings)(SSL_CTX *), SSL_SESSION *session);
void test_tls_close(struct test_tls *c); /* says so */
void test_tls_drop(struct test_tls *c);  /* does not */
void test_tls_send(struct test_tls *c, const char *text);
void test_tls_send_bytes(struct test_tls *c, const char *bytes, size_t len);
char *test_tls_read_answer(struct test_tls *c); /* head and content-length body */
/* Until the end; `ret_clean` tells whether the server said that it was the end. */
char *test_tls_read_all(struct test_tls *c, bool *ret_clean);
/* The name that the server's certificate is for; free it. */
char *test_tls_name(const struct test_tls *c);
