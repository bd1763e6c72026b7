/* Doubles the backslashes of TeX in JSON: see escape_mend.h. */
#include "pose/escape_mend.h"

#include <string.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Commands of TeX whose first letter makes an escape of JSON that texts do have. */
static bool is_tex(struct str rest)
{
    static const char *const words[] = {"text", "times", "theta", "tan",   "tau",
                                        "to ",  "right", "rho",   "rangle"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_starts(rest, str_from(words[i])))
            return true;
    return false;
}

/* Whether the backslash in front of `rest` begins an escape that is meant. */
static bool is_escape(struct str rest)
{
    char c = rest.len > 0 ? rest.ptr[0] : '\0';
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'n':
        return true;
    case 'f':
    case 'b':
        return rest.len < 2 || !is_letter(rest.ptr[1]);
    case 't':
    case 'r':
        return !is_tex(rest);
    case 'u':
        return rest.len >= 5 && is_hex(rest.ptr[1]) && is_hex(rest.ptr[2]) && is_hex(rest.ptr[3]) &&
               is_hex(rest.ptr[4]);
    default:
        return false;
    }
}

/* Backslashes to be doubled; with `into`, the mended text is written there. */
static size_t mend(struct str json, char *into)
{
    size_t doubled = 0, at = 0;
    while (at < json.len) {
        bool slash = json.ptr[at] == '\\';
        bool meant = slash && is_escape(str_slice(json, at + 1, json.len));
        size_t bytes =
            meant ? 2 : 1; /* an escape as a whole, so that its second byte begins none */
        if (slash && !meant) {
            doubled++;
            if (into)
                *into++ = '\\';
        }
        bytes = at + bytes > json.len ? json.len - at : bytes;
        if (into)
            into = mempcpy(into, json.ptr + at, bytes);
        at += bytes;
    }
    return doubled;
}

struct str escape_mend(struct str json, struct arena *a)
{
    if (!memchr(json.ptr, '\\', json.len))
        return json;
    size_t doubled = mend(json, NULL);
    if (doubled == 0)
        return json;
    char *into = arena_alloc(a, json.len + doubled);
    if (!into)
        return (struct str){NULL, 0};
    mend(json, into);
    return (struct str){into, json.len + doubled};
}
