/* Names by which this server may be called where nobody is asked for a key. */
#include "net/http_host.h"

#include <criterion/criterion.h>

Test(http_host, names_are_taken_out_of_hosts)
{
    static const char *const pairs[][2] = {
        {"localhost:8080", "localhost"},
        {"LOCALHOST", "LOCALHOST"},
        {"a.example.:1", "a.example"},
        {"[::1]:80", "::1"},
        {"[::1]", "::1"},
        {"", ""},
        {":80", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct str name = http_host_name(str_from(pairs[i][0]));
        cr_expect(str_equal(name, str_from(pairs[i][1])), "%s: %.*s", pairs[i][0], STR_FMT(name));
    }
}

Test(http_host, which_are_local)
{
    static const char *const local[] = {"localhost",
                                        "LocalHost:1",
                                        "localhost.",
                                        "a.b.localhost:80",
                                        "127.0.0.1:8080",
                                        "127.9.8.7",
                                        "[::1]:8080",
                                        "[::1]",
                                        "[::ffff:127.0.0.1]:8080",
                                        "leeroo:80",
                                        "127.0.0.1.",
                                        "x",
                                        "",
                                        NULL};
    static const char *const strange[] = {"evil.example",
                                          "evil.example:8080",
                                          "localhost.evil.example",
                                          "127.0.0.1.evil.example",
                                          "127.0.0.1.nip.io:80",
                                          "127.0.0",
                                          "127.0.0.256",
                                          "128.0.0.1",
                                          "0.0.0.0",
                                          "evillocalhost.com",
                                          "a.evillocalhost",
                                          "[::2]",
                                          "[fe80::1]:80",
                                          "[::ffff:10.0.0.1]",
                                          NULL};
    for (size_t i = 0; local[i]; i++)
        cr_expect(http_host_is_local(str_from(local[i])), "%s", local[i]);
    for (size_t i = 0; strange[i]; i++)
        cr_expect_not(http_host_is_local(str_from(strange[i])), "%s", strange[i]);
}

Test(http_host, which_are_listed)
{
    const struct str list[] = {STR("a.example"), STR("b.example:8080"), STR("[::2]")};
    cr_expect(http_host_is_among(STR("A.example:1"), list, 3));
    cr_expect(http_host_is_among(STR("a.example"), list, 3));
    cr_expect(http_host_is_among(STR("b.example:8080"), list, 3));
    cr_expect(http_host_is_among(STR("[::2]:80"), list, 3));
    cr_expect_not(http_host_is_among(STR("b.example"), list, 3));
    cr_expect_not(http_host_is_among(STR("b.example:80"), list, 3));
    cr_expect_not(http_host_is_among(STR("x.a.example"), list, 3));
    cr_expect_not(http_host_is_among(STR("a.example"), list, 0));
}
