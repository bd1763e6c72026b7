/* The escapes of URLs. */
#include "base/percent.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str percent_decode(struct str raw, struct arena *a)
{
    char *into = arena_alloc(a, raw.len + 1);
    size_t len = 0;
    if (!into)
        return STR("");
    for (size_t i = 0; i < raw.len; i++) {
        bool escape = raw.ptr[i] == '%' && i + 2 < raw.len;
        int high = escape ? hex_digit(raw.ptr[i + 1]) : -1;
        int low = escape ? hex_digit(raw.ptr[i + 2]) : -1;
        into[len++] = high >= 0 && low >= 0 ? (char)(high * 16 + low) : raw.ptr[i];
        i += high >= 0 && low >= 0 ? 2 : 0;
    }
    return (struct str){into, len};
}
