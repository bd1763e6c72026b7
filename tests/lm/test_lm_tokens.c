/* Tokens of a vocabulary that llama.cpp splits by std::regex: texts that would overflow the stack are tokenized in
 * pieces, all others as they are. */
#include "lm/lm.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

#define BEGIN 257
#define END   258
#define PAIR  256 /* "aa" */

static struct lm *lm;

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("skipped: no llama.cpp");
    char path[64];
    struct error err;
    snprintf(path, sizeof(path), "/tmp/leeroo_tokens_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_BPE, 1);
    cr_assert_eq(lm_load(path, &(struct lm_options){.vocabulary_only = true}, &lm, &err), OK, "%s",
                 err.text);
    unlink(path);
}

static void teardown(void)
{
    lm_free(lm);
}

TestSuite(lm_tokens, .init = setup, .fini = teardown);

/* The text again, from its tokens. */
static void check_bytes(const int32_t *tokens, size_t count, const char *text, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        char piece[16];
        size_t n = lm_token_bytes(lm, tokens[i], false, piece, sizeof(piece));
        cr_assert(n > 0 && n <= len - at);
        cr_assert_arr_eq(piece, text + at, n);
        at += n;
    }
    cr_assert_eq(at, len);
}

Test(lm_tokens, a_short_text_is_one_piece)
{
    int32_t tokens[16];
    size_t n = lm_tokenize(lm, STR("aab a"), true, tokens, 16);
    cr_assert_eq(n, 6);
    cr_expect_eq(tokens[0], BEGIN);
    cr_expect_eq(tokens[1], PAIR);
    cr_expect_eq(tokens[5], END);
    cr_expect_eq(lm_tokenize(lm, STR("aab a"), false, tokens, 16), 4);
    cr_expect_eq(lm_tokenize(lm, STR(""), true, tokens, 16), 2);
}

Test(lm_tokens, runs_of_anything_are_survived_and_nothing_is_lost)
{
    static const char *const units[] = {"a",
                                        "1",
                                        "!",
                                        " ",
                                        "\n",
                                        "\xc3\xa9",
                                        "\xe6\x97\xa5",
                                        " \xc2\xa0",
                                        "a1",
                                        "\xf0\x9f\x99\x82"};
    size_t times = 60000;
    for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
        size_t unit = strlen(units[u]), len = unit * times;
        char *text = malloc(len);
        int32_t *tokens = malloc(len * sizeof(*tokens));
        for (size_t i = 0; i < times; i++)
            memcpy(text + i * unit, units[u], unit);
        size_t n = lm_tokenize(lm, (struct str){text, len}, false, tokens, len);
        cr_assert(n > 0 && n <= len);
        check_bytes(tokens, n, text, len);
        free(tokens);
        free(text);
    }
}

Test(lm_tokens, bytes_that_are_no_text_are_survived)
{
    size_t len = 60000;
    char *text = malloc(len);
    for (int byte = 0x80; byte < 0x100; byte += 0x1f) {
        memset(text, byte, len);
        (void)lm_tokenize(lm, (struct str){text, len}, true, NULL, 0);
    }
    free(text);
}

Test(lm_tokens, a_long_text_with_blanks_is_not_cut)
{
    size_t len = 90001;
    char *text = malloc(len);
    int32_t *tokens = malloc(len * sizeof(*tokens));
    for (size_t i = 0; i < len; i++)
        text[i] = i % 3 ? 'a' : ' ';
    size_t n = lm_tokenize(lm, (struct str){text, len}, true, tokens, len);
    cr_assert_eq(n, 2 * 30000 + 1 + 2); /* " ", "aa", …, " "; begin and end */
    cr_expect_eq(tokens[0], BEGIN);
    cr_expect_eq(tokens[n - 1], END);
    for (size_t i = 2; i + 2 < n; i += 2)
        cr_assert_eq(tokens[i], PAIR);
    free(tokens);
    free(text);
}

Test(lm_tokens, pieces_have_one_beginning_and_one_end_and_respect_the_room)
{
    size_t len = 20000;
    char *text = malloc(len);
    int32_t *tokens = malloc((len + 2) * sizeof(*tokens)), few[10];
    memset(text, 'b', len);
    size_t n = lm_tokenize(lm, (struct str){text, len}, true, tokens, len + 2);
    cr_assert_eq(n, len + 2);
    cr_expect_eq(tokens[0], BEGIN);
    cr_expect_eq(tokens[n - 1], END);
    cr_expect_eq(tokens[n - 2], tokens[1]);
    memset(few, 0xff, sizeof(few));
    cr_expect_eq(lm_tokenize(lm, (struct str){text, len}, true, few, 9), n);
    cr_expect_eq(few[8], tokens[8]);
    cr_expect_eq(few[9], -1);
    free(tokens);
    free(text);
}
