/* The rule for names: see name.h. */
#include "base/name.h"

#include <string.h>

#define TEXT_OF(number) #number
#define DIGITS(number)  TEXT_OF(number)

bool name_is_plain(struct str s, bool slash)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     memchr("._-:@+", c, 6) || (slash && c == '/');
        if (!plain)
            return false;
    }
    return s.len > 0 && s.len <= NAME_BYTES_MAX;
}

/* A file of its answers would be somewhere else. */
static bool leaves_folder(struct str name)
{
    while (name.len > 0)
        if (str_equal(str_split(&name, '/'), STR("..")))
            return true;
    return false;
}

const char *expert_name_mistake(struct str name)
{
    if (!name_is_plain(name, true))
        return "must be at most " DIGITS(NAME_BYTES_MAX) " letters, digits and . _ - : @ + /";
    if (leaves_folder(name))
        return "must not lead out of a folder by ..";
    if (str_equal(name, STR("leeroo")) || str_starts(name, STR("leeroo/")))
        return "is what clients ask the router by; choose another";
    return NULL;
}
