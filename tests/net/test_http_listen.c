/* http_listen: addresses as people write them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"
#include "net/net_test.h"

static void expect_bound(const char *address, const char *host)
{
    struct error err = {0};
    char bound[64];
    int fd;
    cr_assert_eq(http_listen(address, &fd, bound, &err), OK, "%s: %s", address, err.text);
    cr_assert(str_starts(str_from(bound), str_from(host)), "%s", bound);
    cr_assert_gt(atoi(bound + strlen(host)), 0, "%s", bound);
    close(fd);
}

Test(http_listen, picks_a_port_and_says_which)
{
    expect_bound("127.0.0.1:0", "127.0.0.1:");
    expect_bound(":0", "127.0.0.1:");
    expect_bound("0.0.0.0:0", "0.0.0.0:");
    expect_bound("localhost:0", "");
}

Test(http_listen, ipv6)
{
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    char bound[64];
    int fd;
    if (probe < 0 || http_listen("[::1]:0", &fd, bound, NULL) != OK)
        cr_skip("no IPv6 here");
    close(probe);
    cr_assert(str_starts(str_from(bound), STR("[::1]:")), "%s", bound);
    close(fd);
}

static void expect_refused(const char *address, enum status wanted, const char *word)
{
    struct error err = {0};
    char bound[64] = "untouched";
    int fd = -7;
    cr_assert_eq(http_listen(address, &fd, bound, &err), wanted, "%s", address);
    cr_assert_not_null(strstr(err.text, word), "%s", err.text);
    cr_assert_str_eq(bound, "untouched");
    cr_assert_eq(fd, -7);
}

Test(http_listen, says_what_is_wrong)
{
    expect_refused("8080", ERR_INPUT, "HOST:PORT");
    expect_refused("127.0.0.1:http", ERR_INPUT, "HOST:PORT");
    expect_refused("127.0.0.1:70000", ERR_INPUT, "HOST:PORT");
    expect_refused("::1:80", ERR_INPUT, "brackets");
    expect_refused("", ERR_INPUT, "HOST:PORT");
}

Test(http_listen, an_address_in_use_is_an_error)
{
    char bound[64];
    int fd;
    cr_assert_eq(http_listen(":0", &fd, bound, NULL), OK);
    expect_refused(bound, ERR_IO, "in use");
    close(fd);
}

static int begin_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), -1);
    cr_assert_eq(errno, EINPROGRESS);
    return fd;
}

/* What became of a connect within so long: 0, its errno, or -1 for nothing yet. */
static int end_connect(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int code = -1;
    socklen_t length = sizeof code;
    if (poll(&p, 1, timeout_ms) == 1)
        cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length), 0);
    return code;
}

static bool has_filters(void)
{
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    const struct sock_fprog program = {.len = 1, .filter = &all};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool has = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
    close(fd);
    return has;
}

Test(http_listen, deaf_to_the_late_but_not_to_who_waits)
{
    char bound[64], word[3] = "";
    int fd;
    cr_assert_eq(http_listen(":0", &fd, bound, NULL), OK);
    int port = atoi(strrchr(bound, ':') + 1), early = test_connect(port);
    if (!has_filters())
        cr_skip("no socket filters here");
    http_listen_deafen(fd);
    int late = begin_connect(port);
    cr_assert_eq(end_connect(late, 200), -1, "neither in nor refused");
    test_send(early, "hi");
    int accepted = accept(fd, NULL, NULL);
    cr_assert_geq(accepted, 0, "who was in the queue is taken");
    cr_assert_eq(recv(accepted, word, 2, MSG_WAITALL), 2);
    cr_assert_str_eq(word, "hi");
    cr_assert_eq(accept(fd, NULL, NULL), -1);
    cr_assert_eq(errno, EAGAIN);
    close(fd);
    cr_assert_eq(end_connect(late, WAIT_SECONDS * 1000), ECONNREFUSED,
                 "told once there is no socket");
    close(accepted);
    close(early);
    close(late);
}
