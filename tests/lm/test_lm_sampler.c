/* Choosing tokens from logits that the test makes up, with the vocabulary of a tiny model: a token a byte. */
#include "lm/lm_sampler.h"

#include <criterion/criterion.h>
#include <math.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static struct lm *lm;
static char path[64];
static float logits[TINY_VOCAB];
static struct error err;

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("skipped: no llama.cpp");
    snprintf(path, sizeof(path), "/tmp/leeroo_sampler_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_LLAMA, 1);
    cr_assert_eq(lm_load(path, NULL, &lm, &err), OK, "%s", err.text);
    memset(logits, 0, sizeof(logits));
}

static void teardown(void)
{
    lm_free(lm);
    unlink(path);
}

TestSuite(lm_sampler, .init = setup, .fini = teardown);

static int32_t byte(char c)
{
    return TINY_BYTES_FIRST + (unsigned char)c;
}

static struct lm_sampler *sampler(struct lm_sampling o)
{
    struct lm_sampler *s = NULL;
    cr_assert_eq(lm_sampler_create(lm, &o, &s, &err), OK, "%s", err.text);
    return s;
}

static int32_t pick(struct lm_sampler *s)
{
    int32_t token = -1;
    cr_assert_eq(lm_sampler_pick(s, logits, &token, &err), OK, "%s", err.text);
    return token;
}

Test(lm_sampler, without_temperature_the_likeliest_is_taken)
{
    struct lm_sampler *s = sampler((struct lm_sampling){.top_p = 1});
    logits[byte('x')] = 2;
    cr_expect_eq(pick(s), byte('x'));
    logits[byte('y')] = 3;
    cr_expect_eq(pick(s), byte('y'));
    lm_sampler_free(s);
}

Test(lm_sampler, a_seed_draws_the_same_again_and_in_proportion)
{
    enum { DRAWS = 4000 };
    struct lm_sampler *a = sampler((struct lm_sampling){.temperature = 1, .top_p = 1, .seed = 5});
    struct lm_sampler *b = sampler((struct lm_sampling){.temperature = 1, .top_p = 1, .seed = 5});
    int xs = 0, ys = 0;
    for (int i = 0; i < TINY_VOCAB; i++)
        logits[i] = -30;
    logits[byte('x')] = logf(3);
    logits[byte('y')] = logf(1);
    for (int i = 0; i < DRAWS; i++) {
        int32_t token = pick(a);
        cr_assert_eq(token, pick(b));
        xs += token == byte('x');
        ys += token == byte('y');
    }
    cr_expect_eq(xs + ys, DRAWS);
    cr_expect(abs(xs - DRAWS * 3 / 4) < 150, "%d", xs); /* 5.5 standard deviations */
    lm_sampler_free(a);
    lm_sampler_free(b);
}

Test(lm_sampler, what_is_cut_off_is_never_drawn)
{
    struct lm_sampler *k = sampler((struct lm_sampling){.temperature = 2, .top_p = 1, .top_k = 1});
    struct lm_sampler *p = sampler((struct lm_sampling){.temperature = 2, .top_p = .1f});
    struct lm_sampler *m =
        sampler((struct lm_sampling){.temperature = 2, .top_p = 1, .min_p = .9f});
    logits[byte('x')] = 4;
    for (int i = 0; i < 100; i++)
        cr_expect(pick(k) == byte('x') && pick(p) == byte('x') && pick(m) == byte('x'));
    lm_sampler_free(k);
    lm_sampler_free(p);
    lm_sampler_free(m);
}

Test(lm_sampler, biases_and_penalties_move_logits)
{
    const struct lm_bias bias = {byte('x'), 5};
    struct lm_sampler *s = sampler((struct lm_sampling){.biases = &bias, .bias_count = 1});
    logits[byte('y')] = 4;
    cr_expect_eq(pick(s), byte('x'));
    lm_sampler_free(s);
    s = sampler((struct lm_sampling){.frequency_penalty = 1, .presence_penalty = 2});
    logits[byte('x')] = 2.5f; /* y: 4, then 1, so x */
    cr_expect_eq(pick(s), byte('y'));
    cr_expect_eq(pick(s), byte('x'));
    cr_expect_eq(pick(s), byte('y')); /* 1 against -.5 */
    lm_sampler_free(s);
}

Test(lm_sampler, a_bias_of_no_token_is_refused)
{
    struct lm_bias bias = {TINY_VOCAB, 1};
    struct lm_sampler *s = NULL;
    cr_expect_eq(
        lm_sampler_create(lm, &(struct lm_sampling){.biases = &bias, .bias_count = 1}, &s, &err),
        ERR_INPUT);
    cr_expect(strstr(err.text, "logit_bias names token 261") != NULL, "%s", err.text);
    cr_expect_null(s);
}

Test(lm_sampler, a_grammar_is_kept_to_and_its_end_is_the_end)
{
    struct lm_sampler *s = sampler((struct lm_sampling){.top_p = 1});
    char text[16] = "";
    logits[byte('z')] = 9;
    logits[byte('b')] = 1;
    cr_assert_eq(lm_sampler_constrain(s, "root ::= \"a\" [bc] \"é\"\n", &err), OK, "%s", err.text);
    for (size_t n = 0; n < 8;) {
        int32_t token = pick(s);
        if (lm_token_ends(lm, token))
            break;
        n += lm_token_bytes(lm, token, false, text + n, sizeof(text) - n - 1);
    }
    cr_expect_str_eq(text, "abé");
    lm_sampler_free(s);
}

Test(lm_sampler, a_grammar_may_begin_amid_an_answer)
{
    struct lm_sampler *s = sampler((struct lm_sampling){.top_p = 1});
    logits[byte('z')] = 9;
    cr_expect_eq(pick(s), byte('z'));
    cr_assert_eq(lm_sampler_constrain(s, "root ::= \"a\"\n", &err), OK);
    cr_expect_eq(pick(s), byte('a'));
    cr_expect(lm_token_ends(lm, pick(s)));
    lm_sampler_free(s);
}

Test(lm_sampler, what_is_no_grammar_is_an_error)
{
    static const char *const broken[] = {"root ::= \"a", "x ::= \"a\"\n", "root ::= y\n",
                                         "root ::= root \"a\"\n", "root ::= \"a\"{1,99999999}x{"};
    struct lm_sampler *s = sampler((struct lm_sampling){.top_p = 1});
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        cr_expect_eq(lm_sampler_constrain(s, broken[i], &err), ERR_INPUT, "%s", broken[i]);
    lm_sampler_free(s);
}

Test(lm_sampler, log_probabilities_are_those_of_the_softmax)
{
    struct lm_likely of = {.token = byte('y')}, top[3];
    double all = 0;
    logits[byte('x')] = 3;
    logits[byte('y')] = 2;
    logits[byte('z')] = 2.5f;
    for (int i = 0; i < TINY_VOCAB; i++)
        all += exp((double)logits[i]);
    cr_assert_eq(lm_likeliest(logits, TINY_VOCAB, &of, top, 3), 3);
    cr_expect(top[0].token == byte('x') && top[1].token == byte('z') && top[2].token == byte('y'));
    cr_expect_float_eq(of.logprob, 2 - log(all), 1e-5);
    cr_expect_float_eq(top[0].logprob, 3 - log(all), 1e-5);
    cr_expect_eq(lm_likeliest(logits, TINY_VOCAB, &of, top, 0), 0);
}
