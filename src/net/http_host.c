/* Names of this server. */
#include "net/http_host.h"

#include <string.h>

static bool has_port(struct str host)
{
    const char *end = host.len && host.ptr[0] == '[' ? memchr(host.ptr, ']', host.len) : host.ptr;
    return end && memchr(end, ':', host.len - (size_t)(end - host.ptr));
}

struct str http_host_name(struct str host)
{
    if (host.len > 0 && host.ptr[0] == '[')
        return str_slice(host, 1, str_find(host, STR("]"), 1));
    struct str name = str_slice(host, 0, str_find(host, STR(":"), 0));
    return str_ends(name, STR(".")) ? str_slice(name, 0, name.len - 1) : name;
}

/* 127.0.0.0/8 as browsers write it: four numbers. */
static bool is_loopback_4(struct str name)
{
    struct str rest = name;
    size_t parts = 0;
    if (!str_starts(name, STR("127.")))
        return false;
    for (uint64_t number = 0; rest.len > 0; parts++)
        if (str_to_uint64(str_split(&rest, '.'), &number) != OK || number > 255)
            return false;
    return parts == 4;
}

static bool ends_in_localhost(struct str name)
{
    if (name.len < 9 ||
        !str_equal_nocase(str_slice(name, name.len - 9, name.len), STR("localhost")))
        return false;
    return name.len == 9 || str_ends(str_slice(name, 0, name.len - 9), STR("."));
}

bool http_host_is_local(struct str host)
{
    struct str name = http_host_name(host);
    if (host.len > 0 && host.ptr[0] == '[') {
        struct str four = str_slice(name, STR("::ffff:").len, name.len);
        return str_equal(name, STR("::1")) ||
               (str_equal_nocase(str_slice(name, 0, 7), STR("::ffff:")) && is_loopback_4(four));
    }
    return !memchr(name.ptr ? name.ptr : "", '.', name.len) || ends_in_localhost(name) ||
           is_loopback_4(name);
}

bool http_host_is_among(struct str host, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool whole = has_port(list[i]);
        if (str_equal_nocase(whole ? host : http_host_name(host),
                             whole ? list[i] : http_host_name(list[i])))
            return true;
    }
    return false;
}
