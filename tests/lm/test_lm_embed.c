/* Embeddings of tiny models: one by one and together they are the same, a layer's output is what the layers below make
 * (the last one's, normalised by hand, is llama.cpp's own embedding), and what cannot be had is refused. */
#include "lm/lm_embed.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static struct lm *causal, *bert;

static struct lm *load_tiny(enum tiny_kind kind, const struct lm_options *o)
{
    char path[64];
    struct lm *lm = NULL;
    struct error err;
    snprintf(path, sizeof(path), "/tmp/leeroo_embed_%d.gguf", (int)getpid());
    tiny_gguf_write(path, kind, 7);
    cr_assert_eq(lm_load(path, o, &lm, &err), OK, "%s", err.text);
    unlink(path);
    return lm;
}

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("no llama.cpp");
    causal = load_tiny(TINY_LLAMA, NULL);
    bert = load_tiny(TINY_BERT, NULL);
}

static void teardown(void)
{
    lm_free(causal);
    lm_free(bert);
}

TestSuite(lm_embed, .init = setup, .fini = teardown);

#define TEXTS 20
static struct str texts[TEXTS];
static char bytes[TEXTS][200];

static void fill_texts(void)
{
    struct rng rng;
    rng_seed(&rng, 11);
    for (int i = 0; i < TEXTS; i++) {
        size_t len = i == 3 ? 0 : (size_t)rng_below(&rng, sizeof(bytes[i]));
        for (size_t k = 0; k < len; k++)
            bytes[i][k] = "abcdefghij klmnop"[rng_below(&rng, 17)];
        texts[i] = (struct str){bytes[i], len};
    }
}

static void embed(const struct lm *lm, struct lm_embed_options o, const struct str *of,
                  size_t count, float *out)
{
    struct lm_embedder *e = NULL;
    struct error err;
    cr_assert_eq(lm_embedder_create(lm, &o, &e, &err), OK, "%s", err.text);
    cr_assert_eq(lm_embed(e, of, count, out, &err), OK, "%s", err.text);
    lm_embedder_free(e);
}

static double cosine(const float *a, const float *b)
{
    double dot = 0;
    for (int i = 0; i < TINY_WIDTH; i++)
        dot += (double)a[i] * (double)b[i];
    return dot;
}

static void same_together_and_alone(const struct lm *lm, struct lm_embed_options o)
{
    static float together[TEXTS][TINY_WIDTH], alone[TEXTS][TINY_WIDTH];
    fill_texts();
    o.batch = 6;
    embed(lm, o, texts, TEXTS, together[0]);
    o.batch = 1;
    embed(lm, o, texts, TEXTS, alone[0]);
    for (int i = 0; i < TEXTS; i++) {
        cr_expect_float_eq(cosine(together[i], together[i]), 1, 1e-5);
        cr_expect_float_eq(cosine(together[i], alone[i]), 1, 1e-5, "text %d: cosine %.8f", i,
                           cosine(together[i], alone[i]));
    }
    cr_expect_lt(cosine(alone[0], alone[1]), .9999);
}

Test(lm_embed, together_and_alone_are_the_same)
{
    same_together_and_alone(bert, (struct lm_embed_options){0});
    same_together_and_alone(causal, (struct lm_embed_options){0});
    same_together_and_alone(causal, (struct lm_embed_options){.pooling = LM_POOL_LAST});
    same_together_and_alone(causal, (struct lm_embed_options){.pooling = LM_POOL_MEAN, .layer = 1});
    same_together_and_alone(causal, (struct lm_embed_options){.pooling = LM_POOL_MEAN, .layer = 2});
    same_together_and_alone(causal, (struct lm_embed_options){.layer = 1});
    same_together_and_alone(causal, (struct lm_embed_options){.layer = 2});
}

/* A model whose output_norm does nothing but scale all alike would be its own witness; here its weights differ, so that
 * the last layer must be normalised as the graph does it. They are read from the file again. */
static void read_output_norm(float weights[TINY_WIDTH])
{
    struct rng rng;
    rng_seed(&rng, 7); /* the file's own numbers: the embeddings' table comes first */
    for (int i = 0; i < TINY_WIDTH * TINY_VOCAB; i++)
        (void)rng_uniform(&rng);
    for (int i = 0; i < TINY_WIDTH; i++)
        weights[i] = 1 + .1f * (float)(2 * rng_uniform(&rng) - 1);
}

Test(lm_embed, the_last_layer_normalised_by_hand_is_the_models_output)
{
    static float layer[TEXTS][TINY_WIDTH], output[TEXTS][TINY_WIDTH];
    float weights[TINY_WIDTH];
    fill_texts();
    read_output_norm(weights);
    embed(causal, (struct lm_embed_options){.pooling = LM_POOL_LAST, .layer = TINY_LAYERS}, texts,
          TEXTS, layer[0]);
    embed(causal, (struct lm_embed_options){.pooling = LM_POOL_LAST}, texts, TEXTS, output[0]);
    for (int i = 0; i < TEXTS; i++) {
        double square = 0, dot = 0;
        for (int k = 0; k < TINY_WIDTH; k++) {
            double v = (double)layer[i][k] * (double)weights[k];
            square += v * v;
            dot += v * (double)output[i][k];
        }
        cr_expect_float_eq(dot / sqrt(square), 1, 1e-6, "text %d: cosine %.8f", i,
                           dot / sqrt(square));
    }
}

Test(lm_embed, a_long_text_is_cut_and_ends_as_every_text)
{
    float cut[TINY_WIDTH], whole[TINY_WIDTH];
    struct lm_embed_options o = {.tokens_max = 12};
    struct str text = STR("abcdefghijklmnopqrstuvwxyz"), head = STR("abcdefghij");
    embed(bert, o, &text, 1, cut);
    embed(bert, o, &head, 1, whole);
    cr_expect_float_eq(cosine(cut, whole), 1, 1e-6); /* [CLS] ten letters [SEP] */
}

/* Blanks are no tokens of this vocabulary: what follows so many of them would be the first one. */
Test(lm_embed, what_lies_far_behind_the_cut_is_not_looked_at)
{
    static char text[4000];
    float of_text[TINY_WIDTH], of_blank[TINY_WIDTH];
    struct lm_embed_options o = {.tokens_max = 12};
    memset(text, ' ', sizeof(text));
    memcpy(text + 2000, "abc", 3);
    embed(bert, o, &(struct str){text, sizeof(text)}, 1, of_text);
    embed(bert, o, &STR(" "), 1, of_blank);
    cr_expect_float_eq(cosine(of_text, of_blank), 1, 1e-6);
}

Test(lm_embed, what_cannot_be_had_is_refused)
{
    struct lm_embedder *e = NULL;
    struct error err;
    struct lm_embed_options high = {.layer = TINY_LAYERS + 1}, of_bert = {.layer = 1};
    struct lm_embed_options many = {.batch = LM_EMBED_BATCH_MAX + 1};
    cr_expect_eq(lm_embedder_create(causal, &high, &e, &err), ERR_TOO_LARGE);
    cr_expect_eq(lm_embedder_create(bert, &of_bert, &e, &err), ERR_UNSUPPORTED);
    cr_expect_eq(lm_embedder_create(bert, &many, &e, &err), ERR_TOO_LARGE);
    cr_expect_null(e);
}

Test(lm_embed, models_say_what_they_are)
{
    cr_expect(lm_info(causal)->writes);
    cr_expect_not(lm_info(causal)->embeds);
    cr_expect(lm_info(bert)->embeds);
    cr_expect_not(lm_info(bert)->writes);
    cr_expect_str_eq(lm_info(bert)->architecture, "bert");
    cr_expect_eq(lm_info(causal)->vocabulary, TINY_VOCAB);
    cr_expect_eq(lm_info(bert)->width, TINY_WIDTH);
    cr_expect_eq(lm_info(causal)->layers, TINY_LAYERS);
    cr_expect_eq(lm_info(causal)->context, TINY_CONTEXT);
    cr_expect_not_null(lm_info(causal)->chat_template);
    cr_expect_null(lm_info(bert)->chat_template);
}

Test(lm_embed, a_causal_model_with_a_pooling_is_one_of_embeddings)
{
    static float own[TEXTS][TINY_WIDTH], last[TEXTS][TINY_WIDTH];
    struct lm *embeds = load_tiny(TINY_EMBEDS, NULL);
    cr_expect(lm_info(embeds)->embeds);
    cr_expect_not(lm_info(embeds)->writes);
    fill_texts();
    embed(embeds, (struct lm_embed_options){0}, texts, TEXTS, own[0]);
    embed(causal, (struct lm_embed_options){.pooling = LM_POOL_LAST}, texts, TEXTS, last[0]);
    for (int i = 0; i < TEXTS; i++)
        cr_expect_float_eq(cosine(own[i], last[i]), 1, 1e-6);
    lm_free(embeds);
}

static void *embed_again(void *arg)
{
    float(*out)[TINY_WIDTH] = arg;
    embed(bert, (struct lm_embed_options){0}, texts, TEXTS, out[0]);
    return NULL;
}

Test(lm_embed, threads_share_a_model)
{
    static float out[4][TEXTS][TINY_WIDTH];
    pthread_t threads[4];
    fill_texts();
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, embed_again, out[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++)
        cr_expect_arr_eq(out[0], out[i], sizeof(out[0]));
}

/* Bytes in use on the heap. The C library counts blocks that are free and kept for soon as well, up to IN_USE_DOUBT;
 * a block lost with each of a thousand texts takes 32,000. */
static size_t in_use(void)
{
#ifdef __SANITIZE_ADDRESS__
#define IN_USE_DOUBT 0
    extern size_t __sanitizer_get_current_allocated_bytes(void);
    return __sanitizer_get_current_allocated_bytes();
#else
#define IN_USE_DOUBT 8000
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
#endif
}

static void no_growth(const struct lm *lm, struct lm_embed_options o)
{
    static float out[TEXTS][TINY_WIDTH];
    struct lm_embedder *e = NULL;
    struct error err;
    size_t before = 0;
    fill_texts();
    cr_assert_eq(lm_embedder_create(lm, &o, &e, &err), OK, "%s", err.text);
    for (int i = 0; i < 60; i++) { /* 1,200 texts */
        cr_assert_eq(lm_embed(e, texts, TEXTS, out[0], &err), OK, "%s", err.text);
        if (i == 9)
            before = in_use();
    }
    size_t after = in_use();
    cr_expect_leq(after, before + IN_USE_DOUBT, "%zu bytes after 200 texts, %zu after 1,200",
                  before, after);
    lm_embedder_free(e);
}

Test(lm_embed, a_thousand_texts_take_no_more_memory_than_two_hundred)
{
    no_growth(bert, (struct lm_embed_options){0});
    no_growth(causal, (struct lm_embed_options){0});
    no_growth(causal, (struct lm_embed_options){.layer = 1});
}

Test(lm_embed, an_adapter_changes_what_is_said_and_another_models_is_refused)
{
    char path[64];
    const char *paths[] = {path};
    struct lm *adapted, *none = NULL;
    struct error err;
    float plain[TINY_WIDTH], changed[TINY_WIDTH];
    struct str text = STR("adapted");
    snprintf(path, sizeof(path), "/tmp/leeroo_lora_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_LORA, 3);
    adapted = load_tiny(TINY_LLAMA, &(struct lm_options){.loras = paths, .lora_count = 1});
    embed(causal, (struct lm_embed_options){0}, &text, 1, plain);
    embed(adapted, (struct lm_embed_options){0}, &text, 1, changed);
    cr_expect_lt(cosine(plain, changed), .9999);
    lm_free(adapted);

    char model[64];
    snprintf(model, sizeof(model), "/tmp/leeroo_lora_model_%d.gguf", (int)getpid());
    tiny_gguf_write(model, TINY_LLAMA, 7);
    tiny_gguf_write(path, TINY_LORA_WIDE, 3);
    cr_expect_eq(lm_load(model, &(struct lm_options){.loras = paths, .lora_count = 1}, &none, &err),
                 ERR_CORRUPT);
    cr_expect(strstr(err.text, path), "%s", err.text);
    cr_expect_null(none);
    unlink(model);
    unlink(path);
}
