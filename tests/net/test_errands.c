/* Errands: done on the thread, told on the loop, and what becomes of those whose client leaves, who wait too long, or
 * who are too many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/errands.h"
#include "net/net_test.h"

struct order {
    char word[16];
    struct str found; /* by the thread */
    bool wait;
};

static struct {
    struct test_server *server;
    struct errands *errands;
    sem_t began, go, told; /* an errand with `wait` says that it began, and waits for go */
    pthread_t thread;
    atomic_int done, released;
    uint32_t late_ms;
} at;

static int sent_in_all; /* on the loop */

static enum status work(void *data, struct arena *a, void *user, struct error *err)
{
    struct order *o = data;
    cr_assert_eq(user, &at);
    cr_assert_not(pthread_equal(pthread_self(), at.server->thread));
    if (o->wait) {
        sem_post(&at.began);
        test_wait(&at.go);
    }
    if (!strcmp(o->word, "bad"))
        return error_set(err, ERR_NOT_FOUND, "there is none");
    o->found = str_from(arena_printf(a, "found %s", o->word));
    return OK;
}

static void done(struct http_exchange *x, void *user, enum status status, void *data,
                 const struct error *err)
{
    struct order *o = data;
    cr_assert_eq(user, &at);
    cr_assert(pthread_equal(pthread_self(), at.server->thread));
    atomic_fetch_add(&at.done, 1);
    if (x)
        http_respond(x, status == OK ? 200 : 503, NULL, 0,
                     status == OK ? o->found : str_from(err->text));
    else
        sem_post(&at.told);
}

static void release(void *data)
{
    const struct order *o = data;
    cr_assert(o->word[0]);
    atomic_fetch_add(&at.released, 1);
}

static enum status send_order(struct http_exchange *x, const char *word, bool wait,
                              struct error *err)
{
    struct order o = {.wait = wait};
    strcpy(o.word, word);
    const struct errand errand = {.work = work,
                                  .done = done,
                                  .release = release,
                                  .user = &at,
                                  .data = &o,
                                  .data_bytes = sizeof(o),
                                  .arena_bytes_max = 4096,
                                  .late_ms = at.late_ms,
                                  .late = "too late",
                                  .busy = "too many"};
    enum status status = errands_send(at.errands, at.server->loop, x, &errand, err);
    sent_in_all += status == OK;
    return status;
}

/* /WORD, /wait/WORD */
static void handle(struct http_exchange *x, void *arg)
{
    char word[16] = "";
    bool wait = str_starts(x->path, STR("/wait/"));
    struct str rest = str_slice(x->path, wait ? 6 : 1, x->path.len);
    struct error err = {0};
    (void)arg;
    memcpy(word, rest.ptr, rest.len);
    if (send_order(x, word, wait, &err) != OK)
        http_respond(x, 429, NULL, 0, str_from(err.text));
}

static void begin(void)
{
    at.late_ms = WAIT_SECONDS * 1000;
    sem_init(&at.began, 0, 0);
    sem_init(&at.go, 0, 0);
    sem_init(&at.told, 0, 0);
    cr_assert_eq(errands_start(&at.errands, NULL), OK);
    at.server = test_server_start(NULL, handle, NULL);
}

static void end(void)
{
    errands_stop(at.errands);
    test_server_stop(at.server);
    errands_free(at.errands);
    cr_assert_eq(atomic_load(&at.released), sent_in_all);
}

TestSuite(errands, .init = begin, .fini = end);

static void ask(const char *path, const char *want)
{
    char text[80];
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", path);
    char *answer = test_ask(at.server->port, text);
    cr_assert_not_null(strstr(answer, want), "%s", answer);
    free(answer);
}

Test(errands, what_was_found_is_told)
{
    ask("/a", "found a");
    ask("/bad", "there is none");
    ask("/b", "found b");
    cr_assert_eq(atomic_load(&at.done), 3);
    cr_assert_eq(atomic_load(&at.released), 3);
}

static int begin_asking(const char *path)
{
    char text[80];
    int fd = test_connect(at.server->port);
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    test_send(fd, text);
    return fd;
}

Test(errands, nobody_is_told_who_has_left)
{
    int fd = begin_asking("/wait/a");
    test_wait(&at.began);
    close(fd);
    test_wait_connections(at.server, 0);
    sem_post(&at.go);
    ask("/b", "found b");
    cr_assert_eq(atomic_load(&at.done), 1);
    cr_assert_eq(atomic_load(&at.released), 2);
}

Test(errands, who_waits_too_long_is_told_so_once)
{
    at.late_ms = 20;
    ask("/wait/a", "too late");
    sem_post(&at.go);
    at.late_ms = WAIT_SECONDS * 1000;
    ask("/b", "found b");
    cr_assert_eq(atomic_load(&at.done), 2);
}

Test(errands, too_many_are_refused)
{
    int fds[ERRANDS_QUEUE_MAX + 1];
    fds[0] = begin_asking("/wait/a");
    test_wait(&at.began);
    for (size_t i = 1; i <= ERRANDS_QUEUE_MAX; i++)
        fds[i] = begin_asking("/b");
    while (test_exchanges(at.server) < ERRANDS_QUEUE_MAX + 1)
        usleep(1000);
    ask("/c", "too many");
    sem_post(&at.go);
    for (size_t i = 0; i <= ERRANDS_QUEUE_MAX; i++) {
        char *answer = test_read_answer(fds[i]);
        cr_assert_not_null(strstr(answer, "found"), "%s", answer);
        free(answer);
        close(fds[i]);
    }
}

static void send_alone(void *arg)
{
    (void)arg;
    cr_assert_eq(send_order(NULL, "a", false, NULL), OK);
}

Test(errands, one_may_be_nobodys)
{
    test_on_loop(at.server, send_alone, NULL);
    test_wait(&at.told);
}

static void send_waiting(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(send_order(NULL, "a", i == 0, NULL), OK);
}

/* The end comes while one is at work and others wait. */
Test(errands, the_end_leaves_nothing)
{
    test_on_loop(at.server, send_waiting, NULL);
    test_wait(&at.began);
    sem_post(&at.go);
}
