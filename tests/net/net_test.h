/* A server on a thread of its own and plain blocking sockets against it. Every wait gives up after WAIT_SECONDS,
 * so that a broken server fails a test instead of hanging it. */
#pragma once

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "net/http_server.h"

#define WAIT_SECONDS 20

struct test_server {
    struct loop *loop;
    struct http_server *server; /* touch on the loop's thread only */
    int listen_fd, port;
    pthread_t thread;
};

struct test_server *test_server_start(const struct http_server_options *options,
                                      http_handler *handler, void *arg);
void test_server_stop(struct test_server *t);
/* Runs fn(arg) on the server's thread and waits for it. */
void test_on_loop(struct test_server *t, void (*fn)(void *), void *arg);
size_t test_connections(struct test_server *t);
size_t test_exchanges(struct test_server *t);
void test_wait_connections(struct test_server *t, size_t count); /* until there are so many */

void test_wait(sem_t *s); /* fails the test after WAIT_SECONDS */

int test_connect(int port);
/* A port that refuses, for as long as the socket in *ret_fd is open: bound, and nobody listens. */
int test_dead_port(int *ret_fd);
void test_send(int fd, const char *text);
void test_send_bytes(int fd, const char *bytes, size_t len);
/* Reads until `needle` has come (inclusive) or the end; NUL-terminated, never past the needle. */
char *test_read_until(int fd, const char *needle);
char *test_read_all(int fd);                /* until the peer closes; a reset ends it as well */
char *test_read_answer(int fd);             /* head and content-length body */
char *test_ask(int port, const char *text); /* connect, send, read all, close */

/* Handlers */
void test_echo(struct http_exchange *x, void *arg); /* 200 "METHOD PATH?QUERY BODY" */

/* Keeps the exchange and tells about it. */
struct test_hold {
    sem_t asked, gone;
    atomic_int asked_count, gone_count;
    struct http_exchange *x; /* the last one */
    bool stream;             /* begin a streamed answer with one write */
};
void test_hold_init(struct test_hold *h);
void test_holding(struct http_exchange *x, void *arg); /* arg: struct test_hold */
