/* Prefixes from IANA's special-purpose registries (RFC 6890), in network order. */
#include "net/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix {
    uint8_t bytes[16];
    unsigned bits;
};

static const struct prefix four[] = {
    {{0}, 8},         {{10}, 8},       {{100, 64}, 10},      {{127}, 8},
    {{169, 254}, 16}, {{172, 16}, 12}, {{192, 0, 0}, 24},    {{192, 0, 2}, 24},
    {{192, 168}, 16}, {{198, 18}, 15}, {{198, 51, 100}, 24}, {{203, 0, 113}, 24},
    {{224}, 4},       {{240}, 4},
};

static const struct prefix six[] = {
    {{0}, 127},                     /* :: and ::1, which differ in the last bit only */
    {{0x01}, 64},                   /* discard only */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0xfc}, 7},
    {{0xfe, 0x80}, 10},
    {{0xfe, 0xc0}, 10},
    {{0xff}, 8},
};

/* Where an IPv4 address stands inside of one of IPv6. */
static const struct embedded {
    struct prefix prefix;
    size_t at;
} embedded[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12}, /* mapped */
    {{{0}, 96}, 12},                                        /* compatible */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},                   /* NAT64 */
    {{{0x20, 0x02}, 16}, 2},                                /* 6to4 */
};

static bool has_prefix(const uint8_t *address, const struct prefix *p)
{
    size_t whole = p->bits / 8;
    unsigned rest = p->bits % 8;
    if (memcmp(address, p->bytes, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ p->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_private_four(const uint8_t address[4])
{
    for (size_t i = 0; i < sizeof(four) / sizeof(four[0]); i++)
        if (has_prefix(address, &four[i]))
            return true;
    return false;
}

static bool is_private_six(const uint8_t address[16])
{
    for (size_t i = 0; i < sizeof(six) / sizeof(six[0]); i++)
        if (has_prefix(address, &six[i]))
            return true;
    for (size_t i = 0; i < sizeof(embedded) / sizeof(embedded[0]); i++)
        if (has_prefix(address, &embedded[i].prefix))
            return is_private_four(address + embedded[i].at);
    return false;
}

bool address_is_private(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
        return is_private_four((const uint8_t *)&v4->sin_addr);
    }
    if (a->sa_family != AF_INET6)
        return true;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;
    return is_private_six(v6->sin6_addr.s6_addr);
}
