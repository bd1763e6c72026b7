/* Sequences, on a tiny causal model with random weights: what several read at once is what each reads alone, what is
 * copied goes on as its original, what is cut is as if it had never been read, and a failed read leaves nothing. */
#include "lm/lm_state.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static struct lm *lm;
static char path[64];

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("no llama.cpp");
    snprintf(path, sizeof(path), "/tmp/leeroo_state_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_LLAMA, 1);
    struct error err;
    cr_assert_eq(lm_load(path, NULL, &lm, &err), OK, "%s", err.text);
}

static void teardown(void)
{
    lm_free(lm);
    unlink(path);
}

TestSuite(lm_state, .init = setup, .fini = teardown);

static struct lm_state *state_of(struct lm_state_options o)
{
    struct lm_state *s = NULL;
    struct error err;
    cr_assert_eq(lm_state_create(lm, &o, &s, &err), OK, "%s", err.text);
    return s;
}

#define MAX 300
static int32_t tokens[MAX];

static void fill_tokens(uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < MAX; i++)
        tokens[i] = (int32_t)rng_below(&rng, TINY_VOCAB);
}

static void must_read(struct lm_state *s, struct lm_input in)
{
    struct error err;
    cr_assert_eq(lm_state_read(s, &in, 1, &err), OK, "%s", err.text);
}

static void near(const float *a, const float *b)
{
    cr_assert_not_null(a);
    cr_assert_not_null(b);
    for (int i = 0; i < TINY_VOCAB; i++)
        cr_assert_float_eq(a[i], b[i], 1e-3, "token %d: %g against %g", i, (double)a[i],
                           (double)b[i]);
}

static float *kept(const float *row)
{
    float *copy = malloc(TINY_VOCAB * sizeof(*copy));
    cr_assert_not_null(row);
    memcpy(copy, row, TINY_VOCAB * sizeof(*copy));
    return copy;
}

/* What a new state of one sequence expects behind these tokens. */
static float *alone(const int32_t *of, size_t count)
{
    struct lm_state *s = state_of((struct lm_state_options){0});
    must_read(s, (struct lm_input){0, of, count, LM_WANT_LAST});
    float *row = kept(lm_state_logits_last(s, 0));
    lm_state_free(s);
    return row;
}

Test(lm_state, sequences_in_one_batch_read_what_each_reads_alone)
{
    fill_tokens(1);
    for (int shared = 0; shared < 2; shared++) {
        struct lm_state *s =
            state_of((struct lm_state_options){.sequences = 3, .batch = 7, .shared = shared});
        struct lm_input in[] = {{2, tokens, 11, LM_WANT_LAST},
                                {0, tokens + 50, 3, LM_WANT_NOTHING},
                                {1, tokens + 100, 9, LM_WANT_LAST}};
        struct error err;
        cr_assert_eq(lm_state_read(s, in, 3, &err), OK, "%s", err.text);
        float *first = alone(tokens, 11), *third = alone(tokens + 100, 9);
        near(lm_state_logits_last(s, 0), first);
        near(lm_state_logits_last(s, 2), third);
        cr_expect_null(lm_state_logits_last(s, 1));
        cr_expect_null(lm_state_logits_last(s, 3));
        cr_expect_null(lm_state_logits(s, 0, 4));
        cr_expect_eq(lm_state_length(s, 2), 11);
        free(first);
        free(third);
        lm_state_free(s);
    }
}

Test(lm_state, tokens_one_by_one_come_to_what_all_at_once_come_to)
{
    fill_tokens(2);
    struct lm_state *s = state_of((struct lm_state_options){.sequences = 1});
    for (int i = 0; i < 20; i++)
        must_read(s, (struct lm_input){0, tokens + i, 1, LM_WANT_LAST});
    float *whole = alone(tokens, 20);
    near(lm_state_logits_last(s, 0), whole);
    free(whole);
    lm_state_free(s);
}

Test(lm_state, logits_of_all_tokens_and_logprobs_agree_with_those_of_the_last)
{
    fill_tokens(3);
    struct lm_state *s = state_of((struct lm_state_options){.batch = 100});
    must_read(s, (struct lm_input){0, tokens, 150, LM_WANT_ALL});
    float *middle = alone(tokens, 71), *expected = NULL;
    near(lm_state_logits(s, 0, 70), middle);
    cr_expect_null(lm_state_logprobs(s, 0));
    expected = kept(lm_state_logits_last(s, 0));
    double sum = 0;
    for (int i = 0; i < TINY_VOCAB; i++)
        sum += exp((double)middle[i]);
    double logprob = (double)middle[tokens[71]] - log(sum);
    lm_state_clear(s, 0);
    must_read(s, (struct lm_input){0, tokens, 150, LM_WANT_LOGPROBS});
    near(lm_state_logits_last(s, 0), expected);
    cr_assert_not_null(lm_state_logprobs(s, 0));
    cr_expect_float_eq(lm_state_logprobs(s, 0)[71], logprob, 1e-3);
    cr_expect_eq(lm_state_logprobs(s, 0)[0], 0);
    free(middle);
    free(expected);
    lm_state_free(s);
}

Test(lm_state, a_copied_head_goes_on_as_the_original)
{
    fill_tokens(4);
    float *whole = alone(tokens, 60);
    for (int shared = 0; shared < 2; shared++) {
        struct lm_state *s = state_of((struct lm_state_options){
            .sequences = 4, .context = 64, .shared = shared, .tokens = 256});
        must_read(s, (struct lm_input){3, tokens + 200, 9, LM_WANT_NOTHING});
        must_read(s, (struct lm_input){0, tokens, 50, LM_WANT_NOTHING});
        lm_state_copy(s, 0, 3);
        lm_state_copy(s, 0, 1);
        cr_expect_eq(lm_state_length(s, 3), 50);
        must_read(s, (struct lm_input){1, tokens + 100, 10, LM_WANT_LAST});
        must_read(s, (struct lm_input){3, tokens + 50, 10, LM_WANT_LAST});
        near(lm_state_logits_last(s, 0), whole);
        cr_expect_eq(lm_state_length(s, 0), 50);
        lm_state_free(s);
    }
    free(whole);
}

Test(lm_state, what_is_cut_was_never_read)
{
    fill_tokens(5);
    float *whole = alone(tokens, 30);
    struct lm_state *s = state_of((struct lm_state_options){0});
    struct error err;
    must_read(s, (struct lm_input){0, tokens, 20, LM_WANT_NOTHING});
    must_read(s, (struct lm_input){0, tokens + 100, 30, LM_WANT_NOTHING});
    cr_assert_eq(lm_state_cut(s, 0, 20, &err), OK, "%s", err.text);
    cr_expect_eq(lm_state_length(s, 0), 20);
    must_read(s, (struct lm_input){0, tokens + 20, 10, LM_WANT_LAST});
    near(lm_state_logits_last(s, 0), whole);
    free(whole);
    lm_state_free(s);
}

Test(lm_state, a_full_context_is_said_and_nothing_is_read)
{
    fill_tokens(6);
    struct lm_state *s = state_of((struct lm_state_options){.sequences = 2, .context = 40});
    struct error err;
    cr_expect_eq(lm_state_context(s), 40);
    must_read(s, (struct lm_input){0, tokens, 30, LM_WANT_NOTHING});
    struct lm_input in[] = {{1, tokens, 5, LM_WANT_LAST}, {0, tokens, 11, LM_WANT_LAST}};
    cr_assert_eq(lm_state_read(s, in, 2, &err), ERR_CONTEXT);
    cr_expect_eq(lm_state_length(s, 0), 30);
    cr_expect_eq(lm_state_length(s, 1), 0);
    cr_expect_null(lm_state_logits_last(s, 0));
    in[1].count = 10;
    cr_assert_eq(lm_state_read(s, in, 2, &err), OK, "%s", err.text);
    lm_state_free(s);
}

Test(lm_state, shared_memory_that_is_all_in_use_is_a_full_context_too)
{
    fill_tokens(7);
    struct lm_state *s = state_of(
        (struct lm_state_options){.sequences = 3, .context = 200, .shared = true, .tokens = 256});
    struct error err;
    must_read(s, (struct lm_input){0, tokens, 200, LM_WANT_NOTHING});
    struct lm_input more = {1, tokens, 100, LM_WANT_LAST};
    cr_assert_eq(lm_state_read(s, &more, 1, &err), ERR_CONTEXT);
    cr_expect_eq(lm_state_length(s, 1), 0);
    lm_state_clear(s, 0);
    must_read(s, more);
    float *row = alone(tokens, 100);
    near(lm_state_logits_last(s, 0), row);
    free(row);
    lm_state_free(s);
}

Test(lm_state, a_token_outside_the_vocabulary_is_refused)
{
    struct lm_state *s = state_of((struct lm_state_options){0});
    struct error err;
    const int32_t bad[] = {5, TINY_VOCAB}, negative[] = {-1};
    struct lm_input in = {0, bad, 2, LM_WANT_LAST};
    cr_expect_eq(lm_state_read(s, &in, 1, &err), ERR_INPUT);
    in = (struct lm_input){0, negative, 1, LM_WANT_LAST};
    cr_expect_eq(lm_state_read(s, &in, 1, &err), ERR_INPUT);
    cr_expect_eq(lm_state_length(s, 0), 0);
    lm_state_free(s);
}

static void *cancel(void *arg)
{
    lm_state_cancel(arg);
    return NULL;
}

Test(lm_state, another_thread_cancels_until_the_owner_resumes)
{
    fill_tokens(8);
    struct lm_state *s = state_of((struct lm_state_options){.batch = 16});
    struct error err;
    pthread_t thread;
    must_read(s, (struct lm_input){0, tokens, 10, LM_WANT_NOTHING});
    cr_assert_eq(pthread_create(&thread, NULL, cancel, s), 0);
    struct lm_input in = {0, tokens + 10, 1, LM_WANT_LAST};
    enum status status = OK;
    while (status == OK && lm_state_length(s, 0) < 500) /* before or while it reads */
        status = lm_state_read(s, &in, 1, &err);
    pthread_join(thread, NULL);
    size_t held = lm_state_length(s, 0);
    cr_expect_eq(lm_state_read(s, &in, 1, &err), ERR_CANCELLED);
    cr_expect_eq(lm_state_length(s, 0), held);
    lm_state_resume(s);
    must_read(s, in);
    lm_state_free(s);
}

Test(lm_state, limits_are_said)
{
    struct lm_state *s = NULL;
    struct error err;
    struct lm_state_options many = {.sequences = LM_STATE_SEQUENCES_MAX + 1};
    struct lm_state_options longer = {.context = TINY_CONTEXT + 1};
    cr_expect_eq(lm_state_create(lm, &many, &s, &err), ERR_TOO_LARGE);
    cr_expect_eq(lm_state_create(lm, &longer, &s, &err), ERR_TOO_LARGE);
    cr_expect_null(s);
}

Test(lm_state, a_model_of_embeddings_does_not_write)
{
    struct error err;
    struct lm *bert = NULL;
    struct lm_state *s = NULL;
    char other[64];
    snprintf(other, sizeof(other), "/tmp/leeroo_state_bert_%d.gguf", (int)getpid());
    tiny_gguf_write(other, TINY_BERT, 1);
    cr_assert_eq(lm_load(other, NULL, &bert, &err), OK, "%s", err.text);
    unlink(other);
    cr_expect_eq(lm_state_create(bert, NULL, &s, &err), ERR_UNSUPPORTED);
    cr_expect_null(s);
    lm_free(bert);
}
