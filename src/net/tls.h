/* TLS for the HTTP server: a context (certificate and key) shared by all loops, and one tls_conn per connection.
 *
 * Any thread may use a context. Certificate and key are swapped together or not at all: connections made afterwards
 * use the new pair, open ones keep theirs; a pair that cannot be used is refused and the old one
 * stays. A tls_conn belongs to its loop's thread; it reads and writes the non-blocking socket itself and reports as
 * recv and send do. Callers see no OpenSSL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define TLS_FILE_BYTES_MAX (1u << 20) /* of a certificate chain or key */
#define TLS_CHAIN_MAX      16         /* certificates in a file */

struct tls_context;
struct tls_conn;

struct tls_certificate {
    char name[128]; /* the first DNS name or address in it, else its subject's common name */
    int64_t not_before_s, not_after_s; /* since the epoch */
};

/* PEM files, copied paths: the certificate with its chain, its own first, and its key, which must not be encrypted.
 * ERR_INPUT and ERR_IO name the file and what to do. A certificate that has expired loads; ask tls_context_shown. */
NODISCARD enum status tls_context_create(const char *certificate, const char *key,
                                         struct tls_context **ret, struct error *err);
void tls_context_free(struct tls_context *t); /* NULL is fine; open connections go on */
/* Reads files, so not on a loop that others wait for. */
NODISCARD enum status tls_context_reload(struct tls_context *t, const char *certificate,
                                         const char *key, struct error *err);
/* To be called every few seconds: loads the pair again when a file has changed and has then stayed as it is from one
 * call to the next (it may be half written, or one of two). OK: loaded. AGAIN: nothing to do. Else the new pair was
 * refused, which is said once for each change. */
NODISCARD enum status tls_context_refresh(struct tls_context *t, struct error *err);
void tls_context_shown(struct tls_context *t, struct tls_certificate *ret); /* what clients see */

struct tls_conn *tls_conn_create(struct tls_context *t, int fd); /* NULL: no memory */
void tls_conn_free(struct tls_conn *c); /* NULL is fine; the descriptor stays open */

/* OK: done. AGAIN: when the socket is ready, for writing too if tls_recv_waits_to_send. ERR_UNSUPPORTED: the client
 * speaks plain HTTP; nothing was sent, its first bytes are lost. CLOSED: it has left, or has been told why not. */
NODISCARD enum status tls_handshake(struct tls_conn *c);

/* As recv: 0 at the end, -1 with errno (EAGAIN, EPROTO). The socket no longer reports bytes that were taken off it but
 * did not fit into `room`: as long as tls_holds_bytes, call tls_recv_held, which does not touch the socket. */
ssize_t tls_recv(struct tls_conn *c, void *into, size_t room);
ssize_t tls_recv_held(struct tls_conn *c, void *into, size_t room);
bool tls_holds_bytes(const struct tls_conn *c);
/* As send: takes what the socket takes. After EAGAIN, and after fewer than `len`, the next call must begin with the
 * same bytes (wherever they are now) and hold no fewer. */
ssize_t tls_send(struct tls_conn *c, const void *bytes, size_t len);
/* Tells the client that nothing follows. AGAIN: the socket is full. CLOSED: the client can no longer be reached. */
NODISCARD enum status tls_finish(struct tls_conn *c);

/* The protocol has messages of its own, so either direction may have to wait for the other. */
bool tls_recv_waits_to_send(const struct tls_conn *c);
bool tls_send_waits_to_recv(const struct tls_conn *c);
