/* http_listen: addresses as people write them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"

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
