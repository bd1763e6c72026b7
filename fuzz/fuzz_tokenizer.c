/* Files of tokenizers, and how texts are cut: what is read counts any text, and every piece gets on. The bytes up to
 * the first NUL are the file, the rest is the text. */
#include <string.h>

#include "base/check.h"
#include "encode/token_split.h"
#include "encode/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_split(struct token_split s, struct str text)
{
    for (size_t at = 0, end; at < text.len; at = end) {
        end = token_split_next(&s, text, at);
        CHECK(end > at && end <= text.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size}, text;
    size_t nul = str_find(all, (struct str){"", 1}, 0);
    struct tokenizer *t = NULL;
    uint64_t count = 0;
    text = nul == SIZE_MAX ? all : str_slice(all, nul + 1, all.len);
    for (int kind = TOKEN_SPLIT_GPT2; kind <= TOKEN_SPLIT_O200K; kind++)
        for (size_t digits = 0; digits < 4; digits++)
            check_split((struct token_split){(enum token_split_kind)kind, digits, digits == 2},
                        text);
    if (tokenizer_parse(str_slice(all, 0, nul), "file", &t, NULL) != OK)
        return 0;
    CHECK(tokenizer_count(t, text, &count, NULL) == OK);
    CHECK(count <= text.len && (count > 0 || text.len == 0));
    tokenizer_free(t);
    return 0;
}
