/* The prompt of a query: what a client would send. By itself, so that libleeroo takes nothing else of this folder. */
#include <string.h>

#include "data/dataset_int.h"

size_t query_prompt_bytes(struct str text, const struct str *choices, uint32_t count)
{
    size_t bytes = text.len;
    for (uint32_t i = 0; i < count; i++)
        bytes += choices[i].len + 4;
    return bytes;
}

size_t query_prompt_write(struct str text, const struct str *choices, uint32_t count, char *into)
{
    char *at = into;
    at = mempcpy(at, text.ptr, text.len);
    for (uint32_t i = 0; i < count; i++) {
        *at++ = '\n';
        *at++ = (char)('A' + i);
        *at++ = '.';
        *at++ = ' ';
        at = mempcpy(at, choices[i].ptr, choices[i].len);
    }
    return (size_t)(at - into);
}

void query_prompt(struct str text, const struct str *choices, uint32_t count, struct buf *out)
{
    size_t bytes = query_prompt_bytes(text, choices, count);
    char *into = buf_reserve(out, bytes);
    if (!into)
        return;
    out->len += query_prompt_write(text, choices, count, into);
    out->ptr[out->len] = '\0';
}
