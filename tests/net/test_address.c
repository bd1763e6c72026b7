/* Which addresses are nobody's but ours. */
#include "net/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static bool is_private(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (strchr(text, ':')) {
        cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1, "%s", text);
        return address_is_private((const struct sockaddr *)&v6);
    }
    cr_assert_eq(inet_pton(AF_INET, text, &v4.sin_addr), 1, "%s", text);
    return address_is_private((const struct sockaddr *)&v4);
}

Test(address, private_ones_to_the_last_bit)
{
    static const char *const rows[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2001:db8::1",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect(is_private(rows[i]), "%s", rows[i]);
}

Test(address, public_ones_beside_them)
{
    static const char *const rows[] = {
        "1.0.0.0",          "9.255.255.255",   "11.0.0.0",   "100.63.255.255",
        "100.128.0.0",      "126.255.255.255", "128.0.0.0",  "169.253.255.255",
        "169.255.0.0",      "172.15.255.255",  "172.32.0.0", "192.167.255.255",
        "192.169.0.0",      "198.17.255.255",  "198.20.0.0", "223.255.255.255",
        "8.8.8.8",          "2606:4700::1111", "fbff::1",    "::ffff:8.8.8.8",
        "64:ff9b::808:808", "2002:808:808::1",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_not(is_private(rows[i]), "%s", rows[i]);
    cr_expect(is_private("fec0::1"), "site-local, though deprecated");
}

Test(address, other_families_are_not_the_internet)
{
    const struct sockaddr_un path = {.sun_family = AF_UNIX};
    cr_expect(address_is_private((const struct sockaddr *)&path));
}
