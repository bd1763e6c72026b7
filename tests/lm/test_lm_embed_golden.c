/* all-MiniLM-L6-v2 by llama.cpp against its reference implementation: the hundred texts of tests/golden/minilm.py, as
 * float32 and float16, one by one and many at once. The model is what scripts/test-models makes. */
#include "base/file.h"
#include "base/json.h"
#include "lm/lm_embed.h"

#include <criterion/criterion.h>
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS 100
#define WIDTH 384

static struct arena *arena;
static struct str texts[TEXTS];
static struct buf lines;
static struct buf vectors; /* int16 [TEXTS × WIDTH], little-endian, 32767 times the value */

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("skipped: no llama.cpp");
    if (!getenv("LEEROO_MODELS") || !*getenv("LEEROO_MODELS"))
        cr_skip_test("skipped: no models");
    struct error err;
    buf_init(&lines, 1 << 20);
    buf_init(&vectors, 1 << 20);
    cr_assert_eq(file_read("tests/golden/minilm-texts.jsonl", 1 << 20, &lines, &err), OK, "%s",
                 err.text);
    cr_assert_eq(file_read("tests/golden/minilm-vectors.i16", 1 << 20, &vectors, &err), OK, "%s",
                 err.text);
    cr_assert_eq(vectors.len, TEXTS * WIDTH * sizeof(int16_t));
    arena = arena_create(1 << 20);
    char *line = lines.ptr;
    for (size_t i = 0; i < TEXTS; i++) {
        char *end = strchr(line, '\n');
        struct json_value object;
        cr_assert_eq(json_parse((struct str){line, (size_t)(end - line)}, "minilm-texts.jsonl",
                                i + 1, &object, &err),
                     OK, "%s", err.text);
        cr_assert_eq(json_string_decode(json_get(object, "text"), arena, &texts[i]), OK);
        line = end + 1;
    }
    cr_assert_eq(*line, '\0');
}

static void teardown(void)
{
    buf_done(&lines);
    buf_done(&vectors);
    arena_free(arena);
}

TestSuite(lm_embed_golden, .init = setup, .fini = teardown);

static double cosine(const float *said, size_t text)
{
    double product = 0, a = 0, b = 0;
    for (size_t i = 0; i < WIDTH; i++) {
        int16_t stored;
        memcpy(&stored, vectors.ptr + (text * WIDTH + i) * sizeof(stored), sizeof(stored));
        double x = (int16_t)le16toh((uint16_t)stored), y = said[i];
        product += x * y;
        a += x * x;
        b += y * y;
    }
    return product / sqrt(a * b);
}

static void compare(const char *file, size_t batch)
{
    char path[512];
    struct error err;
    struct lm *lm = NULL;
    struct lm_embedder *e = NULL;
    snprintf(path, sizeof(path), "%s/%s", getenv("LEEROO_MODELS"), file);
    cr_assert_eq(lm_load(path, NULL, &lm, &err), OK, "%s", err.text);
    cr_assert_eq(lm_info(lm)->width, WIDTH);
    cr_assert_eq(lm_embedder_create(lm, &(struct lm_embed_options){.batch = batch}, &e, &err), OK,
                 "%s", err.text);
    float *said = malloc(sizeof(float) * TEXTS * WIDTH);
    cr_assert_not_null(said);
    cr_assert_eq(lm_embed(e, texts, TEXTS, said, &err), OK, "%s", err.text);
    for (size_t i = 0; i < TEXTS; i++)
        cr_expect(cosine(said + i * WIDTH, i) >= .999, "text %zu of %s: %.6f", i + 1, file,
                  cosine(said + i * WIDTH, i));
    free(said);
    lm_embedder_free(e);
    lm_free(lm);
}

Test(lm_embed_golden, float32_says_what_the_reference_says)
{
    compare("minilm-f32.gguf", 1);
}

Test(lm_embed_golden, float16_in_batches_says_what_the_reference_says)
{
    compare("minilm-f16.gguf", 8);
}
