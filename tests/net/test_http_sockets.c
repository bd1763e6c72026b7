/* The table of sockets: what is told, what rests, what is forgotten. */
#include "net/http_sockets.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *l;
static struct sockets s;
static int pair[2], told_fd;
static unsigned told;

static void on_ready(void *arg, int fd, unsigned ready)
{
    cr_assert_eq(arg, &s);
    told_fd = fd;
    told |= ready;
    loop_stop(l);
}

static void start(void)
{
    cr_assert_eq(loop_create(&l, NULL), OK);
    sockets_init(&s, l, on_ready, &s);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void stop(void)
{
    sockets_done(&s);
    loop_free(l);
    close(pair[0]);
    close(pair[1]);
}

TestSuite(http_sockets, .init = start, .fini = stop);

static void run_for(unsigned ms)
{
    struct loop_timer *t = loop_timer_create(l, (void (*)(void *))loop_stop, l);
    loop_timer_start(t, ms);
    cr_assert_eq(loop_run(l, NULL), OK);
    loop_timer_free(t);
}

Test(http_sockets, readiness_is_told_as_wanted)
{
    cr_assert_eq(sockets_add(&s, pair[0]), OK);
    cr_assert_eq(sockets_want(&s, pair[0], LOOP_WRITE), OK);
    run_for(1000);
    cr_assert_eq(told, LOOP_WRITE);
    cr_assert_eq(told_fd, pair[0]);
    told = 0;
    cr_assert_eq(write(pair[1], "x", 1), 1);
    cr_assert_eq(sockets_want(&s, pair[0], LOOP_READ), OK);
    run_for(1000);
    cr_assert_eq(told, LOOP_READ);
}

Test(http_sockets, a_resting_socket_tells_nothing_and_wakes_again)
{
    cr_assert_eq(sockets_add(&s, pair[0]), OK);
    cr_assert_eq(sockets_want(&s, pair[0], LOOP_READ), OK);
    cr_assert_eq(sockets_want(&s, pair[0], 0), OK);
    cr_assert_eq(write(pair[1], "x", 1), 1);
    run_for(30);
    cr_assert_eq(told, 0);
    cr_assert_eq(sockets_want(&s, pair[0], LOOP_READ), OK);
    run_for(1000);
    cr_assert_eq(told, LOOP_READ);
}

Test(http_sockets, unknown_sockets_are_taken_and_forgotten)
{
    cr_assert_eq(sockets_want(&s, pair[0], LOOP_READ), OK);
    cr_assert_eq(write(pair[1], "x", 1), 1);
    run_for(1000);
    cr_assert_eq(told, LOOP_READ);
    told = 0;
    cr_assert_eq(sockets_want(&s, pair[0], 0), OK);
    sockets_forget(&s, pair[0]);
    sockets_forget(&s, 5000);
    cr_assert_eq(sockets_want(&s, 5001, 0), OK);
    run_for(20);
    cr_assert_eq(told, 0);
}

Test(http_sockets, a_reused_descriptor_begins_anew)
{
    cr_assert_eq(sockets_add(&s, pair[0]), OK);
    cr_assert_eq(sockets_want(&s, pair[0], LOOP_READ), OK);
    cr_assert_eq(sockets_add(&s, pair[0]), OK);
    cr_assert_eq(write(pair[1], "x", 1), 1);
    run_for(20);
    cr_assert_eq(told, 0);
}
