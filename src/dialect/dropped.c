/* The list of dropped wishes. */
#include "dialect/dropped.h"

#include <string.h>

#define MORE_LEN 4 /* "more" */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

static bool is_listed(const struct dropped *d, struct str name)
{
    struct str rest = dropped_text(d);
    while (rest.len > 0)
        if (str_equal(str_split(&rest, ','), name))
            return true;
    return false;
}

/* There is always room left for ",more". */
static void append(struct dropped *d, struct str name)
{
    if (name.len == 0 || d->full || is_listed(d, name))
        return;
    d->full = d->len + 1 + name.len > DROPPED_BYTES_MAX - MORE_LEN - 1;
    if (d->full)
        name = STR("more");
    if (d->len > 0)
        d->text[d->len++] = ',';
    memcpy(d->text + d->len, name.ptr, name.len);
    d->len += name.len;
}

void dropped_add(struct dropped *d, const char *place, struct str name)
{
    char text[DROPPED_NAME_MAX];
    const struct str parts[] = {str_from(place ? place : ""), STR("."), name};
    size_t len = 0;
    for (size_t i = place ? 0 : 2; i < 3; i++)
        for (size_t j = 0; j < parts[i].len && len < sizeof(text); j++)
            text[len++] = is_plain(parts[i].ptr[j]) ? parts[i].ptr[j] : '_';
    append(d, (struct str){text, len});
}

void dropped_join(struct dropped *d, const struct dropped *more)
{
    struct str rest = dropped_text(more);
    while (rest.len > 0)
        append(d, str_split(&rest, ','));
}

struct str dropped_text(const struct dropped *d)
{
    return (struct str){d->text, d->len};
}
