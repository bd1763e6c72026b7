/* Token counts where nobody reported any. */
#include "dialect/tokens.h"

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
    for (size_t i = 1; i + 1 < string.raw.len; i++) {
        unsigned char c = (unsigned char)string.raw.ptr[i];
        if (c == '\\') { /* \n is one character, \u00e9 too; a surrogate pair counts as two */
            i += string.raw.ptr[i + 1] == 'u' ? 5 : 1;
            characters++;
        } else if ((c & 0xc0) != 0x80) {
            characters++;
        }
    }
    return characters;
}
