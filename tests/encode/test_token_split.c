/* Where the patterns of tokenizers cut. */
#include "encode/token_split.h"

#include <criterion/criterion.h>
#include <string.h>

/* The pieces joined by "|". */
static void expect_pieces(struct token_split s, const char *text, const char *want)
{
    char got[512];
    size_t len = 0;
    struct str t = str_from(text);
    for (size_t at = 0, end; at < t.len; at = end) {
        end = token_split_next(&s, t, at);
        cr_assert(end > at && end <= t.len);
        if (at > 0)
            got[len++] = '|';
        memcpy(got + len, t.ptr + at, end - at);
        len += end - at;
    }
    got[len] = '\0';
    cr_expect_str_eq(got, want);
}

static const struct token_split gpt2 = {TOKEN_SPLIT_GPT2, 0, false},
                                cl100k = {TOKEN_SPLIT_CL100K, 3, false},
                                o200k = {TOKEN_SPLIT_O200K, 3, false};

Test(token_split, gpt2)
{
    expect_pieces(gpt2, "I'm WE'LL  go 12345!!\n\n x", "I|'m| WE|'|LL| | go| 12345|!!|\n\n| x");
    expect_pieces((struct token_split){TOKEN_SPLIT_GPT2, 0, true}, "a 12  3", "a| |1|2|  |3");
}

Test(token_split, cl100k)
{
    expect_pieces(cl100k, "I'm WE'LL  go 12345!!\r\n\n x",
                  "I|'m| WE|'LL| | go| |123|45|!!\r\n\n| x");
    expect_pieces(cl100k, "  \n  \n   a(b)", "  \n  \n|  | a|(b|)");
}

Test(token_split, o200k)
{
    expect_pieces(o200k, "camelCase XMLHttp it's a/b//\n", "camel|Case| XMLHttp| it's| a|/b|//\n");
    expect_pieces(o200k,
                  "\xE4\xB8\xAD\xE6\x96\x87"
                  "Abc",
                  "\xE4\xB8\xAD\xE6\x96\x87"
                  "Abc");
}

Test(token_split, patterns_are_known_by_their_text)
{
    struct token_split s;
    cr_assert(
        token_split_find(STR("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                             "\\s+(?!\\S)|\\s+"),
                         &s));
    cr_expect_eq(s.kind, TOKEN_SPLIT_GPT2);
    cr_expect_not(token_split_find(STR("\\w+"), &s));
}
