/* Token counts where none were reported. */
#include "dialect/token_estimate.h"

#include <string.h>

#include "base/str.h"

int64_t tokens_from_characters(uint64_t characters)
{
    uint64_t tokens = characters / 4 + (characters % 4 != 0);
    return tokens > INT64_MAX ? INT64_MAX : (int64_t)tokens;
}

uint64_t tokens_json_characters(struct json_value string)
{
    uint64_t characters = 0;
    if (string.type != JSON_STRING)
        return 0;
    struct str rest = str_slice(string.raw, 1, string.raw.len - 1);
    for (;;) {
        const char *escape = rest.len > 0 ? memchr(rest.ptr, '\\', rest.len) : NULL;
        size_t plain = escape ? (size_t)(escape - rest.ptr) : rest.len;
        characters += utf8_count((struct str){rest.ptr, plain});
        if (!escape)
            return characters;
        /* \n is one character, \u00e9 too; a surrogate pair counts as two */
        characters++;
        rest = str_slice(rest, plain + (escape[1] == 'u' ? 6 : 2), rest.len);
    }
}
